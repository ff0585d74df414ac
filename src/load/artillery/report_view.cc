#include "load/artillery/report_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/artillery/period.h"
#include "load/measure/measured_json.h"
#include "load/report/html_charts.h"
#include "load/report/result_view.h"

namespace securebase::load::artillery {
namespace {

constexpr std::string_view kFirstByteMetric = "http.response_time";
constexpr std::string_view kScheduleMetric = "http.latency_from_schedule";
constexpr std::size_t kMostEndpoints = 200;

Distribution distribution_of(const Summary& summary) {
  Distribution made;
  made.count = summary.count;
  made.minimum = summary.minimum;
  made.mean = summary.mean;
  made.maximum = summary.maximum;
  made.percentiles = {{50, summary.p50}, {75, summary.p75}, {90, summary.p90},
                      {95, summary.p95}, {99, summary.p99}, {99.9, summary.p999}};
  return made;
}

double counter(const Period& period, std::string_view name) {
  const auto found = period.counters.find(std::string(name));
  return found == period.counters.end() ? 0 : found->second;
}

double sum_of(const Period& period, std::string_view prefix) {
  double sum = 0;
  for (auto at = period.counters.lower_bound(std::string(prefix));
       at != period.counters.end() && at->first.starts_with(prefix); ++at) {
    sum += at->second;
  }
  return sum;
}

Distribution known(const Period& period, const Measured* measured, std::string_view metric) {
  if (measured != nullptr) {
    if (const auto value = measured->find(metric)) return Distribution::of(value->sketch);
  }
  const auto summary = period.summaries.find(std::string(metric));
  return summary == period.summaries.end() ? Distribution{} : distribution_of(summary->second);
}

void add_facts(const Period& all, ReportView& view) {
  const double requests = counter(all, "http.requests");
  const double errors = sum_of(all, "errors.");
  double bad = errors;
  for (const auto& [name, count] : all.counters) {
    if (name.starts_with("http.codes.") && (name[11] == '4' || name[11] == '5')) bad += count;
  }
  const double rate = view.seconds > 0 ? requests / view.seconds : 0;
  const double created = counter(all, "vusers.created");
  const Distribution& headline = view.curves.front().distribution;
  const auto note = fmt::format("{}", view.curves.front().label);
  view.facts = {
      {"Requests", fmt::format("{:.0f}", requests), fmt::format("{:.1f} a second", rate)},
      {"p50", time_text(headline.at(50)), note},
      {"p95", time_text(headline.at(95)), note},
      {"p99", time_text(headline.at(99)), note},
      {"Errors", fmt::format("{:.2f} %", requests > 0 ? 100 * bad / requests : 0), "4xx, 5xx and no answer"},
      {"Users", fmt::format("{:.0f}", created),
       fmt::format("{:.0f} completed, {:.0f} failed", counter(all, "vusers.completed"), counter(all, "vusers.failed"))},
  };
  if (const double skipped = counter(all, "vusers.skipped"); skipped > 0) {
    view.facts.push_back({"Skipped users", fmt::format("{:.0f}", skipped), "maxVusers was reached"});
  }
}

void add_counts(const Period& all, ReportView& view) {
  for (const auto& [name, count] : all.counters) {
    if (name.starts_with("http.codes.")) {
      view.codes.push_back({name.substr(11), count, name[11] == '4' || name[11] == '5'});
    } else if (name.starts_with("errors.")) {
      view.errors.push_back({name.substr(7), count, true});
    }
  }
}

// "plugins.metrics-by-endpoint.response_time.NAME" and "plugins.metrics-by-endpoint.NAME.codes.404".
void add_endpoints(const Period& all, const Measured* measured, const std::string& prefix, ReportView& view) {
  const std::string times = prefix + ".response_time.";
  std::map<std::string, ReportView::Endpoint> endpoints;
  for (auto at = all.summaries.lower_bound(times); at != all.summaries.end() && at->first.starts_with(times); ++at) {
    auto& endpoint = endpoints[at->first.substr(times.size())];
    endpoint.latency = known(all, measured, at->first);
  }
  const std::string counters = prefix + ".";
  for (auto at = all.counters.lower_bound(counters); at != all.counters.end() && at->first.starts_with(counters);
       ++at) {
    for (const std::string_view part : {".codes.", ".errors."}) {
      const auto where = at->first.rfind(part);
      if (where == std::string::npos || where <= counters.size()) continue;
      auto& endpoint = endpoints[at->first.substr(counters.size(), where - counters.size())];
      endpoint.requests += at->second;
      const char first = at->first[where + part.size()];
      if (part == ".errors." || first == '4' || first == '5') endpoint.failed += at->second;
    }
  }
  for (auto& [name, endpoint] : endpoints) {
    endpoint.name = name;
    view.endpoints.push_back(std::move(endpoint));
  }
  std::stable_sort(view.endpoints.begin(), view.endpoints.end(),
                   [](const auto& a, const auto& b) { return a.latency.at(95) > b.latency.at(95); });
  if (view.endpoints.size() > kMostEndpoints) view.endpoints.resize(kMostEndpoints);
}

double sum_of(const Values& values, std::string_view prefix) {
  double sum = 0;
  for (auto at = values.lower_bound(Key{std::string(prefix), {}});
       at != values.end() && at->first.metric.starts_with(prefix); ++at) {
    sum += at->second.sum;
  }
  return sum;
}

void add_timeline(const Measured& measured, std::string_view metric, ReportView& view) {
  for (const auto& slice : measured.timeline.slices()) {
    ReportView::Moment moment;
    moment.begin_s = static_cast<double>(slice.begin.count()) / 1000;
    moment.end_s = static_cast<double>(slice.end.count()) / 1000;
    if (moment.end_s <= moment.begin_s) continue;
    const auto total = [&](std::string_view name) {
      const auto value = find(slice.values, name);
      return value ? value->sum : 0.0;
    };
    moment.requests = total("http.requests");
    moment.errors = sum_of(slice.values, "errors.");
    moment.users = total("vusers.created");
    if (const auto latency = find(slice.values, metric)) moment.latency = Distribution::of(latency->sketch);
    view.timeline.push_back(std::move(moment));
  }
}

void add_timeline(const Report& report, ReportView& view) {
  if (report.intermediate.empty()) return;
  const auto start = report.intermediate.front().first_ms;
  for (const auto& period : report.intermediate) {
    ReportView::Moment moment;
    moment.begin_s = static_cast<double>(std::max<std::int64_t>(period.first_ms - start, 0)) / 1000;
    moment.end_s = std::max(static_cast<double>(period.last_ms - start) / 1000, moment.begin_s + 0.001);
    moment.requests = counter(period, "http.requests");
    moment.errors = sum_of(period, "errors.");
    moment.users = counter(period, "vusers.created");
    const auto summary = period.summaries.find(std::string(kFirstByteMetric));
    if (summary != period.summaries.end()) moment.latency = distribution_of(summary->second);
    view.timeline.push_back(std::move(moment));
  }
}

void add_checks(const base::Json& ours, ReportView& view) {
  bool failed = false;
  if (const auto* checks = ours["checks"].as_array()) {
    for (const auto& check : *checks) {
      const bool ok = check["ok"].bool_or(false);
      const bool strict = check["strict"].bool_or(true);
      failed = failed || (!ok && strict);
      view.checks.push_back({std::string(check["check"].string_or("")) + (strict ? "" : " (optional)"),
                             std::string(check["note"].string_or("")),
                             ok ? ReportView::Verdict::kPass : ReportView::Verdict::kFail});
    }
  }
  if (const auto* reasons = ours["invalid_because"].as_array()) {
    for (const auto& reason : *reasons) view.doubts.emplace_back(reason.string_or(""));
  }
  if (!view.doubts.empty()) {
    view.verdict = ReportView::Verdict::kUnknown;
    view.verdict_text = "not valid";
  } else if (!view.checks.empty()) {
    view.verdict = failed ? ReportView::Verdict::kFail : ReportView::Verdict::kPass;
    view.verdict_text = failed ? "checks failed" : "checks passed";
  }
}

}  // namespace

Result<ReportView> view_of_artillery_report(const base::Json& report) {
  auto read = read_report(report);
  if (!read) return read.error();
  const base::Json& ours = report["securebase"];
  std::optional<Measured> measured;
  if (const auto* json = ours.find("measured")) {
    auto decoded = measured_from_json(*json);
    if (!decoded) return decoded.error().within("reading the report's histograms");
    measured = std::move(*decoded);
  }
  const Measured* histograms = measured ? &*measured : nullptr;
  const Period& all = read->aggregate;
  ReportView view;
  view.tool = "Artillery script";
  view.title = std::string(ours["script"].string_or("Load test"));
  view.target = std::string(ours["target"].string_or(""));
  view.started = std::string(ours["started"].string_or(""));
  view.seconds = measured ? static_cast<double>(measured->duration.count()) / 1000
                          : static_cast<double>(all.last_ms - all.first_ms) / 1000;
  if (measured) {
    view.curves.push_back({"from schedule to last byte", known(all, histograms, kScheduleMetric)});
    view.curves.push_back({"sent to last byte", known(all, histograms, "http.total_time")});
    view.curves.push_back({"sent to first byte", known(all, histograms, kFirstByteMetric)});
    add_timeline(*measured, kScheduleMetric, view);
  } else {
    view.curves.push_back({"sent to first byte", known(all, histograms, kFirstByteMetric)});
    add_timeline(*read, view);
  }
  add_facts(all, view);
  add_counts(all, view);
  add_endpoints(all, histograms, std::string(ours["endpoints"].string_or("plugins.metrics-by-endpoint")), view);
  view.routes = routes_of(ours["hops"]);
  add_checks(ours, view);
  return view;
}

}  // namespace securebase::load::artillery
