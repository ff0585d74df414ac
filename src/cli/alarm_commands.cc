// `securebase alarms`: what is in which state and why, what was, and what an alarm would have done.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

using base::Json;

constexpr const char* kAlarmExamples =
    "  securebase alarms                              every alarm, its state, since when and why\n"
    "  securebase alarms --only ALARM --check         for scripts: exit code 1 while something is in ALARM\n"
    "  securebase alarms history securebase-prod-api-5xx\n"
    "  securebase alarms backtest securebase-prod-api-5xx --threshold 2 --over 7d\n"
    "                                                 what it would have done with another threshold\n"
    "  securebase alarms maintenance securebase-prod-api-5xx --for 2h";

constexpr const char* kBacktestExamples =
    "Nothing is changed and nobody is told.\n\n"
    "  securebase alarms backtest NAME                      one that there is, as it is\n"
    "  securebase alarms backtest NAME --threshold 2        the same with something in place of its own\n"
    "  securebase alarms backtest --file alarm.json         one in the form of `aws cloudwatch put-metric-alarm\n"
    "                                                       --cli-input-json`; - is standard input\n"
    "  securebase alarms backtest --namespace AWS/Lambda --metric-name Errors --dimensions Name=FunctionName,Value=f "
    "\\\n"
    "    --statistic Sum --period 60 --threshold 3 --evaluation-periods 5 --datapoints-to-alarm 3 --over 7d";

constexpr const char* kMaintenanceExamples =
    "States and history go on; what still is so when the window ends is told.\n\n"
    "  securebase alarms maintenance NAME --for 2h\n"
    "  securebase alarms maintenance NAME \"sat-sun 02:00-04:00\"\n"
    "  securebase alarms maintenance NAME none";

Style style_of(std::string_view state) {
  return state == "ALARM" ? Style::kRed : state == "OK" ? Style::kGreen : Style::kYellow;
}

// What an operator has to know besides the state.
std::string remarks(const Json& alarm) {
  std::string text;
  const auto add = [&text](std::string_view remark) { text += fmt::format(" [{}]", remark); };
  if (!alarm["actions_enabled"].bool_or(true)) add("actions are off");
  if (alarm["flapping"].bool_or(false)) add("flapping");
  if (const auto by = alarm["suppressed_by"].string_or(""); !by.empty()) add(fmt::format("nobody is told: {}", by));
  if (const auto window = alarm["maintenance"].string_or(""); !window.empty()) add(fmt::format("quiet {}", window));
  return text;
}

int list(const std::filesystem::path& state, const Json& question, bool as_json, bool check) {
  auto answer = platform::Control(state).ask("/alarms", question);
  if (!answer) return fail(answer.error());
  Table table({"STATE", "SINCE", "ALARM", "WHY"});
  std::size_t burning = 0;
  for (const auto& alarm : *(*answer)["alarms"].as_array()) {
    const auto in = text_of(alarm, "state");
    burning += in == "ALARM";
    table.add({{in, style_of(in)},
               {text_of(alarm, "since"), Style::kPlain},
               {text_of(alarm, "name"), Style::kPlain},
               {text_of(alarm, "reason") + remarks(alarm), Style::kPlain}});
  }
  if (as_json) {
    fmt::print("{}\n", answer->dump(2));
  } else {
    fmt::print("{}", table.text());
    if (const auto due = (*answer)["due_actions"].integer_or(0); due > 0) {
      fmt::print("\n{} messages are not handed over yet; `securebase notify` shows why\n", due);
    }
  }
  return check && burning > 0 ? kFailed : kDone;
}

