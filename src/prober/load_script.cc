#include "prober/load_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace securebase::prober {

namespace {

using base::Json;
using std::chrono::milliseconds;

constexpr std::size_t kSteps = 20;

bool is_k6_script(std::string_view handler) { return handler.ends_with(".js") || handler.ends_with(".mjs"); }

milliseconds rounded(double value) {
  return milliseconds{std::isfinite(value) ? static_cast<std::int64_t>(std::clamp(value, 0.0, 1e9)) : 0};
}

// The last line that says something.
std::string_view last_line(std::string_view output) {
  const auto end = output.find_last_not_of(" \r\n\t");
  if (end == std::string_view::npos) return "";
  output = output.substr(0, end + 1);
  const auto newline = output.rfind('\n');
  return newline == std::string_view::npos ? output : output.substr(newline + 1);
}

// What is found out about a visit, whichever tool made it.
class Visit {
 public:
  explicit Visit(CanaryRun& run) : run_(run) {}

  void request(const std::string& name, int status, double duration_ms, bool expected, std::string_view error) {
    ++requests_;
    count(status, 1);
    auto* step = find(name);
    if (!step) return;
    step->duration += rounded(duration_ms);
    if (status == 0) {
      fail(*step, fmt::format("no answer{}{}", error.empty() ? "" : ": ", error));
    } else if (!expected && status >= 500) {
      fail(*step, fmt::format("status {}", status));
    } else if (!expected) {
      refused_.emplace_back(name, status);
    }
  }
  void check(const std::string& name, bool held) {
    checks_itself_ = true;
    if (!held) because(fmt::format("{} does not hold", name));
  }
  void count(int status, std::uint64_t times) {
    auto& where = status >= 500                   ? run_.answers_5xx
                  : status >= 400                 ? run_.answers_4xx
                  : status >= 200 && status < 300 ? run_.answers_2xx
                                                  : ignored_;
    if (status == 0) run_.failed_requests += static_cast<std::uint32_t>(times);
    where += static_cast<std::uint32_t>(std::min<std::uint64_t>(times, 1'000'000));
  }
  // The first reason is the one that is told.
  void because(std::string reason) {
    if (run_.reason.empty()) run_.reason = std::move(reason);
  }
  void asked(std::uint64_t requests) { requests_ += requests; }
  void checks_its_answers() { checks_itself_ = true; }
  StepResult* find(const std::string& name) {
    const auto found =
        std::find_if(run_.steps.begin(), run_.steps.end(), [&](const auto& one) { return one.name == name; });
    if (found != run_.steps.end()) return &*found;
    if (run_.steps.size() == kSteps) return nullptr;
    run_.steps.push_back({name, true, milliseconds{0}, ""});
    return &run_.steps.back();
  }
  void fail(StepResult& step, std::string reason) {
    step.passed = false;
    if (step.reason.empty()) step.reason = reason;
    because(fmt::format("{}: {}", step.name, reason));
  }

  void judge(int exit_code, std::string_view output) {
    if (!checks_itself_) {
      for (const auto& [name, status] : refused_) {
        if (auto* step = find(name)) fail(*step, fmt::format("status {}", status));
      }
    }
    if (run_.answers_5xx > 0 && only_counts_) because(fmt::format("{} answers were 5xx", run_.answers_5xx));
    if (run_.answers_4xx > 0 && only_counts_ && !checks_itself_) {
      because(fmt::format("{} answers were 4xx, and the script expects nothing else", run_.answers_4xx));
    }
    if (exit_code != 0) because(fmt::format("the script ended with {}: {}", exit_code, last_line(output)));
    if (requests_ == 0) because("the script asked nothing");
    run_.executed = true;
    run_.passed = run_.reason.empty();
  }
  // Single requests are not known, only how many had which status.
  void has_only_counts() { only_counts_ = true; }

 private:
  CanaryRun& run_;
  std::uint64_t requests_ = 0;
  std::uint32_t ignored_ = 0;
  bool checks_itself_ = false;
  bool only_counts_ = false;
  std::vector<std::pair<std::string, int>> refused_;  // unexpected 4xx
};

// The tool wrote nothing that can be read.
void take_nothing(int exit_code, std::string_view output, CanaryRun& run) {
  run.passed = false;
  run.executed = false;
  run.reason = fmt::format("the script could not be run: {}", last_line(output));
  if (output.empty()) run.reason = fmt::format("the script's process ended with {} and measured nothing", exit_code);
}

// Of Artillery's counters, "http.codes.404": 404.
int status_of(std::string_view code) {
  if (code.size() != 3) return -1;
  int status = 0;
  for (const char digit : code) {
    if (digit < '0' || digit > '9') return -1;
    status = 10 * status + (digit - '0');
  }
  return status;
}

void take_counter(const std::string& name, std::uint64_t times, Visit& visit) {
  constexpr std::string_view kCodes = "http.codes.";
  constexpr std::string_view kErrors = "errors.";
  constexpr std::string_view kExpect = "plugins.expect.";
  constexpr std::string_view kFailed = "plugins.expect.failed.";
  if (times == 0) return;
  if (name.starts_with(kCodes)) {
    if (const int status = status_of(std::string_view(name).substr(kCodes.size())); status > 0)
      visit.count(status, times);
  } else if (name == "http.requests") {
    visit.asked(times);
  } else if (name.starts_with(kErrors)) {
    visit.because(name.substr(kErrors.size()));
    if (name.find("Failed capture") == std::string::npos) visit.count(0, times);
  } else if (name.starts_with(kExpect)) {
    visit.checks_its_answers();
    if (name.starts_with(kFailed)) visit.because(fmt::format("expected {} does not hold", name.substr(kFailed.size())));
  } else if (name == "vusers.failed") {
    visit.because("the visit broke off");
  }
}

}  // namespace

