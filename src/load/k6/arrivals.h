// When the iterations of a scenario with an arrival rate are due.
#pragma once

#include <optional>
#include <vector>

#include "k6/scenario.h"

namespace securebase::k6 {

// The times from its start at which the arrivals of an open scenario are due, one after the other. A constant rate
// begins at once; a ramping one when the area under the rate has reached 1.
class Arrivals {
 public:
  explicit Arrivals(const Scenario& scenario);
  // nullopt: no more.
  std::optional<Nanoseconds> next();
  // Arrivals per second at that time.
  double rate_at(Nanoseconds since_start) const;

 private:
  struct Piece {
    double begin;     // seconds from the start
    double duration;  // seconds
    double from;      // arrivals per second
    double to;
    double before;  // arrivals up to its begin
  };
  std::vector<Piece> pieces_;
  std::size_t piece_ = 0;
  double count_ = 0;
  bool ramping_ = false;
};

}  // namespace securebase::k6
