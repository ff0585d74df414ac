#include "load/report/result_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/markup.h"
#include "load/report/compare.h"
#include "load/report/terminal.h"
#include "load/scenarios/capacity.h"
#include "load/scenarios/endurance.h"
#include "load/scenarios/http_measures.h"
#include "load/scenarios/spike.h"
#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

double in_seconds(std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); }

ReportView::Verdict view_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return ReportView::Verdict::kPass;
    case Verdict::kFail:
      return ReportView::Verdict::kFail;
    case Verdict::kInsufficient:
      return ReportView::Verdict::kUnknown;
  }
  return ReportView::Verdict::kUnknown;
}

Distribution latency_in(const Values& values, bool open) {
  const auto latency = latency_of(values, open);
  return latency ? Distribution::of(latency->sketch) : Distribution{};
}

void add_facts(const RunResult& result, const Summary& summary, ReportView& view) {
  view.facts.push_back({"answers a second", fmt::format("{:.1f}", summary.answers_a_second()),
                        fmt::format("{} answers", summary.responses)});
  view.facts.push_back({"errors", fmt::format("{:.3f} %", summary.error_percent()),
                        fmt::format("{} 4xx, {} 5xx, {} without an answer: all three count", summary.status_4xx,
                                    summary.status_5xx, summary.transport_errors)});
  if (summary.unanswered > 0) {
    view.facts.push_back(
        {"unanswered at the end", fmt::format("{}", summary.unanswered),
         fmt::format("for up to {}: neither answers nor errors", duration_text(summary.longest_unanswered_ms))});
  }
  if (const auto latency = latency_of(result.measured.values, result.open)) {
    view.facts.push_back({"p95", duration_text(latency->sketch.percentile(95).value_or(0)),
                          result.open ? "from when it was due" : "service time: users wait for answers"});
    view.facts.push_back({"p99", duration_text(latency->sketch.percentile(99).value_or(0)), ""});
  }
  view.facts.push_back({"generator", fmt::format("{:.0f} % busy", result.generator.busiest_worker * 100),
                        fmt::format("p99 of its own lateness {}",
                                    duration_text(std::max(result.generator.lateness_ms.percentile(99).value_or(0),
                                                           result.generator.lag_ms.percentile(99).value_or(0))))});
}

void add_timeline(const RunResult& result, ReportView& view) {
  for (const auto& slice : result.measured.timeline.slices()) {
    if (slice.begin == slice.end) continue;
    const auto summary = summarise(slice.values, slice.end - slice.begin);
    ReportView::Moment moment;
    moment.begin_s = in_seconds(slice.begin);
    moment.end_s = in_seconds(slice.end);
    moment.requests = static_cast<double>(summary.requests);
    moment.errors = static_cast<double>(summary.status_4xx + summary.status_5xx + summary.transport_errors);
    moment.latency = latency_in(slice.values, result.open);
    view.timeline.push_back(std::move(moment));
  }
}

void add_endpoints(const RunResult& result, ReportView& view) {
  const auto& values = result.measured.values;
  for (auto at = values.lower_bound(Key{std::string(kRequests), {}});
       at != values.end() && at->first.metric == kRequests; ++at) {
    if (at->first.tags.empty()) continue;
    Values of_endpoint;
    for (const auto& [key, value] : values) {
      if (std::find(key.tags.begin(), key.tags.end(), at->first.tags.front()) != key.tags.end()) {
        of_endpoint.emplace(key, value);
      }
    }
    const auto summary = summarise(of_endpoint, result.measured.duration);
    ReportView::Endpoint endpoint;
    endpoint.name = at->first.tags.front().second;
    endpoint.requests = static_cast<double>(summary.requests);
    endpoint.failed = static_cast<double>(summary.status_4xx + summary.status_5xx + summary.transport_errors);
    endpoint.latency = latency_in(of_endpoint, result.open);
    view.endpoints.push_back(std::move(endpoint));
  }
}

struct Case {
  std::string name;
  std::string seen;
  Verdict verdict;
};

std::vector<Case> cases_of(const RunResult& result) {
  std::vector<Case> cases;
  std::string reasons = result.interrupted ? "interrupted before its end" : "";
  for (const auto& reason : result.invalid_because) reasons += (reasons.empty() ? "" : "; ") + reason;
  cases.push_back({"the run is valid", reasons, reasons.empty() ? Verdict::kPass : Verdict::kFail});
  for (const auto& judged : result.thresholds) {
    cases.push_back(
        {judged.threshold.text(),
         judged.doubt.empty() ? fmt::format("{:.4g} of {} samples", judged.measured, judged.samples) : judged.doubt,
         judged.verdict});
  }
  for (const auto& check : result.checks) cases.push_back({check.name, check.seen, check.verdict});
  // An invalid run's numbers are none.
  for (std::size_t i = 1; !reasons.empty() && i < cases.size(); ++i) cases[i].verdict = Verdict::kInsufficient;
  return cases;
}

}  // namespace

std::vector<ReportView::Route> routes_of(const base::Json& hops) {
  std::vector<ReportView::Route> all;
  const auto* routes = hops.as_array();
  if (!routes) return all;
  constexpr std::size_t kMostRoutes = 12;
  for (const auto& one : *routes) {
    ReportView::Route route;
    route.name = one["route"].string_or("");
    route.requests = one["requests"].number_or(0);
    route.p50_s = one["p50_seconds"].number_or(0);
    route.p95_s = one["p95_seconds"].number_or(0);
    if (const auto* hops = one["around_p95"].as_object()) {
      for (const auto& [name, seconds] : *hops) route.hops_s.emplace_back(name, seconds.number_or(0));
    }
    all.push_back(std::move(route));
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.p95_s > b.p95_s; });
  if (all.size() > kMostRoutes) all.resize(kMostRoutes);
  return all;
}

