// What our alarms do beyond CloudWatch's, as tags of the alarm, so that the same files deploy to AWS, where a tag is
// only a label. Values use what AWS allows in tags: letters, digits, spaces and _ . : / = + - @.
//
//   securebase:recovery-threshold  80                    back to OK only when it is beyond this
//   securebase:hold                5m                    back to OK only after this long without a breach
//   securebase:reminder            30m                   again, each 30 minutes, while it is in ALARM
//   securebase:flapping            4 in 1h               more changes than that are one message, until it is calm
//   securebase:incident            checkout              alarms of one incident: a message when it opens and at its end
//   securebase:maintenance         sat-sun 02:00-04:00   (UTC) state and history as ever, messages afterwards
//   securebase:settling            30s                   data younger than this are not looked at
//   securebase:objective           99.95                 a burn-rate alarm (docs/alarms.md)
//   securebase:burn-rate           14.4x 1h 5m / 6x 6h 30m
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::monitoring {

struct MaintenanceWindow {
  // Either the days of the week (bit 0 is Monday) and minutes of the day, where until <= from ends on the next day,
  unsigned days = 0;
  std::chrono::minutes from{0};
  std::chrono::minutes until{0};
  // or one time.
  std::optional<base::TimePoint> start;
  std::optional<base::TimePoint> end;

  bool holds(base::TimePoint time) const;
  bool operator==(const MaintenanceWindow&) const = default;
};

struct BurnRate {
  double factor = 0;  // how many times faster than the budget allows
  std::chrono::seconds long_window{0};
  std::chrono::seconds short_window{0};
  bool operator==(const BurnRate&) const = default;
};

struct Extensions {
  std::optional<double> recovery_threshold;
  std::chrono::seconds hold{0};
  std::chrono::seconds reminder{0};  // 0: none
  int flapping_changes = 0;          // 0: not looked at
  std::chrono::seconds flapping_within{0};
  std::string incident;
  std::vector<MaintenanceWindow> maintenance;
  std::optional<std::chrono::seconds> settling;
  std::optional<double> objective;  // per cent
  std::vector<BurnRate> burn_rates;

  bool in_maintenance(base::TimePoint time) const;
};

// kMalformed: `tag securebase:hold is "soon"; expected a duration such as 5m`. A tag securebase:... that is no setting
// is one too, unless it is one of those that other rooms read (securebase:id).
Result<Extensions> extensions_from(const std::map<std::string, std::string>& tags);

// "90s", "5m", "6h", "3d".
std::optional<std::chrono::seconds> parse_duration(std::string_view text);
std::string duration_text(std::chrono::seconds duration);

}  // namespace securebase::monitoring
