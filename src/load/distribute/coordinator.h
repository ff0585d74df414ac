// One run on several machines: every worker takes its share of the arrivals or users, and what they measured is merged
// bucket by bucket, as if one machine had measured it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "load/scenarios/run.h"

namespace securebase::load {

struct Fleet {
  std::vector<net::Address> workers;
  std::string token;                     // of all; empty: none
  std::chrono::milliseconds each{1000};  // how often they are looked at; ten looks in a row may fail
  // What a worker may take beyond the schedule and the limits of its last requests; then it counts as lost.
  std::chrono::milliseconds patience{30'000};
};

// Blocks, as run() does. When one of them cannot be reached, fails or is lost, the others are ended and it is an error:
// a part of the load is another test than the one that was asked for. Of their word only what they measured counts:
// what was asked for, when it began by the clock here, and the verdict are this machine's.
Result<RunResult> run_on(const Fleet& fleet, const RunSettings& settings, const StopFlag& stop,
                         const std::function<void(const Live&)>& told);

}  // namespace securebase::load
