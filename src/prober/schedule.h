// When a canary runs: "rate(5 minutes)", "cron(0/10 8-17 ? * MON-FRI *)", as EventBridge and CloudWatch Synthetics
// write them (EventBridge user guide, "Schedule types"). Times are UTC. A value.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::prober {

class Schedule {
 public:
  // Seconds are SecureBase's own: "rate(10 seconds)". "rate(0 minutes)" is once, at the start. Of cron the day letters
  // L, W and # are not read, which the error says.
  static Result<Schedule> parse(std::string_view expression);

  // The first moment after `after`; of a rate its whole multiples since 1970. nullopt: never again.
  std::optional<base::TimePoint> next(base::TimePoint after) const;
  // Of a rate; of cron, what lies between the next two runs from `now`. 0: it runs once.
  std::chrono::seconds interval(base::TimePoint now) const;
  bool runs_once() const { return !is_cron_ && rate_.count() == 0; }

 private:
  struct Fields {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;      // of the month, from 1
    std::bitset<13> months;    // from 1
    std::bitset<8> week_days;  // 1 is Sunday
    std::bitset<200> years;    // from 1970
    bool by_week_day = false;  // else by day of the month
  };
  static Result<Schedule> parse_rate(std::string_view inside);
  static Result<Schedule> parse_cron(std::string_view inside);

  bool is_cron_ = false;
  std::chrono::seconds rate_{0};
  Fields fields_;
};

}  // namespace securebase::prober
