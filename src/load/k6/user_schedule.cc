#include "k6/user_schedule.h"

#include <algorithm>
#include <cmath>

namespace securebase::k6 {

namespace {

Nanoseconds from_seconds(double seconds) { return Nanoseconds{std::llround(seconds * 1e9)}; }

}  // namespace

std::vector<Stretch> stretches_of(const Scenario& scenario, std::int64_t place) {
  std::vector<Stretch> stretches;
  const double mine = static_cast<double>(place) + 1;  // wanted while there are at least so many
  double from = static_cast<double>(scenario.start_vus);
  double begin = 0;
  bool on = from >= mine;
  double since = 0;
  for (const auto& stage : scenario.stages) {
    const double duration = seconds_of(stage.duration);
    const double to = std::floor(stage.target);
    if (!on && to >= mine) {
      on = true;
      since = begin + (to > from ? duration * (mine - from) / (to - from) : duration);
    } else if (on && to < mine) {
      // With a count of n users the nth leaves when the line has come down to n - 1.
      const double until = begin + (from > to ? duration * (from - (mine - 1)) / (from - to) : duration);
      on = false;
      stretches.push_back({from_seconds(since), from_seconds(until)});
    }
    from = to;
    begin += duration;
  }
  if (on) stretches.push_back({from_seconds(since), from_seconds(begin)});
  return stretches;
}

std::int64_t users_wanted(const Scenario& scenario, Nanoseconds since_start) {
  double from = static_cast<double>(scenario.start_vus);
  double begin = 0;
  const double at = seconds_of(since_start);
  for (const auto& stage : scenario.stages) {
    const double duration = seconds_of(stage.duration);
    const double to = std::floor(stage.target);
    if (at < begin + duration) {
      const double line = from + (to - from) * (at - begin) / duration;
      return static_cast<std::int64_t>(to > from ? std::floor(line) : std::ceil(line));
    }
    from = to;
    begin += duration;
  }
  return 0;
}

std::int64_t users_needed(const std::vector<Scenario>& scenarios, bool at_most) {
  std::int64_t needed = 0;
  // The need changes only where a scenario begins.
  for (const auto& moment : scenarios) {
    std::int64_t users = 0;
    for (const auto& scenario : scenarios) {
      if (scenario.start_time <= moment.start_time && moment.start_time < scenario.end()) {
        users += at_most ? scenario.users_at_most() : scenario.users_at_start();
      }
    }
    needed = std::max(needed, users);
  }
  return needed;
}

}  // namespace securebase::k6