int history(const std::filesystem::path& state, const Json& question, bool as_json) {
  auto answer = platform::Control(state).ask("/alarms", question);
  if (!answer) return fail(answer.error());
  if (as_json) {
    fmt::print("{}\n", answer->dump(2));
    return kDone;
  }
  Table table({"TIME", "KIND", "WHAT"});
  for (const auto& item : *(*answer)["history"].as_array()) {
    auto what = text_of(item, "summary");
    if (what.find(text_of(item, "alarm")) == std::string::npos) what = text_of(item, "alarm") + ": " + what;
    if (const auto reason = item["data"]["newState"]["stateReason"].string_or(""); !reason.empty()) {
      what += fmt::format(": {}", reason);
    }
    table.add({{text_of(item, "time"), Style::kPlain},
               {text_of(item, "kind"), Style::kDim},
               {std::move(what), Style::kPlain}});
  }
  fmt::print("{}", table.text());
  return kDone;
}

std::string duration_text(std::int64_t seconds) {
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  return fmt::format("{:.1f} h", static_cast<double>(seconds) / 3600);
}

void print_backtest(const Json& past, std::int64_t over_seconds) {
  fmt::print("{} from {} to {}, looked at {} times\n\n", text_of(past["definition"], "AlarmName"),
             text_of(past, "from"), text_of(past, "to"), past["evaluations"].integer_or(0));
  Table table({"TIME", "STATE", "WHY"});
  for (const auto& change : *past["changes"].as_array()) {
    const auto state = text_of(change, "state");
    table.add({{text_of(change, "time"), Style::kPlain},
               {state, style_of(state)},
               {text_of(change, "reason"), Style::kPlain}});
  }
  if (past["changes"].as_array()->empty()) {
    fmt::print(
        "It would have stayed in INSUFFICIENT_DATA: there are no samples of what it looks at. `aws cloudwatch\n"
        "list-metrics` has the names and dimensions that there are.\n");
    return;
  }
  const auto burning = past["seconds_in_alarm"].integer_or(0);
  fmt::print("{}\nIn ALARM {} times, {} in all ({:.1f} % of the time); messages sent: {}\n", table.text(),
             past["times_in_alarm"].integer_or(0), duration_text(burning),
             over_seconds > 0 ? 100.0 * static_cast<double>(burning) / static_cast<double>(over_seconds) : 0.0,
             past["notifications"].integer_or(0));
}

// "Name=FunctionName,Value=securebase-prod-auth"
Result<Json> dimensions_from(const std::vector<std::string>& texts) {
  auto all = Json::array();
  for (const auto& text : texts) {
    const auto comma = text.find(",Value=");
    if (!text.starts_with("Name=") || comma == std::string::npos) {
      return Error{Errc::kMalformed, fmt::format("--dimensions takes Name=...,Value=..., not \"{}\"", text)};
    }
    all.push_back(Json::object({{"Name", text.substr(5, comma - 5)}, {"Value", text.substr(comma + 7)}}));
  }
  return all;
}

// "securebase:hold=5m"
Result<Json> tags_from(const std::vector<std::string>& texts) {
  auto all = Json::array();
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{Errc::kMalformed, fmt::format("--tag takes key=value, not \"{}\"", text)};
    }
    all.push_back(Json::object({{"Key", text.substr(0, equals)}, {"Value", text.substr(equals + 1)}}));
  }
  return all;
}

struct BacktestOptions {
  std::string name;
  std::string file;
  std::string name_space, metric_name, statistic, unit, comparison, missing;
  std::vector<std::string> dimensions, tags;
  std::optional<std::int64_t> period, evaluation_periods, datapoints;
  std::optional<double> threshold;
  std::int64_t over = 86'400;
  std::int64_t until = 0;
  bool json = false;
};

Result<Json> members_of(const BacktestOptions& options) {
  auto members = Json::object();
  const auto set = [&](std::string_view member, const auto& value) {
    if constexpr (requires { value.has_value(); }) {
      if (value) members.set(member, *value);
    } else {
      if (!value.empty()) members.set(member, value);
    }
  };
  set("Namespace", options.name_space);
  set("MetricName", options.metric_name);
  const bool simple =
      std::set<std::string>{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}.contains(options.statistic);
  set(simple ? "Statistic" : "ExtendedStatistic", options.statistic);
  set("Unit", options.unit);
  set("Period", options.period);
  set("EvaluationPeriods", options.evaluation_periods);
  set("DatapointsToAlarm", options.datapoints);
  set("Threshold", options.threshold);
  set("ComparisonOperator", options.comparison);
  set("TreatMissingData", options.missing);
  if (!options.dimensions.empty()) {
    auto dimensions = dimensions_from(options.dimensions);
    if (!dimensions) return dimensions.error();
    members.set("Dimensions", std::move(*dimensions));
  }
  if (!options.tags.empty()) {
    auto tags = tags_from(options.tags);
    if (!tags) return tags.error();
    members.set("Tags", std::move(*tags));
  }
  return members;
}

