// One query as it runs: a scan after the other (subqueries, the other side of a join, the preceding window, the query
// itself), each by as many threads as come to work on it. What there is so far can be seen at any time.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "logs/insights/plan.h"
#include "logs/insights/segment_run.h"
#include "logs/insights/source.h"

namespace securebase::logs::insights {

enum class Status { kScheduled, kRunning, kComplete, kFailed, kCancelled, kTimeout };
std::string_view to_string(Status status);

struct Statistics {
  std::uint64_t records_matched = 0;
  std::uint64_t records_scanned = 0;
  std::uint64_t bytes_scanned = 0;
};

struct Results {
  std::vector<std::string> names;
  // By row, what each column displays; nullopt: missing.
  std::vector<std::vector<std::optional<std::string>>> rows;
};

class Execution {
 public:
  struct Settings {
    std::vector<std::string> groups;
    base::TimePoint begin;  // inclusive, as `end`
    base::TimePoint end;
    std::size_t memory_bytes = std::size_t{512} << 20;  // of all that the query holds
    std::chrono::seconds timeout{3600};                 // CloudWatch's own
    std::chrono::seconds join_timeout{30};              // of the inner run
  };

  // `source` and `clock` outlive it.
  Execution(const Source& source, std::unique_ptr<Plan> plan, Settings settings, const base::Clock& clock);
  ~Execution();

  // Works for some tens of milliseconds. False: there is nothing to do for one more thread, now or at all. Any thread,
  // many at once.
  bool work();
  void cancel();

  Status status() const;
  bool finished() const;
  std::string failure() const;  // of kFailed
  Statistics statistics() const;
  // The rows of a finished query; of a running one those that there are so far.
  Result<Results> results() const;

 private:
  struct Job;
  struct Worker;
  struct Reading;

  void list_jobs(Plan& plan);
  bool begin_job(std::unique_lock<std::mutex>& lock);
  void read(Reading& reading, Worker& worker);
  void finish_job(std::unique_lock<std::mutex>& lock);
  Result<Table> apply(const Plan& plan, Table table, std::size_t count) const;
  void end(Status status, std::string why = {});
  bool out_of_time() const;

  const Source& source_;
  const std::unique_ptr<Plan> plan_;
  const Settings settings_;
  const base::Clock& clock_;
  const base::SteadyPoint deadline_;

  // Any thread.
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> matched_{0};
  std::atomic<std::uint64_t> scanned_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::size_t> held_bytes_{0};

  mutable std::mutex mutex_;  // all below
  Status status_ = Status::kScheduled;
  std::string failure_;
  std::vector<Job> jobs_;
  std::size_t job_ = 0;
  enum class Phase { kNotBegun, kBeginning, kReading, kFinishing } phase_ = Phase::kNotBegun;
  base::SteadyPoint job_deadline_;
  std::deque<std::unique_ptr<Reading>> waiting_;
  std::size_t busy_ = 0;
  std::vector<std::shared_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
  std::optional<Table> final_;
  std::shared_ptr<const Table> right_;     // of a join
  std::shared_ptr<const Table> previous_;  // of a diff
};

}  // namespace securebase::logs::insights
