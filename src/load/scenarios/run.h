// One native run from settings to a result with a verdict. Blocks; not from a worker's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "load/engine/engine.h"
#include "load/report/result.h"
#include "load/scenarios/http_flow.h"
#include "load/scenarios/threshold.h"

namespace securebase::load {

struct RunSettings {
  std::string scenario = "run";
  std::string target;  // as it was typed, for the report
  HttpWork work;
  std::vector<Phase> phases;
  std::chrono::nanoseconds warm_up{};
  std::size_t threads = 1;
  std::optional<std::size_t> pool;  // connections of a thread to the target; nullopt: each user has its own
  Schedule::Share share;
  Limits limits;
  net::TlsClientSettings tls;
  std::vector<Threshold> thresholds;

  bool open() const { return !work.loop; }
};

// So many users from the start, who go on until `duration` is over.
std::vector<Phase> users_for(std::uint64_t users, std::chrono::nanoseconds duration);

// What is told while it runs, about once a second.
struct Live {
  Engine::Progress progress;
  std::chrono::nanoseconds whole{};  // how long the run is, with warm-up
  Values last_second;
  bool open = false;
};

// Stops a run from outside: a signal handler may set it.
using StopFlag = std::atomic<bool>;

// Who carries settings out: this machine with run(), or several (distribute/coordinator.h).
using CarryOut = std::function<Result<RunResult>(const RunSettings&, const StopFlag& stop,
                                                 const std::function<void(const Live&)>& told)>;

// A check for scenarios that judge more than thresholds: whether what was unanswered at the end could be the better
// part of the story; nullopt: it could not.
std::optional<RunResult::Check> doubt_of_unanswered(const RunResult& result);

// kMalformed: settings that make no run.
Result<RunResult> run(const RunSettings& settings, const StopFlag& stop, const std::function<void(const Live&)>& told);

}  // namespace securebase::load