// A new alarm that says nothing else is "Sum > threshold in one period of a minute".
void fill_in(Json& members) {
  const auto unless = [&](std::string_view member, Json value) {
    if (!members.find(member)) members.set(member, std::move(value));
  };
  if (!members.find("ExtendedStatistic")) unless("Statistic", "Sum");
  unless("Period", 60);
  unless("EvaluationPeriods", 1);
  unless("ComparisonOperator", "GreaterThanThreshold");
}

Result<Json> read_definition(const std::string& file) {
  Result<std::string> text = std::string();
  if (file == "-") {
    text = std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  } else {
    text = base::read_file(file);
  }
  if (!text) return text.error();
  auto json = Json::parse(*text);
  if (!json) return json.error().within(file);
  if (!json->is_object()) return Error{Errc::kMalformed, fmt::format("{}: expected an object of JSON", file)};
  return json;
}

int backtest(const std::filesystem::path& state, const BacktestOptions& options) {
  auto question = Json::object(
      {{"what", "backtest"}, {"name", options.name}, {"over_seconds", options.over}, {"until_seconds", options.until}});
  auto members = members_of(options);
  if (!members) return fail(members.error()), kUsage;
  if (!options.file.empty()) {
    auto definition = read_definition(options.file);
    if (!definition) return fail(definition.error());
    question.set("definition", std::move(*definition));
  } else if (options.name.empty()) {
    fill_in(*members);
  }
  question.set("members", std::move(*members));
  auto answer = platform::Control(state).ask("/alarms", question);
  if (!answer) return fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", answer->dump(2));
  } else {
    print_backtest(*answer, options.over);
  }
  return kDone;
}

int maintenance(const std::filesystem::path& state, const std::string& name, const std::string& window,
                std::int64_t for_seconds) {
  if (window.empty() == (for_seconds == 0)) {
    fmt::print(stderr, "error: say either a window, such as \"sat-sun 02:00-04:00\" or none, or --for 2h\n");
    return kUsage;
  }
  auto answer = platform::Control(state).ask(
      "/alarms",
      Json::object({{"what", "maintenance"}, {"name", name}, {"window", window}, {"for_seconds", for_seconds}}));
  if (!answer) return fail(answer.error());
  const auto set = (*answer)["maintenance"].string_or("");
  fmt::print("{}: {}\n", name,
             set.empty() ? "has no maintenance window" : fmt::format("nobody is told in {} (UTC)", set));
  if ((*answer)["from_stack"].bool_or(false)) {
    fmt::print(
        "The files declare this alarm: `securebase plan` shows the change as drift, the next apply takes it "
        "back.\n");
  }
  return kDone;
}

