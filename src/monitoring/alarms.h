// The door of the alarms: metric, anomaly, composite and burn-rate alarms over the numbers of a Series, their states
// and history, and the actions that a change of state asks for. docs/alarms.md tells what they do.
//
//   auto alarms = Alarms::open({.directory = state / "alarms"}, series, sink);
//   (*alarms)->apply(configuration);   // what the stack says; what the API made stays
//   (*alarms)->start();                // evaluates each second, delivers what is due
//
// Threads: every function may be called from any thread; they block on the disk where they change something. start()
// makes two threads, one that evaluates and one that calls the sink; without it, tests call evaluate() and deliver().
// What put(), remove(), set_state() and the others acknowledged is on disk. An action is on disk as due before the sink
// gets it and until the sink took it, so a sink sees it once, or twice around a crash (AlarmNotification::id is the
// same).
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "monitoring/queries.h"
#include "monitoring/series.h"

namespace securebase::aws {
class Operations;
}
namespace securebase::stack {
class Catalogue;
class Diagnostics;
struct Drifted;
struct Stack;
}  // namespace securebase::stack

namespace securebase::monitoring {

class Dashboards;

// --- what an alarm is -----------------------------------------------------------------------------------------------

enum class AlarmState { kOk, kAlarm, kInsufficientData };
std::string_view to_string(AlarmState state);  // "OK", "ALARM", "INSUFFICIENT_DATA"
std::optional<AlarmState> alarm_state_from(std::string_view text);

enum class Comparison {
  kGreaterThanOrEqualToThreshold,
  kGreaterThanThreshold,
  kLessThanThreshold,
  kLessThanOrEqualToThreshold,
  // Against a band:
  kLessThanLowerOrGreaterThanUpperThreshold,
  kLessThanLowerThreshold,
  kGreaterThanUpperThreshold
};
enum class MissingData { kMissing, kIgnore, kBreaching, kNotBreaching };

struct MetricRule {
  std::optional<MetricStat> metric;  // either this
  std::vector<DataQuery> metrics;    // or these
  int evaluation_periods = 1;
  int datapoints_to_alarm = 0;  // 0: as many as evaluation_periods
  std::optional<double> threshold;
  std::string threshold_metric_id;  // of the band; "": there is a threshold
  Comparison comparison = Comparison::kGreaterThanThreshold;
  std::optional<MissingData> missing;  // nullopt: missing, and of AWS/DynamoDB ignore
  bool ignore_low_samples = false;     // EvaluateLowSampleCountPercentile
  bool operator==(const MetricRule&) const = default;
};

struct CompositeRule {
  std::string rule;        // "ALARM(a) AND NOT ALARM(b)"
  std::string suppressor;  // name or ARN of an alarm; "": none
  std::chrono::seconds wait{0};
  std::chrono::seconds extension{0};
  bool operator==(const CompositeRule&) const = default;
};

struct AlarmDefinition {
  std::string name;
  std::string description;
  bool actions_enabled = true;
  std::vector<std::string> ok_actions;
  std::vector<std::string> alarm_actions;
  std::vector<std::string> insufficient_data_actions;
  std::map<std::string, std::string> tags;  // those that begin with "securebase:" are settings (docs/alarms.md)
  std::variant<MetricRule, CompositeRule> rule;

