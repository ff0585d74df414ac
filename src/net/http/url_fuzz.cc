#include "net/http/url.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace securebase::http;

// What is taken means the same when it is written out again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto url = parse_url(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!url) return 0;
  const auto again = parse_url(url->origin() + url->target);
  const bool may_have_grown = size + 8 > kUrlBytes;  // by a '/' in front of the query
  if (!again) {
    if (!may_have_grown) std::abort();
    return 0;
  }
  if (again->host != url->host || again->port != url->port || again->target != url->target || again->tls != url->tls) {
    std::abort();
  }
  return 0;
}
