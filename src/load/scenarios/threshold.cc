#include "load/scenarios/threshold.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "load/scenarios/http_measures.h"
#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

using Operator = Threshold::Operator;

// Fewer samples than this say nothing about a share of some per cent.
constexpr std::uint64_t kSamplesForShare = 100;

std::string_view text_of(Operator comparison) {
  switch (comparison) {
    case Operator::kBelow:
      return "<";
    case Operator::kAtMost:
      return "<=";
    case Operator::kAbove:
      return ">";
    case Operator::kAtLeast:
      return ">=";
  }
  return "<";
}

bool holds(Operator comparison, double measured, double wanted) {
  switch (comparison) {
    case Operator::kBelow:
      return measured < wanted;
    case Operator::kAtMost:
      return measured <= wanted;
    case Operator::kAbove:
      return measured > wanted;
    case Operator::kAtLeast:
      return measured >= wanted;
  }
  return false;
}

std::string_view without_ttfb(std::string_view metric) {
  return metric.starts_with("ttfb.") ? metric.substr(5) : metric;
}

// Of "p99.9"; nullopt: not a percentile.
std::optional<double> percent_of(std::string_view metric) {
  if (!metric.starts_with('p') || metric.size() < 2) return std::nullopt;
  double percent = 0;
  const auto [end, failure] = std::from_chars(metric.data() + 1, metric.data() + metric.size(), percent);
  if (failure != std::errc{} || end != metric.data() + metric.size() || percent < 0 || percent > 100)
    return std::nullopt;
  return percent;
}

bool is_share(std::string_view metric) {
  return metric == "errors" || metric == "4xx" || metric == "5xx" || metric == "transport";
}

bool is_statistic(std::string_view metric) {
  metric = without_ttfb(metric);
  return metric == "min" || metric == "max" || metric == "avg" || percent_of(metric);
}

double share(const Summary& summary, std::string_view metric) {
  if (metric == "4xx") return summary.percent_of(summary.status_4xx);
  if (metric == "5xx") return summary.percent_of(summary.status_5xx);
  if (metric == "transport") return summary.percent_of(summary.transport_errors);
  return summary.error_percent();
}

double statistic(const telemetry::Sketch& sketch, std::string_view metric) {
  metric = without_ttfb(metric);
  if (metric == "min") return sketch.minimum().value_or(0);
  if (metric == "max") return sketch.maximum().value_or(0);
  if (metric == "avg") return sketch.average().value_or(0);
  return sketch.percentile(percent_of(metric).value_or(100)).value_or(0);
}

// CloudWatch's own rule for a percentile: ten samples beyond it.
std::uint64_t samples_for(std::string_view metric) {
  const auto percent = percent_of(without_ttfb(metric));
  if (!percent) return 1;
  const double beyond = std::max(100 - *percent, 0.001) / 100;
  return static_cast<std::uint64_t>(std::ceil(10 / beyond - 1e-6));
}

// What was unanswered at the end: `stand_for` requests that may have gone as badly as can be, and waited so long
// already.
struct Unknown {
  std::uint64_t count = 0;
  double stand_for = 0;
  double waited_ms = 0;  // in all
  double longest_ms = 0;
};

Unknown unknown_in(const Measured& measured) {
  Unknown unknown;
  const auto unanswered = measured.find(kUnanswered);
  if (!unanswered) return unknown;
  unknown.count = unanswered->sketch.count();
  unknown.waited_ms = unanswered->sketch.sum();
  unknown.longest_ms = unanswered->sketch.maximum().value_or(0);
  unknown.stand_for = std::max(measured.total(kUnsent), static_cast<double>(unknown.count));
  return unknown;
}

// The worst that a statistic can be.
double at_worst(const telemetry::Sketch& sketch, std::string_view metric, const Unknown& unknown) {
  const auto known = static_cast<double>(sketch.count());
  metric = without_ttfb(metric);
  if (metric == "min") return statistic(sketch, metric);
  if (metric == "max") return std::numeric_limits<double>::infinity();
  // A mean has no worst while a request may take for ever: what they waited so far counts.
  if (metric == "avg") {
    return (sketch.sum() + std::max(unknown.waited_ms, unknown.longest_ms * unknown.stand_for)) /
           (known + unknown.stand_for);
  }
  const double percent = percent_of(metric).value_or(100) * (known + unknown.stand_for) / std::max(known, 1.0);
  if (percent > 100) return std::numeric_limits<double>::infinity();
  return sketch.percentile(percent).value_or(0);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kInsufficient:
      return "insufficient evidence";
  }
  return "insufficient evidence";
}

bool Threshold::is_latency() const { return is_statistic(metric); }

std::string Threshold::text() const {
  const std::string_view unit = is_latency() ? "ms" : is_share(metric) ? "%" : "";
  return fmt::format("{}{}{}{}", metric, text_of(comparison), wanted, unit);
}

