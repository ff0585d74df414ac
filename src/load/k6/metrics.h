// The metrics of a run: those that k6 has itself, those that the script declares, the parts of them that thresholds
// look at (http_req_duration{status:200}), and recording into them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "k6/options.h"
#include "load/measure/collector.h"
#include "load/measure/recorder.h"

namespace securebase::k6 {

using TagList = std::vector<std::pair<std::string, std::string>>;

// The tags of one sample, from several lists; the first list that has a name decides.
struct SampleTags {
  const TagList* lists[4] = {};
  const std::string* find(std::string_view name) const;
};

enum class Contains { kDefault, kTime, kData };

class SampleFile;
class SystemTags;

class Metrics {
 public:
  enum Builtin : std::size_t {
    kVus,
    kVusMax,
    kIterations,
    kIterationDuration,
    kDroppedIterations,
    kChecks,
    kGroupDuration,
    kHttpReqs,
    kHttpReqFailed,
    kHttpReqDuration,
    kHttpReqBlocked,
    kHttpReqConnecting,
    kHttpReqTlsHandshaking,
    kHttpReqSending,
    kHttpReqWaiting,
    kHttpReqReceiving,
    kDataSent,
    kDataReceived,
    kLatencyFromSchedule,  // ours: from when an arrival was due to the end of its first request
    kLateness,             // ours: how late the generator itself was
    kBuiltins,
  };

  struct Part {
    std::string name;  // "http_req_duration{status:200}"
    load::Tags tags;
    load::Series series;
    std::vector<Threshold> thresholds;
  };
  struct Metric {
    std::string name;
    load::Kind kind;
    Contains contains = Contains::kDefault;
    load::Series series;
    std::vector<Threshold> thresholds;
    std::vector<Part> parts;  // not changed while the run is on
  };

  // `collector` outlives this.
  explicit Metrics(load::Collector& collector);
  ~Metrics();

  // Any thread. The same name gives the same metric; an error when it is of another kind.
  Result<std::size_t> declare(std::string_view name, load::Kind kind, bool is_time);
  // Before the run. An error: no such metric, or a threshold that does not fit its kind.
  Result<Done> add_thresholds(const std::vector<MetricThresholds>& thresholds);
  // Before the run. Every sample also into a file, with those of the system's tags: sample_file.h.
  Result<Done> write_to(std::string_view output, const SystemTags& tags);
  // After the run: ends the files. An error: one of them is not whole.
  Result<Done> finish_files();

  const Metric& at(std::size_t id) const { return metrics_[id]; }
  std::size_t count() const;
  // Whether tags make a difference to anything.
  bool wants_tags() const { return wants_tags_.load(std::memory_order_relaxed); }

  // `times`: so many samples that are the same.
  void add(load::Recorder::Batch& batch, std::size_t id, double value, const SampleTags& tags, std::uint64_t times = 1);
  // From setup, teardown and controllers, which have no recorder of their own.
  void add(load::Recorder& recorder, std::size_t id, double value, const SampleTags& tags) {
    load::Recorder::Batch batch(recorder);
    add(batch, id, value, tags);
  }

 private:
  load::Collector& collector_;
  mutable std::mutex mutex_;
  std::vector<Metric> metrics_;  // never moves: all its room is reserved at once, so at() needs no lock
  std::map<std::string, std::size_t, std::less<>> ids_;  // guarded by mutex_
  std::atomic<bool> wants_tags_{false};
  std::vector<std::unique_ptr<SampleFile>> files_;  // constant while the run is on
};

}  // namespace securebase::k6
