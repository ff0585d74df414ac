// The door of synthetics: CloudWatch Synthetics' canaries, which try the service on a schedule as a user would.
//
//   stack --apply--> Synthetics --<directory>/canaries.json--> the prober, another process, runs them
//                        ^------<directory>/runs.<n>---------------'
//                        | each run: samples for the metrics' store, and what the API tells of it
//
// The prober is told by a file and tells by a journal (prober/canary.h), so that a platform that hangs is noticed, and
// nothing is lost while it does. docs/synthetics.md tells which canaries there are.
//
// Threads: everything may be called from any thread; all of it blocks on files, for a short time.
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "functions/packages.h"
#include "prober/canary.h"
#include "prober/prober.h"
#include "stack/stack.h"

namespace securebase::aws {
class Operations;
}

namespace securebase::synthetics {

// Adds aws_synthetics_canary.
void declare(stack::Catalogue& catalogue);

struct CanaryConfig {
  std::string name;
  std::string runtime_version;  // "securebase-http-1.0", "securebase-load-1.0", "syn-nodejs-puppeteer-9.1"
  std::string handler;
  std::string schedule;
  std::filesystem::path code;  // a zip or a directory; else it is the object:
  std::string bucket;
  std::string key;
  std::map<std::string, std::string> environment;
  std::chrono::seconds timeout{0};  // 0: as long as its interval, at most 14 minutes
  std::size_t memory_mb = 1000;
  bool start = false;
  std::string artifact_location;  // as the stack says; artifacts are kept in the state directory
  std::string role;
  std::map<std::string, std::string> tags;

  prober::Canary::Kind kind() const;  // by its runtime
  bool operator==(const CanaryConfig&) const = default;
};
struct Config {
  std::vector<CanaryConfig> canaries;
};
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

// What a run says, as a sample of one series: CanaryName, and StepName where it is not empty.
struct Sample {
  std::string_view metric;  // in the namespace CloudWatchSynthetics
  std::string_view unit;
  std::string canary;
  std::string step;
  base::TimePoint time;
  double value = 0;
};
std::vector<Sample> samples_of(const prober::CanaryRun& run);

enum class State { kReady, kRunning, kStopped };  // kReady: never started
struct Canary {
  CanaryConfig config;
  State state = State::kReady;
  std::chrono::seconds interval{0};  // between two runs; 0: it runs once
  base::TimePoint created, modified;
  std::optional<base::TimePoint> started, stopped;
};

class Synthetics {
 public:
  static constexpr std::size_t kKeptRuns = 100;   // of a canary, the newest
  static constexpr std::size_t kStepNames = 100;  // of a canary that are series; further ones are not

  struct Settings {
    std::filesystem::path directory;
    prober::Workshop workshop;  // `work` is set by this
    const base::Clock& clock = base::system_clock();
  };
  using FetchObject = std::function<Result<std::string>(const std::string& bucket, const std::string& key)>;
  // Reads what former runs left.
  static Result<std::unique_ptr<Synthetics>> open(Settings settings, FetchObject fetch);

  // Unpacks the code of all, and tells the prober. All or nothing.
  Result<Done> apply(const Config& config);
  // kNotFound: no such canary. kConflict: it is in that state already.
  Result<Done> start(std::string_view name);
  Result<Done> stop(std::string_view name);

  // Gives what the prober has run since. An error of `record` means: the same samples again next time. `persist` has
  // what was recorded on disk when it returns: only then is it not read again after a kill.
  using Record = std::function<Result<Done>(std::span<const Sample>)>;
  using Persist = std::function<Result<Done>()>;
  Result<Done> catch_up(const Record& record, const Persist& persist);

  std::filesystem::path file() const { return settings_.directory / "canaries.json"; }  // what the prober is told
  std::vector<Canary> canaries() const;                                                 // sorted by name
  std::vector<prober::CanaryRun> runs(std::string_view name) const;                     // the newest first

 private:
  // What is remembered of a canary over restarts.
  struct Memory {
    bool running = false;
    bool wanted = false;  // what the stack said last of start_canary
    base::TimePoint created, modified;
    std::optional<base::TimePoint> started, stopped;
  };
  Synthetics(Settings settings, FetchObject fetch);
  Result<std::filesystem::path> unpacked(const CanaryConfig& config);
  Result<prober::Canary> made(const CanaryConfig& config);
  Result<Done> tell_prober() const;
  Result<Done> remember() const;
  void recall();
  void keep(const prober::CanaryRun& run);
  Result<Done> change(std::string_view name, bool running);

  const Settings settings_;
  const FetchObject fetch_;
  functions::Packages packages_;

  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, CanaryConfig, std::less<>> configs_;
  std::map<std::string, prober::Canary, std::less<>> made_;  // as the prober is told them
  std::map<std::string, Memory, std::less<>> memories_;
  std::map<std::string, std::deque<prober::CanaryRun>, std::less<>> runs_;  // the newest last
  std::map<std::string, std::set<std::string>> step_names_;
  std::optional<prober::JournalReader> journal_;
  prober::Position kept_;        // on disk
  std::vector<Sample> waiting_;  // read, not recorded yet
};

// Answers the Synthetics API (api.cc). `synthetics` outlives the operations.
void add_operations(aws::Operations& operations, Synthetics& synthetics);

}  // namespace securebase::synthetics
