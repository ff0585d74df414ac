// One run on several machines: every worker takes its share of the arrivals or users, and what they measured is merged
// bucket by bucket, as if one machine had measured it.
#pragma once

#include <string>
#include <vector>

#include "load/scenarios/run.h"

namespace securebase::load {

struct Fleet {
  std::vector<net::Address> workers;
  std::string token;  // of all; empty: none
};

// Blocks, as run() does. When one of them cannot be reached, fails or is lost, the others are ended and it is an error:
// a part of the load is another test than the one that was asked for.
Result<RunResult> run_on(const Fleet& fleet, const RunSettings& settings, const StopFlag& stop,
                         const std::function<void(const Live&)>& told);

}  // namespace securebase::load
