// The door of logs: CloudWatch Logs, kept in <state>/logs/groups (docs/logs.md).
//
// Rooms write their lines to sink(), clients theirs by PutLogEvents; both go the same way: into the store, then past
// the embedded metric format, metric filters and subscription filters, which make metrics and call functions through
// what connect() was given. Insights (insights/) reads the store through source().
//
// Threads: a Logs has one that looks after the store, one that empties the sink, one that calls functions. All it
// offers may be called from any thread; what may wait for the disk (all but sink() and what it writes) not on a worker.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "logs/insights/source.h"
#include "logs/taps/measurement.h"
#include "stack/stack.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace securebase::aws {
class Operations;
}

namespace securebase::logs {

// Adds aws_cloudwatch_log_group, aws_cloudwatch_log_stream, aws_cloudwatch_log_metric_filter and
// aws_cloudwatch_log_subscription_filter.
void declare(stack::Catalogue& catalogue);

// The groups and filters of a stack. Opaque here.
struct Config;
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

struct Settings {
  std::filesystem::path directory;  // <state>/logs/groups
  std::string account = "123456789012";
  std::string region = "us-east-1";
  std::uint64_t disk_bytes = std::uint64_t{16} << 30;  // beyond, the oldest events of all groups go
};

// What stands above, or beside, and is made later.
struct Connections {
  // Keeps what log events say in numbers. Null: nobody.
  std::function<Result<Done>(std::span<const Measurement>)> put_metrics;
  // Calls a function with an event, without waiting for its end. kNotFound: no such function. kUnavailable: later.
  std::function<Result<Done>(const std::string& function_arn, const std::string& event)> invoke;
  // Is there such a function? For PutSubscriptionFilter.
  std::function<bool(const std::string& function_arn)> knows_function;
};

struct GroupStatus {
  std::string name;
  std::size_t streams = 0;
  std::uint64_t message_bytes = 0;
  std::uint64_t disk_bytes = 0;
  std::optional<int> retention_days;
  bool declared = false;
  std::size_t damaged_blocks = 0;          // of events, that were met and are left out of answers
  std::vector<std::string> repaired = {};  // when the platform started, a sentence each
  std::string unopened = {};  // why its files could not be read at the start, and all of it is refused; usually empty
};

class Logs {
 public:
  // Reads what is stored; repairs what a crash tore, and says so in the platform's log. `registry` and `clock` outlive
  // it.
  static Result<std::unique_ptr<Logs>> open(Settings settings, telemetry::Registry& registry,
                                            const base::Clock& clock = base::system_clock());
  ~Logs();
  Logs(const Logs&) = delete;
  Logs& operator=(const Logs&) = delete;

  // Once, before start(). Lines that were written before are kept, but neither measured nor sent on.
  void connect(Connections connections);
  void start();
  // Functions are called no more: before they end. Idempotent.
  void stop_calls();
  // Puts what the sink holds; then nothing is measured any more. Idempotent.
  void stop();

  // Where the rooms write. Lives as long as this.
  telemetry::LogSink& sink();
  // Returns when all lines written before are stored.
  void flush();

  // Makes what the stack declares, and takes back what an earlier one declared: a group that is declared no more stays
  // with its events, and is kept for ever.
  Result<Done> apply(std::shared_ptr<const Config> config);

  // What queries read.
  const insights::Source& source() const;
  // Whether a name stands for a group, or begins the names of some. kUnavailable: one of them could not be opened.
  Result<bool> knows(std::string_view name) const;
  std::vector<GroupStatus> groups() const;

  // For `securebase logs tail`.
  struct TailQuery {
    std::string group;  // or how the names of some begin
    std::int64_t since_ms = 0;
    std::string pattern;
    std::string after;  // what the answer before said; empty: from since_ms on
  };
  struct TailEvent {
    std::string group;
    std::string stream;
    base::TimePoint time;
    std::string message;
  };
  struct Tail {
    std::vector<TailEvent> events;  // oldest first
    std::string after;
    bool more = false;     // at once
    bool several = false;  // of several groups
  };
  // kNotFound: no such group. kMalformed: the pattern, or `after`.
  Result<Tail> tail(const TailQuery& query) const;

  // The operations of CloudWatch Logs (service "logs") but those of queries.
  void add_operations(aws::Operations& operations);

  struct Engine;  // engine.h
  Engine& engine() { return *engine_; }

 private:
  explicit Logs(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace securebase::logs
