// Keeps the prober running, and brings what it saw into the metrics' store: SuccessPercent, Duration and
// TimeToFirstByte of each target. The gap that a killed run left in the heartbeat counts as failed probes, one for each
// interval. docs/targets.md tells how uptime is judged.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "prober/prober.h"
#include "process/process.h"

namespace securebase::platform {

// What a probe says, as samples of one canary.
struct UptimeSample {
  std::string_view name_space;  // "CloudWatchSynthetics", as canaries have it; "SecureBase/Performance"
  std::string_view metric;
  std::string_view unit;
  std::string canary;
  base::TimePoint time;
  double value = 0;
  std::uint64_t count = 1;
};
std::vector<UptimeSample> samples_of(const prober::Probe& probe);
// One failed probe an interval, put together by minutes.
std::vector<UptimeSample> samples_of(const prober::Outage& outage, const std::string& canary,
                                     std::chrono::milliseconds interval);

class Uptime {
 public:
  using Record = std::function<Result<Done>(std::span<const UptimeSample>)>;
  using Persist = std::function<Result<Done>()>;

  // What else the prober does, and whom the gap of a killed run concerns as well.
  struct Canaries {
    std::filesystem::path file;                                       // prober::Settings::canaries
    std::vector<std::pair<std::string, std::chrono::seconds>> every;  // those that run, with their intervals
    std::function<Result<Done>()> catch_up;                           // each second, on this one's thread
  };

  // Starts the prober and a thread that beats and reads each second. `record` is called on that thread; an error of it
  // means: the same probes again later. `persist` has on disk what was recorded when it returns; what a kill takes from
  // before that is read again. `supervisor` and `clock` outlive it.
  static Result<std::unique_ptr<Uptime>> start(std::filesystem::path directory, std::filesystem::path log,
                                               std::vector<prober::Target> targets, Canaries canaries,
                                               process::Supervisor& supervisor, const base::Clock& clock, Record record,
                                               Persist persist);
  ~Uptime();  // stop()
  // An orderly stop: what follows is no outage. Idempotent.
  void stop();

 private:
  Uptime(std::filesystem::path directory, prober::Heartbeat heartbeat, const base::Clock& clock, Record record,
         Persist persist, std::function<Result<Done>()> canaries);
  void run();
  Result<Done> once();
  Result<Done> keep_outage();
  Result<Done> catch_up();
  Result<Done> probes_catch_up();

  const std::filesystem::path directory_;
  const base::Clock& clock_;
  const Record record_;
  const Persist persist_;
  const std::function<Result<Done>()> canaries_;
  prober::Heartbeat heartbeat_;
  std::vector<UptimeSample> outage_;  // not recorded yet
  bool outage_kept_ = false;          // recorded and on disk, or there was none
  prober::Position kept_;             // on disk
  std::optional<prober::JournalReader> journal_;
  std::vector<UptimeSample> waiting_;  // read, not recorded yet
  std::shared_ptr<process::Child> child_;

  std::mutex mutex_;
  std::condition_variable ending_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace securebase::platform
