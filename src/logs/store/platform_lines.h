// Lines that the platform's own rooms and servers write, cut into fields.
#pragma once

#include <string_view>

#include "logs/store/discover.h"

namespace securebase::logs {

// Is it such a line, all of it? A logger's line, which may hold JSON after its request id, gives its fields and false.
bool discover_platform_line(std::string_view message, FieldReceiver& into);

}  // namespace securebase::logs
