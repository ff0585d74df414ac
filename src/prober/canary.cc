#include "prober/canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace securebase::prober {

namespace {

using base::Json;
using std::chrono::milliseconds;

constexpr std::size_t kNameBytes = 64;
constexpr std::size_t kReasonBytes = 400;
constexpr std::size_t kReportedSteps = 20;
constexpr std::array<std::string_view, 3> kKinds{"http", "script", "load"};  // in Canary::Kind's order

Error malformed_step(std::string message) { return {Errc::kMalformed, std::move(message)}; }

std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  return std::string(text.substr(0, most)) + "...";
}

Json map_json(const std::map<std::string, std::string>& map) {
  auto json = Json::object();
  for (const auto& [name, value] : map) json.set(name, value);
  return json;
}
std::map<std::string, std::string> map_from(const Json& json) {
  std::map<std::string, std::string> map;
  if (const auto* members = json.as_object()) {
    for (const auto& [name, value] : *members) map.emplace(name, value.string_or(""));
  }
  return map;
}

Json step_json(const HttpStep& step) {
  auto statuses = Json::array();
  for (const int status : step.statuses) statuses.push_back(status);
  return Json::object({{"name", step.name},
                       {"url", step.url},
                       {"method", step.method},
                       {"headers", map_json(step.headers)},
                       {"body", step.body},
                       {"status", std::move(statuses)},
                       {"contains", step.contains},
                       {"within_ms", std::int64_t{step.within.count()}}});
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Result<std::vector<int>> statuses_from(const Json& json) {
  std::vector<int> statuses;
  const Json::Array one{json};
  const auto* list = json.is_number() ? &one : json.as_array();
  if (json.is_null()) return statuses;
  if (!list) return malformed_step("\"status\" is a number, or a list of numbers");
  for (const auto& status : *list) {
    const auto number = status.integer_or(0);
    if (number < 100 || number > 599) return malformed_step("\"status\" is a number from 100 to 599");
    statuses.push_back(static_cast<int>(number));
  }
  return statuses;
}

Result<Done> take_headers(const Json& json, HttpStep& step) {
  if (json.is_null()) return Done{};
  const auto* members = json.as_object();
  if (!members) return malformed_step("\"headers\" is an object of texts");
  for (const auto& [name, value] : *members) {
    const auto* text = value.as_string();
    if (!is_token(name) || !text || text->find_first_of("\r\n") != std::string::npos) {
      return malformed_step(fmt::format("\"{}\" is no header with a text on one line", cut(name, kNameBytes)));
    }
    step.headers[name] = *text;
  }
  return Done{};
}

Result<HttpStep> step_from(const Json& json) {
  constexpr std::array<std::string_view, 8> kMembers{"name", "url",    "method",   "headers",
                                                     "body", "status", "contains", "within_ms"};
  const auto* members = json.as_object();
  if (!members) return malformed_step("a step is an object");
  for (const auto& [name, value] : *members) {
    if (std::find(kMembers.begin(), kMembers.end(), name) == kMembers.end()) {
      return malformed_step(
          fmt::format("a step has no member \"{}\", only {}", cut(name, kNameBytes), fmt::join(kMembers, ", ")));
    }
  }
  HttpStep step;
  step.name = json["name"].string_or("");
  step.url = json["url"].string_or("");
  step.method = json["method"].string_or("GET");
  step.body = json["body"].string_or("");
  step.contains = json["contains"].string_or("");
  step.within = milliseconds{json["within_ms"].integer_or(step.within.count())};
  if (step.name.empty() || step.name.size() > kNameBytes) {
    return malformed_step(fmt::format("a step has a \"name\" of 1 to {} bytes", kNameBytes));
  }
  const bool known = step.url.starts_with('/') || step.url.starts_with("http://") || step.url.starts_with("https://");
  const bool visible = std::all_of(step.url.begin(), step.url.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!known || !visible)
    return malformed_step(fmt::format("the \"url\" of {} is http://, https:// or a /path", step.name));
  if (!is_token(step.method)) return malformed_step(fmt::format("the \"method\" of {} is a word", step.name));
  if (step.within < milliseconds{1} || step.within > milliseconds{840'000}) {
    return malformed_step(fmt::format("\"within_ms\" of {} is 1 to 840000", step.name));
  }
  auto statuses = statuses_from(json["status"]);
  if (!statuses) return statuses.error().within(step.name);
  step.statuses = std::move(*statuses);
  if (auto taken = take_headers(json["headers"], step); !taken) return taken.error().within(step.name);
  return step;
}

Json step_result_json(const StepResult& step) {
  return Json::object({{"name", cut(step.name, kNameBytes)},
                       {"passed", step.passed},
                       {"duration_ms", std::int64_t{step.duration.count()}},
                       {"reason", cut(step.reason, kReasonBytes)}});
}

std::vector<StepResult> step_results_from(const Json& json) {
  std::vector<StepResult> steps;
  if (const auto* list = json.as_array()) {
    for (const auto& one : *list) {
      if (steps.size() == kReportedSteps) break;
      steps.push_back({cut(one["name"].string_or(""), kNameBytes), one["passed"].bool_or(false),
                       milliseconds{std::max<std::int64_t>(0, one["duration_ms"].integer_or(0))},
                       cut(one["reason"].string_or(""), kReasonBytes)});
    }
  }
  return steps;
}

std::uint32_t count_from(const Json& json) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(json.integer_or(0), 0, 1'000'000));
}

