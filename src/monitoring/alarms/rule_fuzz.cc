// Rules of composite alarms, and the settings in tags.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "monitoring/alarms/extensions.h"
#include "monitoring/alarms/rule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::monitoring;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto rule = Rule::parse(text)) {
    static_cast<void>(rule->holds([](const std::string& name) -> std::optional<AlarmState> {
      return name.size() % 2 == 0 ? std::optional(AlarmState::kAlarm) : std::nullopt;
    }));
    securebase::check(rule->names().size() <= 100, "a rule names at most 100 alarms");
  }
  for (const char* setting : {"hold", "flapping", "maintenance", "burn-rate", "recovery-threshold", "reminder"}) {
    const auto read = extensions_from({{std::string("securebase:") + setting, text}, {"securebase:objective", "99.9"}});
    if (read) static_cast<void>(read->in_maintenance(securebase::base::TimePoint{std::chrono::hours{12345}}));
  }
  return 0;
}
