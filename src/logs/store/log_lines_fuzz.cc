// Log lines come from functions, and hold what they like.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "logs/store/discover.h"
#include "logs/taps/embedded.h"

namespace {

class Counted final : public securebase::logs::FieldReceiver {
 public:
  void number(std::string_view, double value) override {
    securebase::check(std::isfinite(value), "a number is one");
    ++count;
  }
  void text(std::string_view, std::string_view) override { ++count; }
  std::size_t count = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::logs;  // NOLINT
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  static Discoverer discoverer;
  Counted fields;
  discoverer.discover(message, fields);
  securebase::check(fields.count <= Discoverer::Limits{}.fields + 16, "fields are bounded");
  for (const auto& one : embedded_metrics(message)) {
    for (const auto& [value, count] : one.values)
      securebase::check(std::isfinite(value) && count > 0, "values are numbers");
  }
  return 0;
}
