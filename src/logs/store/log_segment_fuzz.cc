// A disk may give back anything: the index of a segment, a column, messages. The first byte says which, and of what
// kind.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "logs/store/column.h"
#include "logs/store/read_block.h"
#include "logs/store/read_messages.h"
#include "logs/store/segment.h"
#include "logs/store/zstd.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::logs;  // NOLINT
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  if (data[0] == 0) {
    if (auto index = take_segment_index(bytes)) {
      std::string again;
      put_segment_index(again, *index);
      securebase::check(take_segment_index(again).has_value(), "what was read can be written and read");
    }
    return 0;
  }
  if (data[0] == 1) {
    ReadMessages messages;
    DecodedColumn words;
    DecodedColumn numbers;
    words.texts.assign(256, "word");
    words.view.kind = Column::Kind::kTexts;
    words.view.texts = words.texts;
    numbers.numbers.assign(256, 12.5e6);
    numbers.view.kind = Column::Kind::kNumbers;
    numbers.view.numbers = numbers.numbers;
    const auto field = [&](std::string_view name) -> securebase::Result<const Column*> {
      return name == "n" ? &numbers.view : &words.view;
    };
    if (!messages.take(compress(bytes), bytes.size(), data[1], field)) return 0;
    DecodedColumn built;
    static_cast<void>(messages.build(built).has_value());
    std::vector<std::uint32_t> found;
    for (const auto* const text : {"wo", "12.", "a-b"}) {
      if (!messages.find(securebase::logs::insights::TextFinder(text), 0, data[1], found)) break;
    }
    return 0;
  }
  // The frame is made here: else its checksum would keep the fuzzer out.
  const auto kind = static_cast<Column::Kind>(data[0] % 5);
  const std::size_t rows = data[1] | data[2] << 8;
  DecodedColumn column;
  if (!decode_column(kind, compress(bytes), bytes.size(), rows, column)) return 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (is_present(column.view, row)) static_cast<void>(text_at(column.view, row).size());
  }
  return 0;
}
