// CBOR: what is read can be written, and is then read as the same.
#include <cstddef>
#include <cstdint>

#include "aws/cbor.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto value = aws::parse_cbor(bytes);
  if (value) {
    std::string once, twice;
    aws::encode_cbor(once, *value, nullptr);
    const auto again = aws::parse_cbor(once);
    check(again.has_value(), "what was written is read");
    aws::encode_cbor(twice, *again, nullptr);
    check(once == twice, "what was read is the same");
  }
  static_cast<void>(
      aws::decode_cbor(bytes, *aws::find_service("cloudwatch")->find("PutMetricData")->input).has_value());
  return 0;
}
