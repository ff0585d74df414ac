// Values for what a provider would compute: the same for an address in every run and on every machine, and of the form
// that the real ones have, so that what is built from them (policies, names, host names) is well formed.
#pragma once

#include <string>

#include "stack/declaration.h"
#include "stack/provider/schema.h"
#include "stack/value.h"

namespace securebase::stack {

// Fills in what `attributes` lacks: what only the provider sets gets a value, the rest null.
void complete(Value::Map& attributes, const ProviderBlock& provider, Declaration::Mode mode, const std::string& type,
              const Context& context);

}  // namespace securebase::stack