Result<Threshold> parse_threshold(std::string_view text) {
  std::string compact;
  for (const char c : text) {
    if (c != ' ') compact += c;
  }
  const auto wrong = [&](std::string_view why) {
    return Error{
        Errc::kMalformed,
        fmt::format("the threshold \"{}\": {}; one is like p95<100ms, ttfb.p99<=1s, errors<1%, 5xx<0.1%, rate>500",
                    text, why)};
  };
  const auto at = compact.find_first_of("<>");
  if (at == std::string::npos) return wrong("there is no < or > in it");
  Threshold threshold;
  threshold.metric = compact.substr(0, at);
  if (!is_statistic(threshold.metric) && !is_share(threshold.metric) && threshold.metric != "rate" &&
      threshold.metric != "requests") {
    return wrong(fmt::format("\"{}\" is not measured", threshold.metric));
  }
  const bool equal = at + 1 < compact.size() && compact[at + 1] == '=';
  threshold.comparison = compact[at] == '<' ? (equal ? Operator::kAtMost : Operator::kBelow)
                                            : (equal ? Operator::kAtLeast : Operator::kAbove);
  const auto value = std::string_view(compact).substr(at + (equal ? 2 : 1));
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), threshold.wanted);
  if (failure != std::errc{} || !(threshold.wanted >= 0) || !std::isfinite(threshold.wanted)) {
    return wrong(fmt::format("\"{}\" is not a number", value));
  }
  const auto unit = value.substr(static_cast<std::size_t>(end - value.data()));
  if (threshold.is_latency()) {
    if (unit == "s") {
      threshold.wanted *= 1000;
    } else if (unit == "us") {
      threshold.wanted /= 1000;
    } else if (unit != "ms" && !unit.empty()) {
      return wrong(fmt::format("\"{}\" is not a unit of latency: us, ms, s", unit));
    }
  } else if (is_share(threshold.metric)) {
    if (unit != "%" && !unit.empty()) return wrong(fmt::format("\"{}\" is not %", unit));
  } else if (!unit.empty() && unit != "/s") {
    return wrong(fmt::format("\"{}\" after the number", unit));
  }
  return threshold;
}

std::vector<Threshold> guide_criteria() { return {{"p95", Operator::kBelow, 100}, {"errors", Operator::kBelow, 1}}; }

Judged judge(const Threshold& threshold, const Measured& measured, bool open) {
  Judged judged;
  judged.threshold = threshold;
  const auto summary = summarise(measured.values, measured.duration);
  const Unknown unknown = unknown_in(measured);
  std::optional<double> worst;  // nullopt: what was measured
  if (threshold.is_latency()) {
    const auto trend =
        threshold.metric.starts_with("ttfb.") ? measured.find(kFirstByte) : latency_of(measured.values, open);
    judged.needed = samples_for(threshold.metric);
    if (trend) {
      judged.samples = trend->sketch.count();
      judged.measured = statistic(trend->sketch, threshold.metric);
      if (unknown.count > 0) worst = at_worst(trend->sketch, threshold.metric, unknown);
    }
  } else if (is_share(threshold.metric)) {
    judged.needed = kSamplesForShare;
    judged.samples = summary.requests;
    judged.measured = share(summary, threshold.metric);
    if (unknown.count > 0) {
      const double bad = judged.measured / 100 * static_cast<double>(summary.requests) + unknown.stand_for;
      worst = 100 * bad / (static_cast<double>(summary.requests) + unknown.stand_for);
    }
  } else {
    judged.needed = 1;
    judged.samples = summary.requests;
    judged.measured = threshold.metric == "rate" ? summary.answers_a_second() : static_cast<double>(summary.requests);
  }
  if (judged.samples < judged.needed) return judged;
  judged.verdict = holds(threshold.comparison, judged.measured, threshold.wanted) ? Verdict::kPass : Verdict::kFail;
  if (judged.verdict == Verdict::kPass && worst && !holds(threshold.comparison, *worst, threshold.wanted)) {
    judged.verdict = Verdict::kInsufficient;
    judged.doubt = fmt::format("{} requests were unanswered at the end, for up to {:.1f} s, and could change it",
                               unknown.count, unknown.longest_ms / 1000);
  }
  return judged;
}

double tightest_ms(const std::vector<Threshold>& thresholds) {
  double tightest = 0;
  for (const auto& threshold : thresholds) {
    if (threshold.is_latency() && (tightest == 0 || threshold.wanted < tightest)) tightest = threshold.wanted;
  }
  return tightest;
}

base::Json to_json(const Judged& judged) {
  return base::Json::object({{"expression", judged.threshold.text()},
                             {"measured", judged.measured},
                             {"wanted", judged.threshold.wanted},
                             {"samples", judged.samples},
                             {"samples_needed", judged.needed},
                             {"verdict", to_string(judged.verdict)},
                             {"doubt", judged.doubt}});
}

}  // namespace securebase::load
