// What every user finds among its variables.
#pragma once

#include <memory>

#include "base/json.h"
#include "load/artillery/script.h"
#include "load/artillery/variables.h"

namespace securebase::load::artillery {

// The order in which Artillery lays variables over each other: what `before` has left, payloads that are there as a
// whole, then what is always there and config.variables.
std::shared_ptr<const SharedVariables> variables_for_users(const Script& script, const base::Json::Object& of_before);

}  // namespace securebase::load::artillery
