// What the X-Ray daemon takes over UDP: a line {"format": "json", "version": 1}, then a segment document (developer
// guide, "Sending trace data to the daemon").
#pragma once

#include <string_view>

#include "base/result.h"

namespace securebase::traces {

// The document in a datagram, which it points into. kMalformed: no such header.
Result<std::string_view> document_of(std::string_view datagram);

}  // namespace securebase::traces
