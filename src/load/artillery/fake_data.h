// The functions of Artillery's fake-data plugin that scripts use most, from small lists of our own: {{ $internetEmail()
// }}.
#pragma once

#include <string>
#include <string_view>

#include "load/artillery/template.h"

namespace securebase::load::artillery {

// `name` without its $: faker's flattened name ("personFirstName") or the older alias ("randFirstName"); null: unknown.
Template::Function fake_data(std::string_view name);
// "$companyName, $datatypeBoolean, ...": for messages.
std::string fake_data_names();

}  // namespace securebase::load::artillery
