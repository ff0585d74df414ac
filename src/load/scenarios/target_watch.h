// Looks at the target while it is tested, when it runs on this machine: CPU, memory, descriptors by /proc, and what a
// running SecureBase says of itself. Blocks; one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "load/report/result.h"
#include "process/usage.h"

namespace securebase::load {

struct TargetSample {
  base::SteadyPoint at;
  bool of_target = false;           // the target's process was seen: what is said of it is true
  double machine_busy_seconds = 0;  // CPU time of all cores that was not idle, since boot
  double machine_steal_seconds = 0;
  double generator_cpu_seconds = 0;                 // of this process
  double cpu_seconds = 0;                           // of the target's processes
  double rss_bytes = 0;                             // of the target's main process
  double tree_rss_bytes = 0;                        // with its children
  double descriptors = 0;                           // of the main process
  double sockets = 0;                               // of those
  std::map<std::string, double> parts_cpu_seconds;  // "PostgreSQL", "Redis": children with a name
  double functions_busy = 0;
  double functions_idle = 0;
  // What there is a limit of, by name: "connections of PostgreSQL", "concurrency of the function auth".
  struct Level {
    double used = 0;
    double limit = 0;
  };
  std::map<std::string, Level> levels;
  double throttles = 0;  // invocations refused by a function's limit, since its start
};

class TargetWatch {
 public:
  // Gives the running platform's status; an error where there is none.
  using AskStatus = std::function<Result<base::Json>()>;
  // `pid` 0: what `ask` says; neither: only the machine is seen. `proc` is for tests. kMalformed: no process `pid`
  // runs.
  static Result<TargetWatch> open(pid_t pid, AskStatus ask, std::filesystem::path proc = "/proc");

  TargetSample sample();
  // Whether anything of the target itself is seen.
  bool sees_target() const { return pid_ != 0; }
  // Whether the target's process ended while it was watched, though another one may have its number since.
  bool lost() const { return lost_; }
  static unsigned cores();

 private:
  TargetWatch(pid_t pid, AskStatus ask, std::filesystem::path proc);
  void read_status(const base::Json& status, TargetSample& sample);
  double part_cpu(const std::string& name, pid_t pid);

  pid_t pid_;
  std::uint64_t started_ =
      0;  // of the process, in clock ticks after boot: what tells it from a later one of its number
  bool lost_ = false;
  const AskStatus ask_;
  const std::filesystem::path proc_;
  process::UsageMeter tree_;
  std::map<std::string, process::UsageMeter> parts_;
};

// The check of a run whose target's process ended on the way: no figure of it is one of a process that held.
RunResult::Check process_ended();

// How busy the parts of the target were between two samples, as shares of what they can have: what came closest to its
// end comes first.
struct Pressure {
  std::string resource;  // "CPU of this machine"
  double share = 0;      // 0 to 1
  std::string seen;      // "1.93 of 2 cores: target 1.2, PostgreSQL 0.3, generator 0.4"
};
std::vector<Pressure> pressures(const TargetSample& before, const TargetSample& after, double share_429);

}  // namespace securebase::load
