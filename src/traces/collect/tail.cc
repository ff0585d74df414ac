#include "traces/collect/tail.h"

#include <bit>

namespace securebase::traces {

// Once a second.
void Tail::judge(Route& route, std::int64_t second) const {
  route.judged = second;
  Histogram both = route.before;
  both.merge(route.now);
  route.slow = both.count() < limits_.least
                   ? nanoseconds::max()
                   : std::max(both.percentile(limits_.percentile), both.percentile(50) * limits_.medians);
}

std::uint8_t Tail::decide(const std::string& name, const RequestTimes& request, bool failed, bool documents,
                          base::SteadyPoint now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (second > second_) {  // spans of several threads come a little out of order
    second_ = second;
    used_ = {};
  }
  const bool known = routes_.contains(name) || routes_.size() < limits_.routes;
  auto& route = routes_[known ? name : "other"];
  if (const auto minute = second / 60; minute > route.minute) {
    route.before = minute == route.minute + 1 ? std::move(route.now) : Histogram();
    route.now = Histogram();
    route.minute = minute;
  }
  if (route.judged < second) judge(route, second);

  unsigned reasons = 0;
  if (failed) reasons |= kFailed;
  if (request.cold) reasons |= kCold;
  if (request.total > route.slow) reasons |= kSlow;
  if (documents) reasons |= kSampled;
  if (route.second < second) {
    reasons |= kFirst;
    route.second = second;
  }
  route.now.add(request.total);

  std::uint8_t kept = 0;
  for (unsigned left = reasons; left != 0; left &= left - 1) {
    const auto bit = static_cast<std::size_t>(std::countr_zero(left));
    if (used_[bit] < limits_.each) {
      ++used_[bit];
      kept = static_cast<std::uint8_t>(kept | 1U << bit);
    }
  }
  if (reasons != 0 && kept == 0) ++over_budget_;
  return kept;
}

}  // namespace securebase::traces
