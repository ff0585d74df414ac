#include <algorithm>
#include <array>
#include <cmath>

#include "advisor/gates/checks.h"
#include "base/file.h"

namespace securebase::advisor {

namespace {

// A thousand runs of the largest size.
constexpr std::size_t kFileBytes = std::size_t{32} << 20;
constexpr std::size_t kTextBytes = 2000;
constexpr std::size_t kMostFailed = 20;    // thresholds that a run is remembered to have crossed
constexpr std::size_t kFailedBytes = 200;  // of each

std::int64_t milliseconds_of(base::TimePoint time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}
base::TimePoint time_of(const base::Json& milliseconds) {
  return base::TimePoint{std::chrono::milliseconds{milliseconds.integer_or(0)}};
}

constexpr std::array kVerdicts{RunVerdict::kNone,         RunVerdict::kPass,    RunVerdict::kFail,
                               RunVerdict::kInsufficient, RunVerdict::kInvalid, RunVerdict::kInterrupted};

// nullopt: no such word.
std::optional<RunVerdict> run_verdict_from(const base::Json& run) {
  if (run["verdict"].is_null()) {  // a record of before there was a word
    if (!run["valid"].bool_or(false)) return RunVerdict::kInvalid;
    if (!run["passed"].is_bool()) return RunVerdict::kNone;
    return run["passed"].bool_or(false) ? RunVerdict::kPass : RunVerdict::kFail;
  }
  const auto* found = std::find_if(kVerdicts.begin(), kVerdicts.end(), [&run](RunVerdict verdict) {
    return to_string(verdict) == run["verdict"].string_or("");
  });
  return found == kVerdicts.end() ? std::nullopt : std::optional(*found);
}

// Finite and not negative, else 0: JSON has no infinity, and a report may have had no requests.
double number_of(const base::Json& json) {
  const double value = json.number_or(0);
  return std::isfinite(value) && value > 0 ? value : 0;
}

}  // namespace

std::string_view to_string(RunVerdict verdict) {
  switch (verdict) {
    case RunVerdict::kNone:
      return "none";
    case RunVerdict::kPass:
      return "pass";
    case RunVerdict::kFail:
      return "fail";
    case RunVerdict::kInsufficient:
      return "insufficient evidence";
    case RunVerdict::kInvalid:
      return "invalid";
    case RunVerdict::kInterrupted:
      return "interrupted";
  }
  return "none";
}

base::Json to_json(const LoadRun& run) {
  auto failed = base::Json::array();
  for (const auto& one : run.failed_thresholds) failed.push_back(one);
  auto json = base::Json::object({{"began_ms", milliseconds_of(run.began)},
                                  {"ended_ms", milliseconds_of(run.ended)},
                                  {"tool", run.tool},
                                  {"scenario", run.scenario},
                                  {"name", run.name},
                                  {"target", run.target},
                                  {"configuration", run.configuration},
                                  {"verdict", to_string(run.verdict)},
                                  {"failed_thresholds", std::move(failed)},
                                  {"requests", run.requests},
                                  {"errors_percent", run.errors_percent},
                                  {"p50_ms", run.p50_ms},
                                  {"p95_ms", run.p95_ms},
                                  {"p99_ms", run.p99_ms},
                                  {"users", run.users},
                                  {"seconds", run.seconds},
                                  {"limit_ms", run.limit_ms},
                                  {"rise_seconds", run.rise_seconds},
                                  {"report", run.report}});
  if (run.scaling_seconds) json.set("scaling_seconds", *run.scaling_seconds);
  return json;
}

Result<LoadRun> load_run_from(const base::Json& json) {
  LoadRun run;
  run.began = time_of(json["began_ms"]);
  run.ended = time_of(json["ended_ms"]);
  run.tool = json["tool"].string_or("");
  run.scenario = json["scenario"].string_or("");
  run.name = json["name"].string_or("");
  run.target = json["target"].string_or("");
  run.configuration = json["configuration"].string_or("");
  const auto verdict = run_verdict_from(json);
  if (!verdict) {
    return Error{Errc::kMalformed, fmt::format("a load run's verdict is pass, fail, insufficient evidence, invalid, "
                                               "interrupted or none, not \"{}\"",
                                               json["verdict"].string_or(""))};
  }
  run.verdict = *verdict;
  if (const auto* failed = json["failed_thresholds"].as_array()) {
    for (const auto& one : *failed) {
      if (run.failed_thresholds.size() == kMostFailed) break;
      run.failed_thresholds.emplace_back(one.string_or("").substr(0, kFailedBytes));
    }
  }
  const auto count = [&json](std::string_view name) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, json[name].integer_or(0)));
  };
  run.requests = count("requests");
  run.users = count("users");
  run.seconds = number_of(json["seconds"]);
  run.limit_ms = number_of(json["limit_ms"]);
  run.rise_seconds = number_of(json["rise_seconds"]);
  run.errors_percent = number_of(json["errors_percent"]);
  run.p50_ms = number_of(json["p50_ms"]);
  run.p95_ms = number_of(json["p95_ms"]);
  run.p99_ms = number_of(json["p99_ms"]);
  if (json["scaling_seconds"].is_number()) run.scaling_seconds = number_of(json["scaling_seconds"]);
  run.report = json["report"].string_or("");
  if (run.tool.empty() || run.scenario.empty() || run.ended < run.began || run.began.time_since_epoch().count() == 0) {
    return Error{Errc::kMalformed, "a load run has a tool, a scenario, and an end that is not before its beginning"};
  }
  for (const auto* text : {&run.tool, &run.scenario, &run.name, &run.target, &run.configuration, &run.report}) {
    if (text->size() > kTextBytes) {
      return Error{Errc::kLimit, fmt::format("texts of a load run have up to {} bytes", kTextBytes)};
    }
  }
  return run;
}

LoadRuns::LoadRuns(LoadRuns&& other) noexcept : file_(std::move(other.file_)), runs_(std::move(other.runs_)) {}

Result<LoadRuns> LoadRuns::open(std::filesystem::path file) {
  LoadRuns runs(std::move(file));
  if (!std::filesystem::exists(runs.file_)) return runs;
  auto text = base::read_file(runs.file_, kFileBytes);
  if (!text) return text.error();
  std::string_view rest(*text);
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) break;
    auto json = base::Json::parse(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (!json) continue;
    if (auto run = load_run_from(*json)) runs.runs_.push_back(std::move(*run));
  }
  return runs;
}

Result<Done> LoadRuns::add(LoadRun run) {
  const std::lock_guard lock(mutex_);
  auto next = runs_;
  next.push_back(std::move(run));
  if (next.size() > kMost) next.erase(next.begin(), next.end() - static_cast<std::ptrdiff_t>(kMost));
  // Some hundred KB at most, and seldom: whole, so that a crash cannot tear it.
  std::string text;
  for (const auto& one : next) {
    to_json(one).dump_to(text);
    text += '\n';
  }
  if (auto made = base::make_directory(file_.parent_path(), 0700); !made) return made;
  if (auto written = base::replace_file(file_, text, 0600); !written) return written;
  runs_ = std::move(next);
  return Done{};
}

std::vector<LoadRun> LoadRuns::all() const {
  const std::lock_guard lock(mutex_);
  return runs_;
}

}  // namespace securebase::advisor