void take_counts(const Json& json, CanaryRun& run) {
  run.answers_2xx = count_from(json["2xx"]);
  run.answers_4xx = count_from(json["4xx"]);
  run.answers_5xx = count_from(json["5xx"]);
  run.failed_requests = count_from(json["failed_requests"]);
}

Json run_json(const CanaryRun& run) {
  auto steps = Json::array();
  for (std::size_t i = 0; i < run.steps.size() && i < kReportedSteps; ++i)
    steps.push_back(step_result_json(run.steps[i]));
  return Json::object({{"canary", run.canary},
                       {"id", run.id},
                       {"begin", std::int64_t{run.begin.time_since_epoch().count()}},
                       {"duration_ms", std::int64_t{run.duration.count()}},
                       {"passed", run.passed},
                       {"executed", run.executed},
                       {"reason", cut(run.reason, kReasonBytes)},
                       {"2xx", std::uint64_t{run.answers_2xx}},
                       {"4xx", std::uint64_t{run.answers_4xx}},
                       {"5xx", std::uint64_t{run.answers_5xx}},
                       {"failed_requests", std::uint64_t{run.failed_requests}},
                       {"steps", std::move(steps)}});
}

}  // namespace

Result<std::vector<HttpStep>> parse_steps(std::string_view text) {
  auto json = Json::parse(text);
  if (!json) return json.error();
  const auto* list = (*json)["steps"].as_array();
  if (!list || list->empty() || list->size() > kMostSteps) {
    return malformed_step(fmt::format("HTTP checks are {{\"steps\": [...]}} with 1 to {} steps", kMostSteps));
  }
  std::vector<HttpStep> steps;
  for (const auto& one : *list) {
    auto step = step_from(one);
    if (!step) return step.error();
    steps.push_back(std::move(*step));
  }
  return steps;
}

std::string to_text(const Canaries& canaries) {
  auto all = Json::array();
  for (const auto& canary : canaries.all) {
    auto steps = Json::array();
    for (const auto& step : canary.steps) steps.push_back(step_json(step));
    all.push_back(Json::object({{"name", canary.name},
                                {"schedule", canary.schedule},
                                {"kind", kKinds[static_cast<std::size_t>(canary.kind)]},
                                {"steps", std::move(steps)},
                                {"code", canary.code.native()},
                                {"handler", canary.handler},
                                {"environment", map_json(canary.environment)},
                                {"timeout_s", std::int64_t{canary.timeout.count()}},
                                {"memory_mb", std::uint64_t{canary.memory_mb}},
                                {"started", std::int64_t{canary.started.time_since_epoch().count()}}}));
  }
  const auto& shop = canaries.workshop;
  auto text = Json::object({{"base_url", shop.base_url},
                            {"tools", shop.tools.native()},
                            {"node", shop.node},
                            {"chromium", shop.chromium},
                            {"user", shop.user},
                            {"work", shop.work.native()},
                            {"programs", shop.programs.native()},
                            {"canaries", std::move(all)}})
                  .dump(1);
  return text + "\n";
}

