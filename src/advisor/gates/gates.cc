#include "advisor/gates.h"

#include <algorithm>
#include <array>

#include "advisor/gates/checks.h"

namespace securebase::advisor {

namespace {

constexpr std::array kGates{Gate::kPreDeploy, Gate::kPostDeploy, Gate::kMonthly};

}  // namespace

std::string_view to_string(Gate gate) {
  switch (gate) {
    case Gate::kPreDeploy:
      return "pre-deploy";
    case Gate::kPostDeploy:
      return "post-deploy";
    case Gate::kMonthly:
      return "monthly";
  }
  return "";
}

std::optional<Gate> gate_from(std::string_view text) {
  for (const auto gate : kGates) {
    if (to_string(gate) == text) return gate;
  }
  return std::nullopt;
}

std::string_view to_string(Decision decision) {
  switch (decision) {
    case Decision::kPass:
      return "pass";
    case Decision::kFail:
      return "fail";
    case Decision::kInsufficient:
      return "insufficient evidence";
  }
  return "";
}

const std::vector<DeclaredCheck>& checks_of(Gate gate) {
  switch (gate) {
    case Gate::kPreDeploy:
      return pre_deploy_checks();
    case Gate::kPostDeploy:
      return post_deploy_checks();
    case Gate::kMonthly:
      break;
  }
  return monthly_checks();
}

std::vector<std::string> check_names() {
  std::vector<std::string> names;
  for (const auto gate : kGates) {
    for (const auto& declared : checks_of(gate)) names.push_back(fmt::format("{}/{}", to_string(gate), declared.id));
  }
  return names;
}

bool is_check(std::string_view name) {
  const auto names = check_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

GateReport check(Gate gate, const Facts& facts, const std::vector<Waiver>& waivers) {
  GateReport report;
  report.gate = gate;
  report.at = facts.now;
  report.configuration = facts.configuration;
  report.deployed = facts.deployed;
  for (const auto& declared : checks_of(gate)) {
    Check one;
    one.id = declared.id;
    one.title = declared.title;
    one.how = declared.how;
    declared.decide(facts, one);
    if (one.decision == Decision::kPass) {
      one.fix.clear();
    } else {
      if (one.fix.empty()) one.fix = one.decision == Decision::kFail ? declared.fix : declared.gather;
      const auto name = fmt::format("{}/{}", to_string(gate), declared.id);
      for (const auto& waiver : waivers) {
        if (waiver.check == name && waiver.until > facts.now) one.waiver = waiver;
      }
    }
    report.checks.push_back(std::move(one));
  }
  return report;
}

int exit_code(const GateReport& report) {
  constexpr int kPassed = 0;
  constexpr int kSomeFail = 1;
  constexpr int kNotEnoughEvidence = 3;
  int code = kPassed;
  for (const auto& one : report.checks) {
    if (one.counts_as_passed()) continue;
    if (one.decision == Decision::kFail) return kSomeFail;
    code = kNotEnoughEvidence;
  }
  return code;
}

std::string in_words(std::chrono::duration<double> time) {
  const double seconds = time.count();
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{:.1f} h", seconds / 3600);
  return fmt::format("{:.1f} days", seconds / 86'400);
}

std::vector<Of> whole_of_each(const monitoring::Series& series, std::string_view name_space, std::string_view metric,
                              std::string_view dimension, std::string_view statistic, base::TimePoint from,
                              base::TimePoint to) {
  monitoring::MetricFilter filter;
  filter.name_space = std::string(name_space);
  filter.name = std::string(metric);
  filter.dimensions.emplace_back(std::string(dimension), std::nullopt);
  std::vector<Of> all;
  for (auto& id : series.list(filter)) {
    if (id.dimensions.size() != 1) continue;
    auto name = id.dimensions.front().second;
    monitoring::MetricQuery query;
    query.metric = std::move(id);
    query.statistic = std::string(statistic);
    query.from = from;
    query.to = to;
    const bool by_minutes =
        std::chrono::floor<std::chrono::minutes>(from) == from && std::chrono::floor<std::chrono::minutes>(to) == to;
    query.period = by_minutes ? std::chrono::seconds{60} : std::chrono::seconds{1};
    auto point = series.whole(query);
    if (point && *point && (*point)->samples > 0) all.push_back({std::move(name), **point});
  }
  return all;
}

std::vector<Of> of_each(const monitoring::Series& series, std::string_view name_space, std::string_view metric,
                        std::string_view dimension, std::string_view statistic, base::TimePoint from,
                        base::TimePoint to) {
  return whole_of_each(series, name_space, metric, dimension, statistic, std::chrono::floor<std::chrono::minutes>(from),
                       std::chrono::ceil<std::chrono::minutes>(to));
}

double total(const std::vector<Of>& all) {
  double sum = 0;
  for (const auto& one : all) sum += one.point.value;
  return sum;
}

std::string not_ours(const Facts& facts, const LoadRun& run) {
  if (run.requests == 0) return "the load test made no requests";
  // Through the edge, or to the API beside it. Other traffic may have come too. Seconds are kept for three hours.
  constexpr std::chrono::seconds kSlack{2};  // what was counted is stored within this time
  const bool by_seconds = facts.now - run.began < std::chrono::hours{3};
  const base::TimePoint from = by_seconds ? std::chrono::floor<std::chrono::seconds>(run.began)
                                          : std::chrono::floor<std::chrono::minutes>(run.began);
  const base::TimePoint to = by_seconds ? std::chrono::ceil<std::chrono::seconds>(run.ended + kSlack)
                                        : std::chrono::ceil<std::chrono::minutes>(run.ended);
  const auto came = [&](std::string_view name_space, std::string_view metric, std::string_view dimension) {
    return total(whole_of_each(*facts.series, name_space, metric, dimension, "Sum", from, to));
  };
  const double here =
      std::max(came("AWS/CloudFront", "Requests", "DistributionId"), came("AWS/ApiGateway", "Count", "ApiName"));
  double due = 0.9;  // what failed on the way was not seen
  if (facts.now - run.ended < kSlack) {
    const std::chrono::duration<double> lasted = run.ended - run.began;
    due *=
        std::max(0.0, 1 - std::chrono::duration<double>(kSlack) / std::max(lasted, std::chrono::duration<double>(0.1)));
  }
  const double answered = static_cast<double>(run.requests) * (1 - run.errors_percent / 100);
  if (here > 0 && here >= due * answered) return "";
  return fmt::format(
      "of the load test's {} requests the platform saw at most {:.0f}: it was one of something else, or did not get "
      "through",
      run.requests, here);
}

bool aimed_here(const Facts& facts, const LoadRun& run) {
  // Both are this machine's own.
  const auto by_number = [](std::string url) {
    constexpr std::string_view kName = "://localhost";
    const auto at = url.find(kName);
    const auto end = at == std::string::npos ? at : at + kName.size();
    if (end != std::string::npos && (end == url.size() || url[end] == ':' || url[end] == '/')) {
      url.replace(at, kName.size(), "://127.0.0.1");
    }
    return url;
  };
  const auto target = by_number(run.target);
  return std::any_of(facts.addresses.begin(), facts.addresses.end(), [&](const std::string& one) {
    const auto address = by_number(one);
    return target.starts_with(address) && (target.size() == address.size() ||
                                           std::string_view("/?#").find(target[address.size()]) != std::string::npos);
  });
}

std::string_view words_of(RunVerdict verdict) {
  switch (verdict) {
    case RunVerdict::kNone:
      return "without thresholds";
    case RunVerdict::kPass:
      return "passed";
    case RunVerdict::kFail:
      return "failed";
    case RunVerdict::kInsufficient:
      return "too few samples for a verdict";
    case RunVerdict::kInvalid:
    case RunVerdict::kInterrupted:
      return to_string(verdict);
  }
  return "";
}

std::string why_undecided(const LoadRun& run) {
  switch (run.verdict) {
    case RunVerdict::kNone:
      return "the load test had no thresholds, so that it could not fail";
    case RunVerdict::kInsufficient:
      return "the load test had too few samples for its thresholds: a longer one tells";
    case RunVerdict::kInvalid:
      return "the load generator was late itself: its numbers say nothing";
    case RunVerdict::kInterrupted:
      return "the load test was interrupted";
    case RunVerdict::kPass:
    case RunVerdict::kFail:
      break;
  }
  return "";
}

std::string in_a_line(const LoadRun& run, base::TimePoint now) {
  auto line = fmt::format(
      "{} {}{}, {} ago for {}: {}, {} requests, {:.2f} % errors, p50 {:.1f}, p95 {:.1f}, p99 "
      "{:.1f} ms",
      run.tool, run.name.empty() ? run.scenario : fmt::format("{} {}", run.scenario, run.name),
      run.target.empty() ? "" : " of " + run.target, in_words(now - run.ended), in_words(run.ended - run.began),
      words_of(run.verdict), run.requests, run.errors_percent, run.p50_ms, run.p95_ms, run.p99_ms);
  if (run.users > 0)
    line += fmt::format(", {} users for {}", run.users, in_words(std::chrono::duration<double>(run.seconds)));
  if (run.scaling_seconds) line += fmt::format(", taken after {:.1f} s", *run.scaling_seconds);
  return line;
}

}  // namespace securebase::advisor