ReportView view_of(const RunResult& result) {
  ReportView view;
  view.title = result.scenario;
  view.tool = "securebase load";
  view.target = result.target;
  view.started = base::iso8601(result.started);
  view.seconds = in_seconds(result.measured.duration);
  view.verdict_text = result.verdict();
  view.verdict = view.verdict_text == "pass"   ? ReportView::Verdict::kPass
                 : view.verdict_text == "fail" ? ReportView::Verdict::kFail
                 : view.verdict_text == "none" ? ReportView::Verdict::kNone
                                               : ReportView::Verdict::kUnknown;
  const auto summary = summarise(result.measured.values, result.measured.duration);
  add_facts(result, summary, view);
  for (const auto& [metric, label] :
       {std::pair{kFromSchedule, "from schedule"}, {kServiceTime, "service time"}, {kFirstByte, "first byte"}}) {
    const auto found = result.measured.find(metric);
    if (found && found->sketch.count() > 0) view.curves.push_back({label, Distribution::of(found->sketch)});
  }
  add_timeline(result, view);
  for (const auto& [status, count] : summary.codes) {
    view.codes.push_back({status, static_cast<double>(count), status[0] >= '4'});
  }
  for (const auto& [kind, count] : summary.errors) view.errors.push_back({kind, static_cast<double>(count), true});
  add_endpoints(result, view);
  view.routes = routes_of(result.hops);
  for (const auto& judged : result.thresholds) {
    view.checks.push_back({judged.threshold.text(),
                           fmt::format("{:.4g}", judged.measured) + (judged.doubt.empty() ? "" : ": " + judged.doubt),
                           view_of(judged.verdict)});
  }
  for (const auto& check : result.checks) view.checks.push_back({check.name, check.seen, view_of(check.verdict)});
  view.doubts = result.invalid_because;
  if (result.interrupted) view.doubts.emplace_back("interrupted before its end");
  return view;
}

void add_comparison(const RunResult& result, const RunResult& baseline, ReportView& view) {
  view.comparison_note =
      fmt::format("{} against {}, of {}.", baseline.scenario, baseline.target, base::iso8601(baseline.started));
  const CompareSettings settings;
  const auto differences = compare({baseline}, {result}, settings);
  if (!differences) {
    view.comparison_note += " The two do not compare: " + differences.error().message;
    return;
  }
  view.comparison_note +=
      fmt::format(" Changes within {:.0f} % (errors: {:.1f} points) do not count; unclear is what may be noise.",
                  100 * settings.margin, settings.share_margin);
  for (const auto& one : *differences) {
    const auto value = [&one](double number) {
      return one.unit == "ms" ? duration_text(number)
                              : fmt::format("{:.{}f} {}", number, one.unit == "%" ? 2 : 1, one.unit);
    };
    const bool is_share = one.unit == "%";
    const double scale = is_share ? 1 : 100;
    const char* unit = is_share ? "points" : "%";
    ReportView::Comparison shown;
    shown.name = one.name;
    shown.before = value(one.a);
    shown.after = value(one.b);
    shown.change = fmt::format("{:+.1f} {}", scale * one.change, unit);
    if (one.verdict != Difference::Verdict::kInsufficient) {
      shown.interval = fmt::format("{:+.1f} to {:+.1f} {}", scale * one.low, scale * one.high, unit);
    }
    shown.verdict = to_string(one.verdict);
    shown.kind = one.verdict == Difference::Verdict::kBetter  ? ReportView::Comparison::Kind::kBetter
                 : one.verdict == Difference::Verdict::kWorse ? ReportView::Comparison::Kind::kWorse
                 : one.verdict == Difference::Verdict::kSame  ? ReportView::Comparison::Kind::kSame
                                                              : ReportView::Comparison::Kind::kUnclear;
    view.comparisons.push_back(std::move(shown));
  }
}

std::string as_junit(const RunResult& result) {
  const auto cases = cases_of(result);
  std::size_t failures = 0;
  std::size_t skipped = 0;
  std::string body;
  for (const auto& one : cases) {
    body += fmt::format("    <testcase classname=\"load.{}\" name=\"{}\" time=\"{:.3f}\">",
                        base::markup_escaped(result.scenario), base::markup_escaped(one.name),
                        in_seconds(result.measured.duration));
    if (one.verdict == Verdict::kFail) {
      ++failures;
      body += fmt::format("<failure message=\"{}\"/>", base::markup_escaped(one.seen));
    } else if (one.verdict == Verdict::kInsufficient) {
      ++skipped;
      body += fmt::format("<skipped message=\"{}\"/>", base::markup_escaped("insufficient evidence: " + one.seen));
    } else {
      body += fmt::format("<system-out>{}</system-out>", base::markup_escaped(one.seen));
    }
    body += "</testcase>\n";
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"securebase load {} {}\" "
      "tests=\"{}\" "
      "failures=\"{}\" skipped=\"{}\" errors=\"0\" timestamp=\"{}\" time=\"{:.3f}\">\n{}  "
      "</testsuite>\n</testsuites>\n",
      base::markup_escaped(result.scenario), base::markup_escaped(result.target), cases.size(), failures, skipped,
      base::iso8601(result.started), in_seconds(result.measured.duration), body);
}

}  // namespace securebase::load
