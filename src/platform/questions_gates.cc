// `securebase check`, `securebase rollback` and `securebase load runs`: what the gates know, and the way back.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "platform/rooms.h"

namespace securebase::platform {

namespace {

using base::Json;

constexpr std::chrono::seconds kQueryTime{10};
constexpr std::chrono::hours kReachable{24};  // a message that reached a subscriber within this time shows that it can
constexpr std::size_t kDeliveries = 10'000;

std::int64_t seconds_of(base::TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
base::TimePoint time_of(const Json& seconds) { return base::TimePoint{std::chrono::seconds{seconds.integer_or(0)}}; }

// --- logs -----------------------------------------------------------------------------------------------------------

// A query's rows as objects. Blocks until it is done.
Result<std::vector<std::map<std::string, std::string>>> rows_of(logs::insights::Insights& insights,
                                                                const std::string& group, const std::string& query,
                                                                base::TimePoint from, base::TimePoint to) {
  auto started = insights.ask(Json::object(
      {{"groups", Json::array({group})}, {"query", query}, {"begin", seconds_of(from)}, {"end", seconds_of(to)}}));
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
      if (subscription.topic_arn != one.arn || !subscription.confirmed) continue;
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

// --- rehearsals -----------------------------------------------------------------------------------------------------

std::optional<advisor::Rehearsal> read_rehearsal(const std::filesystem::path& file) {
  auto text = base::read_file(file, 1 << 16);
  auto json = text ? Json::parse(*text) : Result<Json>(text.error());
  if (!json) return std::nullopt;
  return advisor::Rehearsal{time_of((*json)["at"]), std::string((*json)["from"].string_or("")),
                            std::string((*json)["to"].string_or("")), std::string((*json)["summary"].string_or(""))};
}

Result<Done> write_rehearsal(const std::filesystem::path& file, const advisor::Rehearsal& rehearsal) {
  const auto json = Json::object({{"at", seconds_of(rehearsal.at)},
                                  {"from", rehearsal.from},
                                  {"to", rehearsal.to},
                                  {"summary", rehearsal.summary}});
  if (auto made = base::make_directory(file.parent_path(), 0700); !made) return made;
  return base::replace_file(file, json.dump(2) + "\n", 0600);
}

std::string name_of(const Generation& generation) {
  return fmt::format("generation {} ({})", generation.number, generation.digest);
}

}  // namespace

// --- which configuration is in force --------------------------------------------------------------------------------

Result<Done> Rooms::open_gates() {
  auto generations = Generations::open(state_.of("generations"));
  if (!generations) return generations.error();
  generations_.emplace(std::move(*generations));
  auto waivers = advisor::Waivers::open(state_.of("advisor") / "waivers.json");
  if (!waivers) return waivers.error();
  waivers_.emplace(std::move(*waivers));
  auto runs = advisor::LoadRuns::open(state_.of("advisor") / "load-runs.jsonl");
  if (!runs) return runs.error();
  load_runs_.emplace(std::move(*runs));
  return Done{};
}

// The files' own fingerprint would not tell what an API changed, so it is of the resources as they are in force.
std::string Rooms::configuration_in_force() const {
  const auto& files = generations_->all();
  const auto resources = stack::applied(*applied_.stack).to_json().dump();
  return base::hex(base::sha256((files.empty() ? "" : files.back().digest) + resources)).substr(0, 12);
}

// A change stands, whether it can be written down or not.
void Rooms::note_configuration(const StackSource* files) {
  const auto now = base::system_clock().now();
  if (files) {
    if (auto kept = generations_->keep(*files_, *files, now); !kept) {
      base::log(base::Level::kWarning, "platform", "there will be no way back to this configuration: {}",
                kept.error().message);
    }
  }
  const auto file = state_.of("advisor") / "in-force.json";
  const auto configuration = configuration_in_force();
  auto text = base::read_file(file, 1 << 16);
  auto json = text ? Json::parse(*text) : Result<Json>(text.error());
  if (json && (*json)["configuration"].string_or("") == configuration) {
    deployed_ = time_of((*json)["since"]);
    return;
  }
  deployed_ = now;
  auto made = base::make_directory(file.parent_path(), 0700);
  if (made) {
    made = base::replace_file(
        file, Json::object({{"configuration", configuration}, {"since", seconds_of(now)}}).dump() + "\n", 0600);
  }
  if (!made) base::log(base::Level::kWarning, "platform", "{}", made.error().message);
}

// --- gates ----------------------------------------------------------------------------------------------------------

advisor::Facts Rooms::facts(advisor::Gate gate, std::chrono::seconds window, std::chrono::seconds freshness) {
  advisor::Facts facts;
  facts.now = base::system_clock().now();
  facts.window = window;
  facts.freshness = freshness;
  facts.series = &metrics_->series();
  facts.runs = load_runs_->all();
  std::shared_ptr<const functions::Config> functions;
  {
    const std::lock_guard lock(mutex_);
    facts.configuration = configuration_in_force();
    facts.deployed = deployed_;
    functions = applied_.functions;
    if (const auto* earlier = generations_->earlier()) facts.earlier_configuration = name_of(*earlier);
  }
  if (gate == advisor::Gate::kPreDeploy) {
    facts.alarms = alarms_->list({});
    facts.topics = topics_reached(*notify_, facts.now);
    facts.dashboards = dashboards_->list();
    facts.rehearsal = read_rehearsal(state_.of("advisor") / "rehearsal.json");
  }
  if (gate == advisor::Gate::kMonthly) {
    facts.functions = functions_used(*insights_, *functions, facts.now - window, facts.now);
    facts.slow_statements = slow_statements(*insights_, facts.now - window, facts.now);
  }
  return facts;
}

Result<Json> Rooms::check(const Json& question) {
  const auto gate = advisor::gate_from(question["gate"].string_or(""));
  if (!gate) return Error{Errc::kMalformed, "which gate: pre-deploy, post-deploy or monthly?"};
  const std::chrono::hours usual{*gate == advisor::Gate::kMonthly ? 24 * 30 : 24};
  const std::chrono::seconds window{question["window_seconds"].integer_or(std::chrono::seconds{usual}.count())};
  const std::chrono::seconds freshness{question["fresh_seconds"].integer_or(86'400)};
  if (window < std::chrono::minutes{1} || window > std::chrono::days{200}) {
    return Error{Errc::kMalformed, "a window lies between one minute and 200 days: twice of it is kept"};
  }
  const auto report = advisor::check(*gate, facts(*gate, window, freshness), waivers_->all());
  return Json::object({{"report", advisor::to_json(report)},
                       {"text", advisor::render(report)},
                       {"junit", advisor::to_junit(report)},
                       {"markdown", advisor::to_markdown(report)},
                       {"exit_code", advisor::exit_code(report)}});
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

Result<Json> Rooms::waivers(const Json& question) {
  const auto what = question["what"].string_or("list");
  if (what == "add") {
    advisor::Waiver waiver;
    waiver.check = question["check"].string_or("");
    waiver.owner = question["owner"].string_or("");
    waiver.reason = question["reason"].string_or("");
    waiver.made = base::system_clock().now();
    waiver.until = waiver.made + std::chrono::seconds{question["for_seconds"].integer_or(0)};
    if (auto added = waivers_->add(std::move(waiver)); !added) return added.error();
  } else if (what == "remove") {
    if (auto removed = waivers_->remove(question["check"].string_or("")); !removed) return removed.error();
  } else if (what != "list") {
    return Error{Errc::kMalformed, "what about the waivers: list, add or remove?"};
  }
  auto list = Json::array();
  for (const auto& waiver : waivers_->all()) {
    list.push_back(Json::object({{"check", waiver.check},
                                 {"owner", waiver.owner},
                                 {"reason", waiver.reason},
                                 {"until", base::iso8601(waiver.until)},
                                 {"expired", waiver.until <= base::system_clock().now()}}));
  }
  return Json::object({{"waivers", std::move(list)}});
}

// What load tests tell: at their beginning which configuration they meet, at their end what came of it.
Result<Json> Rooms::load_runs(const Json& question) {
  const auto what = question["what"].string_or("list");
  if (what == "configuration") {
    const std::lock_guard lock(mutex_);
    return Json::object({{"configuration", configuration_in_force()}});
  }
  if (what == "add") {
    auto run = advisor::load_run_from(question["run"]);
    if (!run) return run.error();
    {
      const std::lock_guard lock(mutex_);
      if (run->configuration != configuration_in_force()) run->configuration.clear();  // it changed on the way
    }
    if (auto added = load_runs_->add(std::move(*run)); !added) return added.error();
    return Json::object();
  }
  if (what != "list") return Error{Errc::kMalformed, "what about load runs: list, configuration or add?"};
  auto list = Json::array();
  for (const auto& run : load_runs_->all()) list.push_back(advisor::to_json(run));
  const std::lock_guard lock(mutex_);
  return Json::object({{"runs", std::move(list)}, {"configuration", configuration_in_force()}});
}

// --- the way back ---------------------------------------------------------------------------------------------------

Result<Rooms::WayBack> Rooms::way_back(std::int64_t number) const {
  const auto* generation =
      number == 0 ? generations_->earlier() : generations_->find(static_cast<std::uint64_t>(number));
  if (!generation) {
    return Error{Errc::kNotFound,
                 number == 0 ? std::string("there is no earlier configuration to go back to: since the first start "
                                           "nothing else was applied")
                             : fmt::format("there is no generation {}; `securebase rollback --list` shows those that "
                                           "are kept",
                                           number)};
  }
  auto files = read(generations_->kept_source(*generation));
  if (!files) return files.error().within(name_of(*generation));
  auto next = wanted(std::move(*files), recorded_);
  if (!next) return next.error().within(name_of(*generation));
  auto changes = stack::diff(stack::applied(*applied_.stack), *next->configuration.stack);
  add_what_rooms_keep(changes, *next->configuration.stack);
  generations_->forget_places(changes);
  return WayBack{generation, std::move(*next), std::move(changes)};
}

Result<Json> Rooms::rollback(const Json& question) {
  const auto what = question["what"].string_or("");
  const std::lock_guard lock(mutex_);
  if (what == "list") {
    auto list = Json::array();
    for (const auto& one : generations_->all()) {
      list.push_back(Json::object({{"number", one.number},
                                   {"digest", one.digest},
                                   {"since", base::iso8601(one.since)},
                                   {"back_to", one.back_to},
                                   {"files", std::uint64_t{one.files.size()}},
                                   {"directory", one.source.directory.native()}}));
    }
    return Json::object({{"generations", std::move(list)}});
  }
  auto way = way_back(question["to"].integer_or(0));
  if (!way) return way.error();
  const auto& after = *way->wanted.configuration.stack;
  const auto text = stack::render_plan(way->changes, after);
  const auto fingerprint = base::hex(base::sha256(text)).substr(0, 16);
  if (what == "plan" || what == "rehearse") {
    const auto count = way->changes.changes.size();
    if (what == "rehearse") {
      const advisor::Rehearsal rehearsal{base::system_clock().now(), configuration_in_force(),
                                         name_of(*way->generation),
                                         fmt::format("every room took it; {} resources would change", count)};
      if (auto noted = write_rehearsal(state_.of("advisor") / "rehearsal.json", rehearsal); !noted)
        return noted.error();
    }
    return Json::object({{"text", text},
                         {"to", name_of(*way->generation)},
                         {"changes", std::uint64_t{count}},
                         {"fingerprint", fingerprint}});
  }
  if (what != "apply") return Error{Errc::kMalformed, "what about the way back: list, rehearse, plan or apply?"};
  if (question["fingerprint"].string_or("") != fingerprint) {
    return Error{Errc::kConflict, "the platform changed since the way back was shown; look again"};
  }
  const Generation back_to = *way->generation;
  if (auto done = go_over_to(std::move(way->wanted), nullptr); !done) return done.error();
  if (auto kept = generations_->keep_again(back_to, base::system_clock().now()); !kept) {
    base::log(base::Level::kWarning, "platform", "the rollback is not written down: {}", kept.error().message);
  }
  note_configuration(nullptr);
  return Json::object({{"to", name_of(back_to)}, {"directory", back_to.source.directory.native()}});
}

}  // namespace securebase::platform
