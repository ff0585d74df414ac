// Runs canaries when their schedules say so. On the prober's worker: HTTP checks as tasks, scripts by a supervisor of
// its own on a pool, at most kScripts at a time. A canary whose last run has not ended does not begin another; its
// schedule counts that as a failed run, since silence would look like success.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "net/event.h"
#include "net/task.h"
#include "net/task_group.h"
#include "net/tls.h"
#include "prober/canary.h"
#include "prober/prober.h"
#include "prober/schedule.h"
#include "process/process.h"

namespace securebase::prober {

class Rounds {
 public:
  static constexpr std::size_t kScripts = 2;
  static constexpr std::size_t kScriptQueue = 64;

  // `file` holds the canaries, and is looked at each second; `runs` and `tasks` outlive this.
  Rounds(std::filesystem::path file, JournalWriter& runs, net::TaskGroup& tasks);
  ~Rounds();

  // tick() each second, until the worker ends.
  net::Task<void> always();
  // Reads the file if it has changed, and begins what is due: runs are spawned, and are in the journal when they end.
  void tick(base::TimePoint now);

 private:
  struct Entry {
    Canary canary;
    std::optional<Schedule> schedule;
    std::optional<base::TimePoint> next;
    bool running = false;
  };
  void look(base::TimePoint now);
  void read(const std::string& text, base::TimePoint now);
  void begin_due(base::TimePoint now);
  net::Task<void> run(std::string name);
  net::Task<CanaryRun> run_script(Canary canary, CanaryRun run);
  void keep(const CanaryRun& run);

  const std::filesystem::path file_;
  JournalWriter& runs_;
  net::TaskGroup& tasks_;
  std::optional<std::filesystem::file_time_type> seen_;
  Workshop workshop_;
  std::map<std::string, Entry> entries_;
  base::TimePoint last_{};                           // the tick before
  std::shared_ptr<const net::TlsClient> tls_;        // made at the first https:// step
  std::unique_ptr<process::Supervisor> supervisor_;  // made at the first script
  std::unique_ptr<net::Pool> pool_;
};

// Asks the steps in order; the first that fails ends the run. `run` has the canary's name, id and beginning.
net::Task<CanaryRun> run_http(Canary canary, Workshop workshop, std::shared_ptr<const net::TlsClient> tls,
                              CanaryRun run);
// Blocks until the script has ended, or its time is over.
CanaryRun run_script_now(const Canary& canary, const Workshop& workshop, process::Supervisor& supervisor,
                         CanaryRun run);

}  // namespace securebase::prober
