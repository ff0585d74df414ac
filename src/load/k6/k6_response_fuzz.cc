// Cookies and locations of answers (the answers themselves are read by load/engine, which has its own). The first byte
// is not looked at: the corpus had a meaning for it.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "k6/body_coding.h"
#include "k6/cookie_jar.h"

namespace {

using namespace securebase::k6;  // NOLINT

void believe(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (auto url = parse_url("https://a.example.com/b/c"); url) {
    if (auto cookie = parse_set_cookie(*url, bytes, {}); cookie)
      believe(!cookie->name.empty() && !cookie->path.empty());
    if (auto to = resolve(*url, bytes)) believe(to->target.starts_with('/') && !to->host.empty());
  }
  return 0;
}
