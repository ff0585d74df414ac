// Which complete traces are kept: every failure, cold start and slow outlier, what a sampling rule chose, and one per
// route and second. Decided when the request was answered, with all of it known. Each kind has a budget a second, so
// that a flood of one kind does not push out the others; what is over it is counted.
#pragma once

#include <array>
#include <string>
#include <unordered_map>

#include "traces/counts/counts.h"

namespace securebase::traces {

class Tail {
 public:
  struct Limits {
    std::uint32_t each = 500;  // traces a second of each reason
    std::size_t routes = 1'000;
    // An outlier is slower than this percentile of the last one to two minutes, and than this many times the median.
    double percentile = 99;
    std::int64_t medians = 2;
    std::uint64_t least = 100;  // requests of a route before there can be outliers
  };
  explicit Tail(Limits limits) : limits_(limits) {}

  // The reasons to keep it; 0: none. `documents`: others may add to it.
  std::uint8_t decide(const std::string& route, const RequestTimes& request, bool failed, bool documents,
                      base::SteadyPoint now);
  std::uint64_t over_budget() const { return over_budget_; }

 private:
  struct Route {
    Histogram now;
    Histogram before;
    std::int64_t minute = -1;
    std::int64_t second = -1;  // the last one whose first trace was kept
    std::int64_t judged = -1;
    nanoseconds slow{nanoseconds::max()};
  };
  void judge(Route& route, std::int64_t second) const;

  const Limits limits_;
  std::unordered_map<std::string, Route> routes_;
  std::int64_t second_ = -1;
  std::array<std::uint32_t, 8> used_{};  // by bit of Reason, in second_
  std::uint64_t over_budget_ = 0;
};

}  // namespace securebase::traces