  bool is_composite() const { return rule.index() == 1; }
  bool operator==(const AlarmDefinition&) const = default;
};

// The members of PutMetricAlarm or PutCompositeAlarm, and Tags.
base::Json to_json(const AlarmDefinition& definition);
// Also checks everything that can be checked of one alarm alone. The messages are CloudWatch's where it has one.
Result<AlarmDefinition> alarm_from_json(const base::Json& json);
Result<Done> validate(const AlarmDefinition& definition);

struct AlarmStatus {
  AlarmState state = AlarmState::kInsufficientData;
  std::string reason;
  std::string reason_data;       // JSON, or ""
  base::TimePoint updated;       // of state or reason
  base::TimePoint transitioned;  // of state
  base::TimePoint configured;
  bool from_stack = false;
  bool flapping = false;
  std::string suppressed_by;  // "Alarm", "WaitPeriod", "ExtensionPeriod", "MaintenanceWindow", "Flapping" or ""
  std::string suppressed_reason;
};

struct AlarmView {
  AlarmDefinition definition;
  AlarmStatus status;
  std::string arn;
};

struct AlarmHistoryItem {
  enum class Kind { kConfigurationUpdate, kStateUpdate, kAction };
  std::string alarm;
  bool composite = false;
  base::TimePoint time;
  Kind kind = Kind::kStateUpdate;
  std::string summary;  // at most 255 bytes
  std::string data;     // JSON, at most 4095 bytes
};
std::string_view to_string(AlarmHistoryItem::Kind kind);

// --- what a change of state asks for --------------------------------------------------------------------------------

struct AlarmNotification {
  std::string id;  // the same when it is handed over again
  std::string alarm;
  std::string alarm_arn;
  AlarmState state = AlarmState::kAlarm;
  base::TimePoint time;
  std::string subject;  // at most 100 characters, as SNS takes
  std::string message;  // JSON, as CloudWatch's to SNS
  std::string text;     // what broke, since when, value against threshold, and the command that shows the evidence
};

// Takes what alarms ask for: topics of SNS, functions. Called from the alarms' own thread, one at a time; may block.
class ActionSink {
 public:
  virtual ~ActionSink() = default;
  // Success: it is the sink's now, and survives a crash. kUnsupported and kNotFound are not tried again; other errors
  // are, for a day.
  virtual Result<Done> perform(const std::string& action_arn, const AlarmNotification& notification) = 0;
};

// --- the stack ------------------------------------------------------------------------------------------------------

struct DashboardDefinition {
  std::string name;
  std::string body;  // JSON
  bool operator==(const DashboardDefinition&) const = default;
};

struct AlarmsConfig {
  std::vector<AlarmDefinition> alarms;
  std::vector<DashboardDefinition> dashboards;
};

// aws_cloudwatch_metric_alarm, aws_cloudwatch_composite_alarm, aws_cloudwatch_dashboard.
void declare_alarms(stack::Catalogue& catalogue);
Result<std::shared_ptr<const AlarmsConfig>, stack::Diagnostics> configure_alarms(const stack::Stack& stack);

// --- the engine -----------------------------------------------------------------------------------------------------

struct AlarmSettings {
  std::filesystem::path directory;  // made where missing
  std::string account = "123456789012";
  std::string region = "us-east-1";
  std::chrono::seconds settling{0};  // data younger than this are left out; of one alarm: tag securebase:settling
  std::size_t alarms = 20'000;       // at most; LimitExceeded beyond
  std::size_t history_items = 100'000;
  std::size_t history_items_of_one = 2'000;
  std::size_t due_actions = 100'000;  // waiting for the sink
};

struct AlarmFilter {
  std::vector<std::string> names;  // empty: all
  std::string prefix;
  bool metric_alarms = true;
  bool composite_alarms = true;
  std::optional<AlarmState> state;
  std::string action_prefix;
  std::string children_of;  // a composite alarm's
  std::string parents_of;
  std::string after;  // names behind this one
  std::size_t limit = SIZE_MAX;
};

struct HistoryFilter {
  std::string alarm;
  bool metric_alarms = true;
  bool composite_alarms = true;
  std::optional<AlarmHistoryItem::Kind> kind;
  std::optional<base::TimePoint> from;
  std::optional<base::TimePoint> to;
  bool oldest_first = false;
  std::size_t skip = 0;
  std::size_t limit = SIZE_MAX;
};

struct AnomalyDetector {
  MetricStat metric;  // its period does not count
  std::vector<std::pair<base::TimePoint, base::TimePoint>> excluded;
  std::string timezone;
  bool operator==(const AnomalyDetector&) const = default;
};

struct Backtest {
  struct Change {
    base::TimePoint time;
    AlarmState state;
    std::string reason;
  };
  std::vector<Change> changes;  // the first 10,000
  std::size_t times_in_alarm = 0;
  std::chrono::seconds in_alarm{0};
  std::size_t notifications = 0;  // that somebody would have got: changes, reminders, "flapping"
  std::size_t evaluations = 0;
};

class Alarms {
 public:
  // `series`, `sink` and `clock` outlive it. Reads what the directory holds; what a crash tore off at its end is
  // dropped.
  static Result<std::unique_ptr<Alarms>> open(AlarmSettings settings, const Series& series, ActionSink& sink,
                                              const base::Clock& clock = base::system_clock());
  ~Alarms();  // stop()

  void start();
  void stop();

  // Puts back what the stack says, and takes away what it said before and does not any more.
  Result<Done> apply(const AlarmsConfig& config);
  // The alarms of the last apply that are not as it made them, in Terraform's terms.
  std::vector<stack::Drifted> drift() const;

  // kMalformed, kNotFound (a child), kConflict (a cycle), kLimit.
  Result<Done> put(AlarmDefinition definition);
  // All or none. kNotFound; kConflict: a composite alarm looks at it.
  Result<Done> remove(const std::vector<std::string>& names);
  Result<Done> set_state(const std::string& name, AlarmState state, const std::string& reason,
                         const std::string& reason_data);
  Result<Done> enable_actions(const std::vector<std::string>& names, bool enabled);
  // Sets those with a value, removes the others. kMalformed: a setting (securebase:...) that is none.
  Result<Done> tag(const std::string& name, const std::map<std::string, std::optional<std::string>>& tags);

  std::optional<AlarmView> find(const std::string& name) const;
  std::vector<AlarmView> list(const AlarmFilter& filter) const;  // by name
  std::vector<AlarmHistoryItem> history(const HistoryFilter& filter) const;
  std::string arn(std::string_view name) const;

  Result<Done> put_detector(AnomalyDetector detector);
  Result<Done> remove_detector(const MetricStat& metric);  // kNotFound
  std::vector<AnomalyDetector> detectors() const;

  // What the alarm would have done over [from, to), hold, flapping, reminders and maintenance windows included.
  // kUnsupported: a composite alarm, whose children have no past. Reads; changes nothing. At most 31 days.
  Result<Backtest> backtest(const AlarmDefinition& definition, base::TimePoint from, base::TimePoint to) const;

  // One round of evaluation at the clock's time: those whose period ended or whose data changed.
  // How many were evaluated.
  std::size_t evaluate();
  // Hands over what is due. How many the sink took.
  std::size_t deliver();

  struct Counts {
    std::size_t alarms = 0;
    std::size_t in_alarm = 0;
    std::size_t due_actions = 0;
    std::uint64_t evaluations = 0;
    std::uint64_t failed_evaluations = 0;  // the series could not be read
    std::uint64_t dropped_actions = 0;     // too many were due, or a day passed
  };
  Counts counts() const;

 private:
  struct Engine;
  explicit Alarms(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

// The operations of CloudWatch on alarms, anomaly detectors, dashboards and tags, and GetMetricData.
void add_alarm_operations(aws::Operations& operations, Alarms& alarms, Dashboards& dashboards, const Series& series);

}  // namespace securebase::monitoring
