// A sudden rush: some users, then within seconds many, and how long the target takes to be itself again.
#pragma once

#include "load/scenarios/run.h"
#include "load/scenarios/target_watch.h"

namespace securebase::load {

struct SpikeSettings {
  RunSettings run;  // its phases are made here
  std::uint64_t from_users = 10;
  std::uint64_t to_users = 500;
  std::chrono::nanoseconds before = std::chrono::seconds{20};  // with from_users
  std::chrono::nanoseconds rise = std::chrono::seconds{10};
  std::chrono::nanoseconds hold = std::chrono::seconds{120};  // with to_users
  double limit_ms = 100;                                      // what p95 has to come back below
  std::chrono::nanoseconds respond_within = std::chrono::minutes{2};
  CarryOut carry_out = load::run;
};

Result<RunResult> spike(const SpikeSettings& settings, TargetWatch& watch, const StopFlag& stop,
                        const std::function<void(const Live&)>& told);

std::string spike_text(const base::Json& findings);

}  // namespace securebase::load
