// gzip bodies of requests, which current clients send for metrics and logs.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::aws {

// kLimit: more than `limit_bytes` would come of it; no more than that is ever held. kMalformed: no gzip, or not whole.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit_bytes);

}  // namespace securebase::aws