Result<Canaries> canaries_from(std::string_view text) {
  auto json = Json::parse(text);
  if (!json) return json.error();
  Canaries canaries;
  auto& shop = canaries.workshop;
  shop.base_url = (*json)["base_url"].string_or("");
  shop.tools = (*json)["tools"].string_or("");
  shop.node = (*json)["node"].string_or("");
  shop.chromium = (*json)["chromium"].string_or("");
  shop.user = (*json)["user"].string_or("nobody");
  shop.work = (*json)["work"].string_or("");
  shop.programs = (*json)["programs"].string_or("");
  const auto* all = (*json)["canaries"].as_array();
  if (!all) return Error{Errc::kMalformed, "the prober's canaries are a list"};
  for (const auto& one : *all) {
    Canary canary;
    canary.name = one["name"].string_or("");
    canary.schedule = one["schedule"].string_or("");
    const auto kind = std::find(kKinds.begin(), kKinds.end(), one["kind"].string_or(""));
    if (kind == kKinds.end()) return Error{Errc::kMalformed, "the kind of a canary is http, script or load"};
    canary.kind = static_cast<Canary::Kind>(kind - kKinds.begin());
    if (const auto* steps = one["steps"].as_array()) {
      for (const auto& step : *steps) {
        auto read = step_from(step);
        if (!read) return read.error();
        canary.steps.push_back(std::move(*read));
      }
    }
    canary.code = one["code"].string_or("");
    canary.handler = one["handler"].string_or("");
    canary.environment = map_from(one["environment"]);
    canary.timeout = std::chrono::seconds{one["timeout_s"].integer_or(60)};
    canary.memory_mb = static_cast<std::size_t>(one["memory_mb"].integer_or(1000));
    canary.started = base::TimePoint{std::chrono::microseconds{one["started"].integer_or(0)}};
    canaries.all.push_back(std::move(canary));
  }
  return canaries;
}

std::string to_line(const CanaryRun& run) {
  std::string line = run_json(run).dump();
  if (line.size() + 1 > kRunBytes) {  // reasons full of what JSON escapes
    CanaryRun shorter = run;
    shorter.steps.clear();
    line = run_json(shorter).dump();
  }
  return line + "\n";
}

std::optional<CanaryRun> run_from(std::string_view line) {
  const auto json = Json::parse(line);
  if (!json || (*json)["canary"].string_or("").empty() || !(*json)["begin"].is_integer()) return std::nullopt;
  CanaryRun run;
  run.canary = (*json)["canary"].string_or("");
  run.id = (*json)["id"].string_or("");
  run.begin = base::TimePoint{std::chrono::microseconds{(*json)["begin"].integer_or(0)}};
  run.duration = milliseconds{std::max<std::int64_t>(0, (*json)["duration_ms"].integer_or(0))};
  run.passed = (*json)["passed"].bool_or(false);
  run.executed = (*json)["executed"].bool_or(true);
  run.reason = (*json)["reason"].string_or("");
  run.steps = step_results_from((*json)["steps"]);
  take_counts(*json, run);
  return run;
}

void take_report(std::string_view output, int exit_code, CanaryRun& run) {
  std::size_t at = output.rfind(kReportMark);
  if (at != std::string_view::npos && (at == 0 || output[at - 1] == '\n')) {
    auto line = output.substr(at + kReportMark.size());
    line = line.substr(0, line.find('\n'));
    if (const auto json = Json::parse(line)) {
      run.passed = exit_code == 0 && (*json)["passed"].bool_or(false);
      run.executed = (*json)["executed"].bool_or(true);
      run.reason = cut((*json)["reason"].string_or(""), kReasonBytes);
      run.steps = step_results_from((*json)["steps"]);
      take_counts(*json, run);
      return;
    }
  }
  run.passed = false;
  run.executed = false;
  const auto tail = output.size() > kReasonBytes ? output.substr(output.size() - kReasonBytes) : output;
  run.reason = fmt::format("the script's process ended with {} and no report: {}", exit_code, tail);
}

}  // namespace securebase::prober
