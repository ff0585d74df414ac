// Bodies in gzip (RFC 1952), as OTLP/HTTP has them. The way back is aws/gzip.h.
#pragma once

#include <string>
#include <string_view>

namespace securebase::monitoring::exports {

std::string gzip(std::string_view bytes);

}  // namespace securebase::monitoring::exports
