// A lookup table is a file that somebody has written: any bytes are a table or are refused, and every cell can be read.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "logs/insights/lookup_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::logs::insights;
  auto table =
      LookupTable::parse(std::string(reinterpret_cast<const char*>(data), size), {.bytes = 1 << 16, .columns = 8});
  if (!table) return 0;
  const LookupIndex index(*table, {0});
  for (std::size_t row = 0; row < (*table)->rows(); ++row) {
    const std::string text((*table)->text(row, 0));
    const auto found = index.find({&text, 1});
    securebase::check(found && *found <= row, "a row is found by its own text");
  }
  return 0;
}
