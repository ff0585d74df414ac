// A journal after a crash: whatever its end is, what is read is what was written before.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "logs/store/bytes.h"
#include "logs/store/journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::logs;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto touch = [](std::string_view stream, std::int64_t, std::span<const Event> events) {
    std::size_t sum = stream.size();
    for (const auto& event : events) {
      sum += event.message.size();
      for (const auto& field : event.fields) sum += field.name.size() + field.text.size();
    }
    securebase::check(sum < (std::size_t{1} << 40), "texts are within the journal");
  };
  if (const auto read = read_journal(bytes, touch)) {
    securebase::check(read->good_bytes <= bytes.size(), "what is good is within the journal");
  }
  // The same as a record whose checksum is right.
  std::string whole = journal_head(1);
  put_fixed(whole, static_cast<std::uint32_t>(bytes.size()));
  put_fixed(whole, crc_of(bytes));
  whole += bytes;
  static_cast<void>(read_journal(whole, touch).has_value());
  return 0;
}
