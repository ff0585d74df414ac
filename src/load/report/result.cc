#include "load/report/result.h"

#include <fmt/format.h>

#include "load/measure/measured_json.h"
#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

using base::Json;

Json to_json(const Generator& generator) {
  return Json::object({{"arrivals", generator.arrivals},
                       {"skipped", generator.skipped},
                       {"overflowed", generator.overflowed},
                       {"unfinished", generator.unfinished},
                       {"own_failures", generator.own_failures},
                       {"busiest_thread", generator.busiest_worker},
                       {"cpu_seconds", generator.cpu_seconds},
                       {"wall_seconds", generator.wall_seconds},
                       {"lateness_p99_ms", generator.lateness_ms.percentile(99).value_or(0)},
                       {"lag_p99_ms", generator.lag_ms.percentile(99).value_or(0)},
                       {"lateness_ms", sketch_to_json(generator.lateness_ms)},
                       {"lag_ms", sketch_to_json(generator.lag_ms)}});
}

Result<Generator> generator_from_json(const Json& json) {
  Generator generator;
  const auto count = [&](std::string_view name) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, json[name].integer_or(0)));
  };
  generator.arrivals = count("arrivals");
  generator.skipped = count("skipped");
  generator.overflowed = count("overflowed");
  generator.unfinished = count("unfinished");
  generator.own_failures = count("own_failures");
  generator.busiest_worker = json["busiest_thread"].number_or(0);
  generator.cpu_seconds = json["cpu_seconds"].number_or(0);
  generator.wall_seconds = json["wall_seconds"].number_or(0);
  for (auto [name, sketch] : {std::pair{"lateness_ms", &generator.lateness_ms}, {"lag_ms", &generator.lag_ms}}) {
    if (json[name].is_null()) continue;
    auto read = sketch_from_json(json[name]);
    if (!read) return read.error().within(name);
    *sketch = std::move(*read);
  }
  return generator;
}

Verdict verdict_of(std::string_view text) {
  for (const Verdict verdict : {Verdict::kPass, Verdict::kFail}) {
    if (to_string(verdict) == text) return verdict;
  }
  return Verdict::kInsufficient;
}

Result<Judged> judged_from_json(const Json& json) {
  auto threshold = parse_threshold(json["expression"].string_or(""));
  if (!threshold) return threshold.error();
  Judged judged;
  judged.threshold = std::move(*threshold);
  judged.measured = json["measured"].number_or(0);
  judged.samples = static_cast<std::uint64_t>(std::max<std::int64_t>(0, json["samples"].integer_or(0)));
  judged.needed = static_cast<std::uint64_t>(std::max<std::int64_t>(0, json["samples_needed"].integer_or(0)));
  judged.verdict = verdict_of(json["verdict"].string_or(""));
  judged.doubt = json["doubt"].string_or("");
  return judged;
}

}  // namespace

std::string RunResult::verdict() const {
  if (interrupted) return "interrupted";
  if (!valid()) return "invalid";
  if (thresholds.empty() && checks.empty()) return "none";
  Verdict worst = Verdict::kPass;
  const auto consider = [&](Verdict verdict) {
    if (verdict == Verdict::kFail || (verdict == Verdict::kInsufficient && worst == Verdict::kPass)) worst = verdict;
  };
  for (const auto& judged : thresholds) consider(judged.verdict);
  for (const auto& check : checks) consider(check.verdict);
  return std::string(to_string(worst));
}

int exit_code(const RunResult& result) {
  const auto verdict = result.verdict();
  if (verdict == "interrupted") return kInterrupted;
  if (verdict == "invalid") return kInvalid;
  if (verdict == "fail") return kCrossed;
  if (verdict == "insufficient evidence") return kNoEvidence;
  return kPassed;
}

Json to_json(const RunResult& result) {
  auto reasons = Json::array();
  for (const auto& reason : result.invalid_because) reasons.push_back(reason);
  auto thresholds = Json::array();
  for (const auto& judged : result.thresholds) thresholds.push_back(to_json(judged));
  auto checks = Json::array();
  for (const auto& check : result.checks) {
    checks.push_back(Json::object({{"name", check.name}, {"seen", check.seen}, {"verdict", to_string(check.verdict)}}));
  }
  const auto summary = summarise(result.measured.values, result.measured.duration);
  auto json = Json::object({{"format", kResultFormat},
                            {"tool", result.tool},
                            {"scenario", result.scenario},
                            {"target", result.target},
                            {"model", result.open ? "open" : "closed"},
                            {"started", base::iso8601_millis(result.started)},
                            {"started_us", std::int64_t{result.started.time_since_epoch().count()}},
                            {"verdict", result.verdict()},
                            {"valid", result.valid()},
                            {"interrupted", result.interrupted}});
  json.set("invalid_because", std::move(reasons));
  json.set("thresholds", std::move(thresholds));
  json.set("checks", std::move(checks));
  json.set("settings", result.settings);
  json.set("summary", to_json(summary, result.measured.values));
  if (!result.findings.is_null()) json.set("findings", result.findings);
  if (!result.hops.is_null()) json.set("hops", result.hops);
  json.set("generator", to_json(result.generator));
  json.set("measured", to_json(result.measured));
  return json;
}

Result<RunResult> result_from_json(const Json& json) {
  if (json["format"].string_or("") != kResultFormat) {
    return Error{Errc::kMalformed,
                 fmt::format("\"format\" is \"{}\", and {} was expected: a file that `securebase load "
                             "run --json FILE` wrote",
                             json["format"].string_or("missing"), kResultFormat)};
  }
  RunResult result;
  result.tool = json["tool"].string_or("");
  result.scenario = json["scenario"].string_or("");
  result.target = json["target"].string_or("");
  result.open = json["model"].string_or("") == "open";
  result.started = base::TimePoint{std::chrono::microseconds{json["started_us"].integer_or(0)}};
  result.interrupted = json["interrupted"].bool_or(false);
  result.settings = json["settings"];
  result.findings = json["findings"];
  result.hops = json["hops"];
  if (const auto* reasons = json["invalid_because"].as_array()) {
    for (const auto& reason : *reasons) result.invalid_because.emplace_back(reason.string_or(""));
  }
  if (const auto* thresholds = json["thresholds"].as_array()) {
    for (const auto& one : *thresholds) {
      auto judged = judged_from_json(one);
      if (!judged) return judged.error();
      result.thresholds.push_back(std::move(*judged));
    }
  }
  if (const auto* checks = json["checks"].as_array()) {
    for (const auto& check : *checks) {
      result.checks.push_back({std::string(check["name"].string_or("")), std::string(check["seen"].string_or("")),
                               verdict_of(check["verdict"].string_or(""))});
    }
  }
  auto generator = generator_from_json(json["generator"]);
  if (!generator) return generator.error();
  result.generator = std::move(*generator);
  auto measured = measured_from_json(json["measured"]);
  if (!measured) return measured.error();
  result.measured = std::move(*measured);
  return result;
}

}  // namespace securebase::load
