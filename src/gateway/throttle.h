// A token bucket of `burst` tokens that fills at `rate` a second, in one atomic word (GCRA: the theoretical arrival
// time of the next conforming request), so that all workers count into it without a lock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace securebase::gateway {

class Throttle {
 public:
  // A rate or burst of 0 refuses everything; negative ones refuse nothing.
  Throttle(double rate, std::int64_t burst);

  struct Verdict {
    bool admitted = true;
    std::chrono::seconds retry_after{0};  // at least 1 when refused
  };
  Verdict take(base::SteadyPoint now);

  double rate() const { return rate_; }
  std::int64_t burst() const { return burst_; }

 private:
  const double rate_;
  const std::int64_t burst_;
  std::int64_t interval_ns_ = 0;   // between two tokens
  std::int64_t tolerance_ns_ = 0;  // how far ahead of now a request may be booked
  std::atomic<std::int64_t> next_arrival_ns_{INT64_MIN};
};

}  // namespace securebase::gateway
