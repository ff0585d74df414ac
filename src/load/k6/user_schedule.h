// When the users of a scenario are wanted, and how many of them a run needs.
#pragma once

#include <cstdint>
#include <vector>

#include "k6/scenario.h"

namespace securebase::k6 {

// When the user in that place (from 0) of a ramping scenario is wanted: [begin, end) from its start.
struct Stretch {
  Nanoseconds begin;
  Nanoseconds end;
};
std::vector<Stretch> stretches_of(const Scenario& scenario, std::int64_t place);
// Users wanted at that time.
std::int64_t users_wanted(const Scenario& scenario, Nanoseconds since_start);

// The most users that scenarios have at the same time: those that have ended give theirs to those that begin.
std::int64_t users_needed(const std::vector<Scenario>& scenarios, bool at_most);

}  // namespace securebase::k6
