#include "gateway/throttle.h"

#include <algorithm>
#include <cmath>

namespace securebase::gateway {

Throttle::Throttle(double rate, std::int64_t burst) : rate_(rate), burst_(burst) {
  if (rate <= 0 || burst <= 0) return;
  // A century between tokens is as good as never, and keeps the sums below within 64 bits.
  interval_ns_ =
      static_cast<std::int64_t>(std::clamp(std::round(1e9 / rate), 1.0, 3.2e18 / static_cast<double>(burst)));
  tolerance_ns_ = interval_ns_ * (burst - 1);
}

Throttle::Verdict Throttle::take(base::SteadyPoint now_point) {
  if (rate_ < 0 || burst_ < 0) return {};
  if (interval_ns_ == 0) return {false, std::chrono::seconds{1}};
  const std::int64_t now = std::chrono::nanoseconds(now_point.time_since_epoch()).count();
  std::int64_t booked = next_arrival_ns_.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t at = std::max(booked, now);
    if (at - now > tolerance_ns_) {
      const std::int64_t wait = at - now - tolerance_ns_;
      return {false, std::chrono::seconds{std::max<std::int64_t>(1, (wait + 999'999'999) / 1'000'000'000)}};
    }
    if (next_arrival_ns_.compare_exchange_weak(booked, at + interval_ns_, std::memory_order_relaxed)) return {};
  }
}

}  // namespace securebase::gateway
