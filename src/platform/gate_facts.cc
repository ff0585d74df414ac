// What the gates know: gathered from the rooms, for advisor::check to decide on.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "base/clock.h"
#include "platform/rooms.h"

namespace securebase::platform {

namespace {

using base::Json;

constexpr std::chrono::seconds kQueryTime{10};
constexpr std::chrono::hours kReachable{24};  // a message that reached a subscriber within this time shows that it can
constexpr std::size_t kDeliveries = 10'000;

std::int64_t whole_seconds(base::TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// --- logs -----------------------------------------------------------------------------------------------------------

// A query's rows as objects. Blocks until it is done.
Result<std::vector<std::map<std::string, std::string>>> rows_of(logs::insights::Insights& insights,
                                                                const std::string& group, const std::string& query,
                                                                base::TimePoint from, base::TimePoint to) {
  auto started = insights.ask(Json::object({{"groups", Json::array({group})},
                                            {"query", query},
                                            {"begin", whole_seconds(from)},
                                            {"end", whole_seconds(to)}}));
  if (!started) return started.error();
  const auto question = Json::object({{"id", (*started)["id"]}});
  const auto until = base::system_clock().steady() + kQueryTime;
  for (;;) {
    auto progress = insights.ask(question);
    if (!progress) return progress.error();
    const auto status = (*progress)["status"].string_or("");
    if (status == "Complete") {
      std::vector<std::map<std::string, std::string>> rows;
      const auto& names = *(*progress)["names"].as_array();
      for (const auto& row : *(*progress)["rows"].as_array()) {
        auto& made = rows.emplace_back();
        for (std::size_t i = 0; i < names.size(); ++i) {
          made[std::string(names[i].string_or(""))] = (*row.as_array())[i].string_or("");
        }
      }
      return rows;
    }
    if (status != "Running" && status != "Scheduled") {
      return Error{Errc::kIo, fmt::format("a query over {} failed: {}", group, (*progress)["failure"].string_or(""))};
    }
    if (base::system_clock().steady() > until) {
      (void)insights.ask(Json::object({{"id", (*started)["id"]}, {"stop", true}}));
      return Error{Errc::kTimeout, fmt::format("a query over {} took more than {} s", group, kQueryTime.count())};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

double number_of(const std::map<std::string, std::string>& row, const std::string& name) {
  const auto found = row.find(name);
  return found == row.end() ? 0 : std::strtod(found->second.c_str(), nullptr);
}

Result<std::vector<advisor::FunctionUse>> functions_used(logs::insights::Insights& insights,
                                                         const functions::Config& config, base::TimePoint from,
                                                         base::TimePoint to) {
  auto rows =
      rows_of(insights, "/aws/lambda/",
              "filter @type = \"REPORT\" | stats max(@maxMemoryUsed) as used, count(*) as reports by @log", from, to);
  // No function has written anything: there is no such group.
  if (!rows && rows.error().code != Errc::kNotFound) return rows.error();
  std::vector<advisor::FunctionUse> all;
  std::set<std::string> seen;
  for (const auto& function : config.functions) {
    if (!seen.insert(function.name).second) continue;  // a version of one that was there
    advisor::FunctionUse use;
    use.name = function.name;
    use.memory_mb = static_cast<std::int64_t>(function.memory_mb);
    if (rows) {
      for (const auto& row : *rows) {
        const auto log = row.find("@log");
        if (log == row.end() || !log->second.ends_with("/aws/lambda/" + function.name)) continue;
        use.used_mb = number_of(row, "used") / 1e6;
        use.reports = static_cast<std::uint64_t>(number_of(row, "reports"));
      }
    }
    all.push_back(std::move(use));
  }
  return all;
}

// By what was billed of each invocation, with the memory that it had then.
Result<advisor::Spent> spent(logs::insights::Insights& insights, base::TimePoint from, base::TimePoint to) {
  auto rows =
      rows_of(insights, "/aws/lambda/",
              "filter @type = \"REPORT\" | stats count(*) as invocations, sum(@billedDuration * @memorySize) as "
              "byte_milliseconds",
              from, to);
  if (!rows && rows.error().code != Errc::kNotFound) return rows.error();
  advisor::Spent all;
  if (rows && !rows->empty()) {
    all.invocations = number_of(rows->front(), "invocations");
    // Lambda's megabytes are 10^6 bytes in logs, and 1,024 of them are a gigabyte on the bill.
    all.gigabyte_seconds = number_of(rows->front(), "byte_milliseconds") / 1e6 / 1024 / 1000;
  }
  return all;
}

Result<std::vector<advisor::SlowStatement>> slow_statements(logs::insights::Insights& insights, base::TimePoint from,
                                                            base::TimePoint to) {
  auto rows =
      rows_of(insights, "/aws/rds/cluster/",
              "filter ispresent(statement) | stats count(*) as times, avg(@duration) as average, max(@duration) "
              "as slowest, sum(@duration) as whole by statement | sort whole desc | limit 100",
              from, to);
  if (!rows) {
    if (rows.error().code == Errc::kNotFound) return std::vector<advisor::SlowStatement>{};
    return rows.error();
  }
  std::vector<advisor::SlowStatement> all;
  for (const auto& row : *rows) {
    const auto statement = row.find("statement");
    all.push_back({statement == row.end() ? "" : statement->second, static_cast<std::uint64_t>(number_of(row, "times")),
                   number_of(row, "average"), number_of(row, "slowest")});
  }
  return all;
}

// --- topics ---------------------------------------------------------------------------------------------------------

std::vector<advisor::Topic> topics_reached(const notify::Notify& notify, base::TimePoint now) {
  const auto oldest = base::iso8601_millis(now - kReachable);
  std::map<std::string, std::string> reached;  // by subscription: when last
  if (auto lines = notify.deliveries(kDeliveries)) {
    for (const auto& line : *lines) {
      const auto at = line["at"].string_or("");
      if (line["status"].string_or("") != "SUCCESS" || at < oldest) continue;
      if (line["notification"]["type"].string_or("") != "Notification") continue;  // nobody was told by a confirmation
      reached[std::string(line["delivery"]["subscriptionArn"].string_or(""))] = at;
    }
  }
  const auto status = notify.status();
  std::vector<advisor::Topic> topics;
  for (const auto& one : status.topics) {
    advisor::Topic topic;
    topic.arn = one.arn;
    for (const auto& subscription : status.subscriptions) {
      if (subscription.topic_arn != one.arn) continue;
      if (!subscription.confirmed) ++topic.pending;
      if (!subscription.confirmed) continue;
      ++topic.receivers;
      if (const auto found = reached.find(subscription.arn); found != reached.end()) {
        ++topic.reached;
        topic.delivered = std::max(topic.delivered, found->second);
      } else if (!subscription.trouble.empty()) {
        topic.trouble = fmt::format("{}: {}", subscription.endpoint, subscription.trouble);
      }
    }
    topics.push_back(std::move(topic));
  }
  return topics;
}

}  // namespace

advisor::Facts Rooms::facts(advisor::Gate gate, std::chrono::seconds window, std::chrono::seconds freshness) {
  advisor::Facts facts;
  facts.now = base::system_clock().now();
  facts.window = window;
  facts.freshness = freshness;
  facts.series = &metrics_->series();
  if (load_runs_) facts.runs = load_runs_->all();
  for (const auto& [scheme, port] : {std::pair{"http", settings_.http_port}, {"https", settings_.https_port}}) {
    facts.addresses.push_back(settings_.url(scheme, port));
  }
  std::shared_ptr<const functions::Config> functions;
  {
    const std::lock_guard lock(mutex_);
    note_configuration();  // alarms and topics change without being told here
    facts.configuration = configuration_in_force();
    facts.deployed = deployed_;
    functions = applied_.functions;
    if (const auto* earlier = generations_->earlier()) facts.earlier_configuration = earlier->name();
  }
  if (gate == advisor::Gate::kPreDeploy) {
    facts.alarms = alarms_->list({});
    facts.topics = topics_reached(*notify_, facts.now);
    facts.dashboards = dashboards_->list();
    facts.rehearsal = last_rehearsal();
  }
  if (gate == advisor::Gate::kMonthly) {
    facts.functions = functions_used(*insights_, *functions, facts.now - window, facts.now);
    facts.slow_statements = slow_statements(*insights_, facts.now - window, facts.now);
    facts.spent = spent(*insights_, facts.now - window, facts.now);
    facts.spent_before = spent(*insights_, facts.now - 2 * window, facts.now - window);
  }
  return facts;
}

// To every topic that an alarm acts on and whose subscribers no message reached within a day. {"sent": n}
Result<Json> Rooms::send_test_notifications() {
  std::set<std::string> wanted;
  for (const auto& alarm : alarms_->list({})) {
    wanted.insert(alarm.definition.alarm_actions.begin(), alarm.definition.alarm_actions.end());
  }
  auto sent = Json::array();
  for (const auto& topic : topics_reached(*notify_, base::system_clock().now())) {
    if (!wanted.contains(topic.arn) || topic.receivers == 0 || topic.reached == topic.receivers) continue;
    auto id = notify_->publish(topic.arn, "SecureBase: test of this topic",
                               "This is a test: the gate before a deployment asks whether alarms reach somebody. "
                               "Nothing is wrong, and nothing has to be done.");
    if (!id) return Error{Errc::kUnavailable, fmt::format("{}: {}", topic.arn, id.error().message)};
    sent.push_back(topic.arn);
  }
  return Json::object({{"sent", std::move(sent)}});
}

}  // namespace securebase::platform