bool is_load_script(std::string_view handler) {
  return is_k6_script(handler) || handler.ends_with(".yml") || handler.ends_with(".yaml") || handler.ends_with(".json");
}

LoadTool load_tool_of(std::string_view handler) { return is_k6_script(handler) ? LoadTool::kK6 : LoadTool::kArtillery; }

std::filesystem::path load_program(LoadTool tool, const Workshop& workshop) {
  return workshop.programs / (tool == LoadTool::kK6 ? "securebase-k6" : "securebase");
}

std::vector<std::string> load_words(const Canary& canary, const Workshop& workshop,
                                    const std::filesystem::path& results) {
  const auto tool = load_tool_of(canary.handler);
  const auto program = load_program(tool, workshop).native();
  const auto script = (canary.code / canary.handler).native();
  if (tool == LoadTool::kK6) {
    // One iteration of the default function, whatever scenarios the script has.
    return {program,
            "run",
            "--vus",
            "1",
            "--iterations",
            "1",
            "--quiet",
            "--no-color",
            "--no-summary",
            "--out",
            "json=" + results.native(),
            script};
  }
  return {program,
          "artillery",
          "run",
          "--solo",
          "--quiet",
          "--overrides",
          R"({"config":{"plugins":{"metrics-by-endpoint":{}}}})",
          "--output",
          results.native(),
          script};
}

void take_k6_samples(std::string_view samples, int exit_code, std::string_view output, CanaryRun& run) {
  Visit visit(run);
  std::size_t read = 0;
  while (!samples.empty()) {
    const auto end = std::min(samples.find('\n'), samples.size());
    const auto line = samples.substr(0, end);
    samples.remove_prefix(std::min(end + 1, samples.size()));
    const auto json = Json::parse(line);
    if (!json || (*json)["type"].string_or("") != "Point") continue;
    ++read;
    const auto metric = (*json)["metric"].string_or("");
    const auto& data = (*json)["data"];
    const auto& tags = data["tags"];
    if (metric == "http_req_duration") {
      const auto status = status_of(tags["status"].string_or(""));
      visit.request(std::string(tags["name"].string_or("")), std::max(status, 0), data["value"].number_or(0),
                    tags["expected_response"].string_or("") == "true", tags["error"].string_or(""));
    } else if (metric == "checks") {
      visit.check(std::string(tags["check"].string_or("")), data["value"].number_or(0) != 0);
    }
  }
  if (read == 0) return take_nothing(exit_code, output, run);
  visit.judge(exit_code, output);
}

void take_artillery_report(std::string_view report, int exit_code, std::string_view output, CanaryRun& run) {
  const auto json = Json::parse(report);
  const auto* counters = json ? (*json)["aggregate"]["counters"].as_object() : nullptr;
  if (!counters) return take_nothing(exit_code, output, run);
  Visit visit(run);
  visit.has_only_counts();
  constexpr std::string_view kEndpoint = "plugins.metrics-by-endpoint.response_time.";
  if (const auto* summaries = (*json)["aggregate"]["summaries"].as_object()) {
    for (const auto& [name, summary] : *summaries) {
      if (!name.starts_with(kEndpoint)) continue;
      if (auto* step = visit.find(name.substr(kEndpoint.size()))) step->duration = rounded(summary["max"].number_or(0));
    }
  }
  for (const auto& [name, times] : *counters) {
    take_counter(name, static_cast<std::uint64_t>(std::max<std::int64_t>(0, times.integer_or(0))), visit);
  }
  constexpr std::string_view kByEndpoint = "plugins.metrics-by-endpoint.";
  constexpr std::string_view kCode = ".codes.";
  for (const auto& [name, times] : *counters) {
    const auto at = name.rfind(kCode);
    if (!name.starts_with(kByEndpoint) || at == std::string::npos) continue;
    const int status = status_of(std::string_view(name).substr(at + kCode.size()));
    auto* step = status >= 500 ? visit.find(name.substr(kByEndpoint.size(), at - kByEndpoint.size())) : nullptr;
    if (step) visit.fail(*step, fmt::format("status {}", status));
  }
  visit.judge(exit_code, output);
}

}  // namespace securebase::prober
