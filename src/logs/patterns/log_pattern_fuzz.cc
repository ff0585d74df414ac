// Patterns come from clients, and so do the messages they are held against: text up to the first NUL is the pattern,
// the rest the message.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "logs/patterns/pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::logs;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto cut = bytes.find('\0');
  const auto message = cut == std::string_view::npos ? std::string_view("{\"a\":1}") : bytes.substr(cut + 1);
  const auto pattern = Pattern::compile(bytes.substr(0, cut));
  if (!pattern) return 0;
  const bool matches = pattern->matches(message);
  for (const auto& text : pattern->texts()) {
    securebase::check(!matches || message.find(text) != std::string_view::npos, "a message that matches has its texts");
  }
  if (matches) static_cast<void>(pattern->extracted(message));
  static_cast<void>(pattern->value("$.a[0].b", message));
  return 0;
}
