#include <cstdlib>

#include "objects/s3.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::uint64_t length : {0ULL, 1ULL, 1000ULL, 18446744073709551615ULL}) {
    const auto span = objects::s3::range_of(text, length);
    if (span && span->length > 0 && (span->first >= length || span->length > length - span->first)) std::abort();
  }
  const auto source = objects::s3::source_of(aws::Value::structure({{"CopySource", text}}));
  if (source && (source->key.empty() || source->bucket.find('/') != std::string::npos)) std::abort();
  return 0;
}
