#include "k6/arrivals.h"

#include <algorithm>
#include <cmath>

namespace securebase::k6 {

namespace {

Nanoseconds arrival_time(double seconds) { return Nanoseconds{std::llround(seconds * 1e9)}; }

}  // namespace

Arrivals::Arrivals(const Scenario& scenario) : ramping_(scenario.executor == Executor::kRampingArrivalRate) {
  const double unit = seconds_of(scenario.time_unit);
  if (!ramping_) {
    const double rate = scenario.rate / unit;
    pieces_.push_back({0, seconds_of(scenario.duration), rate, rate, 0});
    return;
  }
  double from = scenario.rate / unit;
  double begin = 0;
  double before = 0;
  for (const auto& stage : scenario.stages) {
    const double to = stage.target / unit;
    const double duration = seconds_of(stage.duration);
    pieces_.push_back({begin, duration, from, to, before});
    begin += duration;
    before += duration * (from + to) / 2;
    from = to;
  }
}

std::optional<Nanoseconds> Arrivals::next() {
  const double wanted = ramping_ ? count_ + 1 : count_;
  while (piece_ < pieces_.size()) {
    const Piece& piece = pieces_[piece_];
    const double area = piece.duration * (piece.from + piece.to) / 2;
    const double left = wanted - piece.before;
    // A constant rate's arrivals lie in [0, duration), a ramp's in (0, end].
    if (ramping_ ? left > area * (1 + 1e-12) : left >= area * (1 - 1e-12)) {
      ++piece_;
      continue;
    }
    count_ += 1;
    double at = 0;
    if (piece.from == piece.to) {
      at = left / piece.from;
    } else {
      // left = from t + slope t^2 / 2, in the form that does not divide by a vanishing slope.
      const double slope = (piece.to - piece.from) / piece.duration;
      const double root = std::sqrt(std::max(0.0, piece.from * piece.from + 2 * slope * left));
      at = piece.from + root > 0 ? 2 * left / (piece.from + root) : 0;
    }
    return arrival_time(piece.begin + std::min(at, piece.duration));
  }
  return std::nullopt;
}

double Arrivals::rate_at(Nanoseconds since_start) const {
  const double at = seconds_of(since_start);
  for (const auto& piece : pieces_) {
    if (at >= piece.begin && at < piece.begin + piece.duration) {
      return piece.from + (piece.to - piece.from) * (at - piece.begin) / piece.duration;
    }
  }
  return 0;
}

}  // namespace securebase::k6
