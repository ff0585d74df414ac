#include <cstdint>

#include "base/check.h"
#include "database/logs.h"

// No line that a tab begins starts an entry, whatever stands before it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  database::SlowEntries entries;
  bool within = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    const auto line = text.substr(0, end);
    const bool taken = entries.take(line);
    check(!line.starts_with('\t') || taken == within, "a continued line belongs to what it continues");
    within = taken;
    text.remove_prefix(end);
  }
  return 0;
}