void add_backtest(CLI::App& parent, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<BacktestOptions>();
  auto* command = parent.add_subcommand("backtest", "What an alarm would have done over the past, before it is saved");
  command->footer(kBacktestExamples);
  auto* name = command->add_option("name", options->name, "An alarm that there is")->type_name("NAME");
  command->add_option("--file,--cli-input-json", options->file, "A definition in put-metric-alarm's form; - is stdin")
      ->type_name("FILE")
      ->excludes(name);
  command->add_option("--namespace", options->name_space, "The metric's namespace: AWS/Lambda");
  command->add_option("--metric-name", options->metric_name, "The metric's name: Errors");
  command->add_option("--dimensions", options->dimensions, "All its dimensions: Name=FunctionName,Value=f ...");
  command->add_option("--statistic,--extended-statistic", options->statistic, "Sum, Average, p95, TM(10%:90%), ...");
  command->add_option("--unit", options->unit, "Only samples of this unit");
  command->add_option("--period", options->period, "Seconds of a point");
  command->add_option("--evaluation-periods", options->evaluation_periods, "N: points that are looked at");
  command->add_option("--datapoints-to-alarm", options->datapoints, "M: points that have to breach");
  command->add_option("--threshold", options->threshold, "What a point is compared with");
  command->add_option("--comparison-operator", options->comparison, "GreaterThanThreshold, LessThanThreshold, ...");
  command->add_option("--treat-missing-data", options->missing, "missing, ignore, breaching or notBreaching");
  command->add_option("--tag", options->tags, "A setting: securebase:hold=5m; may be repeated")->type_name("KEY=VALUE");
  command->add_option("--over", options->over, "How much of the past: 90m, 24h, 7d; at most 31d")
      ->transform(durations())
      ->default_str("24h");
  command->add_option("--until", options->until, "It ends so long ago: 0s, 8h")->transform(durations());
  command->add_flag("--json", options->json, "For programs");
  add_state_option(*command, state);
  command->callback([=, &state, &chosen] { chosen = [=, &state] { return backtest(state, *options); }; });
}

}  // namespace

void add_alarm_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  struct Options {
    std::string only, prefix, name, window;
    std::int64_t since = 86'400, lasts = 0, most = 100;
    bool json = false, check = false, everything = false;
  };
  auto options = std::make_shared<Options>();

  auto* all = app.add_subcommand("alarms", "Alarms: which state, since when and why; history, backtests");
  all->footer(kAlarmExamples);
  all->require_subcommand(0, 1);
  all->add_option("--only", options->only, "OK, ALARM or INSUFFICIENT_DATA")->type_name("STATE");
  all->add_option("--prefix", options->prefix, "Those whose names begin with this");
  all->add_flag("--check", options->check, "Exit with 1 when one of them is in ALARM");
  all->add_flag("--json", options->json, "For programs");
  add_state_option(*all, state);
  all->callback([=, &state, &chosen] {
    if (!all->get_subcommands().empty()) return;
    chosen = [=, &state] {
      return list(state, Json::object({{"what", "list"}, {"state", options->only}, {"prefix", options->prefix}}),
                  options->json, options->check);
    };
  });

  auto* past = all->add_subcommand("history", "Changes of state, of one alarm or of all, oldest first");
  past->add_option("name", options->name, "An alarm; also one that was deleted")->type_name("NAME");
  past->add_option("--since", options->since, "How much of the past: 90m, 24h, 7d; it is kept for 14d")
      ->transform(durations())
      ->default_str("24h");
  past->add_option("--most", options->most, "At most so many, the newest")->capture_default_str();
  past->add_flag("--all", options->everything, "Also changes of the definition, and what was sent");
  past->add_flag("--json", options->json, "For programs");
  add_state_option(*past, state);
  past->callback([=, &state, &chosen] {
    chosen = [=, &state] {
      return history(state,
                     Json::object({{"what", "history"},
                                   {"name", options->name},
                                   {"since_seconds", options->since},
                                   {"most", options->most},
                                   {"everything", options->everything}}),
                     options->json);
    };
  });

  add_backtest(*all, state, chosen);

  auto* quiet = all->add_subcommand("maintenance", "Times in which nobody is told of an alarm");
  quiet->footer(kMaintenanceExamples);
  quiet->add_option("name", options->name, "The alarm")->required()->type_name("NAME");
  quiet->add_option("window", options->window, "Times in UTC, or none")->type_name("WINDOW");
  quiet->add_option("--for", options->lasts, "From now: 30m, 2h")->transform(durations());
  add_state_option(*quiet, state);
  quiet->callback([=, &state, &chosen] {
    chosen = [=, &state] { return maintenance(state, options->name, options->window, options->lasts); };
  });
}

}  // namespace securebase::cli
