#include <cstdlib>

#include "store/encodings.h"
#include "store/freshness.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase::store;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CacheControl control;
  parse_cache_control(text, control);
  for (const auto& age : {control.max_age, control.s_maxage, control.stale_if_error, control.stale_while_revalidate}) {
    if (age && (*age < seconds{0} || *age > kLongest)) std::abort();
  }
  parse_http_date(text);
  preferred(text);
  return 0;
}
