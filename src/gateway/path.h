// The one path that is matched, keyed and handed on. Without it, `/a/%2e%2e/b` would be one path to a cache key and
// another to a function.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::gateway {

// RFC 3986 §6.2.2: escapes of unreserved characters are undone, other escapes get upper-case digits, dot segments are
// removed. `%2F` stays an escape: it is no separator. kMalformed: bad escapes, NUL, control characters, a backslash, or
// dot segments that lead above the root. `storage` holds the result when it differs from `path`; mostly it does not.
Result<std::string_view> normal_path(std::string_view path, std::string& storage);

}  // namespace securebase::gateway
