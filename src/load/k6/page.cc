#include "k6/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "k6/run.h"
#include "load/report/result_view.h"
#include "load/report/terminal.h"

namespace securebase::k6 {

namespace {

using load::ReportView;
using load::Value;
using load::Values;

constexpr std::size_t kMostChecks = 100;  // that the page lists, the failed ones first

std::string number_of(double number) { return fmt::format("{:.4g}", number); }

// A sample is in its metric's series, and once more in that of each part that it belongs to: so never their sum.
const Value* measured_value(const Values& values, std::string_view metric, const load::Tags& tags = {}) {
  const auto found = values.find({std::string(metric), tags});
  return found == values.end() ? nullptr : &found->second;
}

// Of a rate: how many were true.
double trues(const Values& values, std::string_view metric) {
  const auto* found = measured_value(values, metric);
  return found ? found->sum : 0;
}

double count_of(const Values& values, std::string_view metric) {
  const auto* found = measured_value(values, metric);
  return found ? static_cast<double>(found->count) : 0;
}

load::Distribution distribution_of(const Value* value) {
  return value && value->sketch.count() > 0 ? load::Distribution::of(value->sketch) : load::Distribution{};
}

void add_facts(const Values& values, Nanoseconds elapsed, ReportView& view) {
  const double seconds = std::max(seconds_of(elapsed), 1e-9);
  const double requests = count_of(values, "http_req_failed");
  view.facts.push_back(
      {"requests a second", fmt::format("{:.1f}", requests / seconds), fmt::format("{:.0f} requests", requests)});
  view.facts.push_back({"failed",
                        fmt::format("{:.3f} %", requests > 0 ? 100 * trues(values, "http_req_failed") / requests : 0),
                        "unexpected status, or no answer (http_req_failed)"});
  if (const auto* duration = measured_value(values, "http_req_duration"); duration && duration->sketch.count() > 0) {
    for (const auto& [label, percent] : {std::pair{"p95", 95.0}, {"p99", 99.0}}) {
      view.facts.push_back({label, load::duration_text(duration->sketch.percentile(percent).value_or(0)),
                            "http_req_duration: users wait for their answers"});
    }
  }
  const double iterations = trues(values, "iterations");
  view.facts.push_back(
      {"iterations", fmt::format("{:.0f}", iterations), fmt::format("{:.1f} a second", iterations / seconds)});
  if (const double checks = count_of(values, "checks"); checks > 0) {
    view.facts.push_back({"checks", fmt::format("{:.2f} %", 100 * trues(values, "checks") / checks),
                          fmt::format("of {:.0f} held", checks)});
  }
  if (const double dropped = trues(values, "dropped_iterations"); dropped > 0) {
    view.facts.push_back({"dropped iterations", fmt::format("{:.0f}", dropped), "no user was free when they were due"});
  }
}

void add_curves(const Metrics& metrics, const Values& values, ReportView& view) {
  const auto add = [&](const std::string& label, const Value* value) {
    auto distribution = distribution_of(value);
    if (distribution.count > 0) view.curves.push_back({label, std::move(distribution)});
  };
  for (const auto id : {Metrics::kHttpReqDuration, Metrics::kHttpReqWaiting, Metrics::kLatencyFromSchedule}) {
    add(metrics.at(id).name, measured_value(values, metrics.at(id).name));
  }
  for (std::size_t id = Metrics::kBuiltins; id < metrics.count(); ++id) {
    if (metrics.at(id).contains == Contains::kTime)
      add(metrics.at(id).name, measured_value(values, metrics.at(id).name));
  }
}

void add_timeline(const load::Timeline& timeline, ReportView& view) {
  for (const auto& slice : timeline.slices()) {
    if (slice.begin == slice.end) continue;
    ReportView::Moment moment;
    moment.begin_s = std::chrono::duration<double>(slice.begin).count();
    moment.end_s = std::chrono::duration<double>(slice.end).count();
    moment.requests = count_of(slice.values, "http_req_failed");
    moment.errors = trues(slice.values, "http_req_failed");
    moment.latency = distribution_of(measured_value(slice.values, "http_req_duration"));
    view.timeline.push_back(std::move(moment));
  }
}

// The slowest first, and last those that have no place of their own.
void add_endpoints(const std::vector<Endpoints::Total>& totals, ReportView& view) {
  for (const auto& total : totals) {
    ReportView::Endpoint endpoint;
    endpoint.name = total.name.empty() ? "others" : total.name;
    endpoint.requests = static_cast<double>(total.requests);
    endpoint.failed = static_cast<double>(total.failed);
    endpoint.latency = load::Distribution::of(total.duration_ms);
    view.endpoints.push_back(std::move(endpoint));
  }
  const bool others = !totals.empty() && totals.back().name.empty();
  std::stable_sort(view.endpoints.begin(), view.endpoints.end() - (others ? 1 : 0),
                   [](const auto& a, const auto& b) { return a.latency.at(95) > b.latency.at(95); });
}

// Parts of http_req_duration, "{status:200}": what thresholds ask for by tags, but for names that are there already.
void add_parts(const Metrics& metrics, const Values& values, ReportView& view) {
  const auto named = [&view](const load::Tags& tags) {
    return tags.size() == 1 && tags.front().first == "name" &&
           std::any_of(view.endpoints.begin(), view.endpoints.end(),
                       [&](const auto& endpoint) { return endpoint.name == tags.front().second; });
  };
  for (const auto& part : metrics.at(Metrics::kHttpReqDuration).parts) {
    if (part.tags.size() == 1 && part.tags.front().first == "expected_response") continue;  // there always
    if (named(part.tags)) continue;
    ReportView::Endpoint endpoint;
    endpoint.name = part.name.substr(std::min(part.name.find('{'), part.name.size()));
    endpoint.latency = distribution_of(measured_value(values, "http_req_duration", part.tags));
    endpoint.requests = static_cast<double>(endpoint.latency.count);
    if (const auto* failed = measured_value(values, "http_req_failed", part.tags)) endpoint.failed = failed->sum;
    if (endpoint.requests > 0) view.endpoints.push_back(std::move(endpoint));
  }
}

void add_checks(const base::Json& group, ReportView& view) {
  if (const auto* checks = group["checks"].as_array()) {
    for (const auto& check : *checks) {
      const auto passes = check["passes"].integer_or(0);
      const auto fails = check["fails"].integer_or(0);
      const auto path = check["path"].string_or("");
      view.checks.push_back(
          {std::string(path.substr(std::min<std::size_t>(path.starts_with("::") ? 2 : 0, path.size()))),
           fmt::format("{} of {} held", passes, passes + fails),
           fails == 0 ? ReportView::Verdict::kPass : ReportView::Verdict::kFail});
    }
  }
  if (const auto* groups = group["groups"].as_array()) {
    for (const auto& inner : *groups) add_checks(inner, view);
  }
}

void add_verdict(int code, bool has_thresholds, ReportView& view) {
  switch (code) {
    case exit_code::kDone:
      view.verdict = has_thresholds ? ReportView::Verdict::kPass : ReportView::Verdict::kNone;
      view.verdict_text = has_thresholds ? "pass" : "no thresholds";
      return;
    case exit_code::kThresholds:
      view.verdict = ReportView::Verdict::kFail;
      view.verdict_text = "fail";
      return;
    case exit_code::kInvalidRun:
      view.verdict = ReportView::Verdict::kUnknown;
      view.verdict_text = "invalid";
      return;
    default:
      view.verdict = ReportView::Verdict::kFail;
      view.verdict_text = fmt::format("exit code {}", code);
  }
}

}  // namespace

ReportView view_of(const PageFacts& facts, const Metrics& metrics, const Groups& groups,
                   const load::Measured& measured) {
  ReportView view;
  view.title = facts.script;
  view.tool = "k6 script";
  view.started = base::iso8601(facts.started);
  view.seconds = seconds_of(facts.elapsed);
  const auto& values = measured.values;
  add_facts(values, facts.elapsed, view);
  add_curves(metrics, values, view);
  add_timeline(measured.timeline, view);
  const double failed = trues(values, "http_req_failed");
  if (const double requests = count_of(values, "http_req_failed"); requests > 0) {
    view.codes = {{"as expected", requests - failed, false}};
    if (failed > 0) view.codes.push_back({"not as expected, or none", failed, true});
  }
  if (failed > 0) view.errors.push_back({"http_req_failed", failed, true});
  add_endpoints(facts.endpoints, view);
  add_parts(metrics, values, view);
  view.routes = load::routes_of(facts.hops);
  const bool invalid = facts.exit_code == exit_code::kInvalidRun;
  const auto verdicts = judge(metrics, values, facts.elapsed);
  for (const auto& one : verdicts) {
    view.checks.push_back({fmt::format("{}: {}", one.metric, one.source),
                           one.observed ? number_of(*one.observed) : "no samples",
                           invalid  ? ReportView::Verdict::kUnknown
                           : one.ok ? ReportView::Verdict::kPass
                                    : ReportView::Verdict::kFail});
  }
  const auto thresholds = static_cast<std::ptrdiff_t>(view.checks.size());
  add_checks(groups.summary(), view);
  std::stable_sort(view.checks.begin() + thresholds, view.checks.end(), [](const auto& a, const auto& b) {
    return a.verdict == ReportView::Verdict::kFail && b.verdict != ReportView::Verdict::kFail;
  });
  if (view.checks.size() > static_cast<std::size_t>(thresholds) + kMostChecks) {
    view.checks.resize(static_cast<std::size_t>(thresholds) + kMostChecks);
  }
  add_verdict(facts.exit_code, !verdicts.empty(), view);
  if (const auto validity = validity_of(metrics, values); !validity.valid) view.doubts.push_back(validity.text);
  return view;
}

}  // namespace securebase::k6
