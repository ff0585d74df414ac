#include "k6/summary.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace securebase::k6 {

namespace {

std::string_view type_name(load::Kind kind) {
  switch (kind) {
    case load::Kind::kCounter:
      return "counter";
    case load::Kind::kGauge:
      return "gauge";
    case load::Kind::kRate:
      return "rate";
    case load::Kind::kTrend:
      return "trend";
  }
  return "";
}

const load::Value* value_of(const load::Values& values, const std::string& metric, const load::Tags& tags) {
  const auto found = values.find({metric, tags});
  return found == values.end() ? nullptr : &found->second;
}

base::Json values_json(load::Kind kind, const load::Value& value, const std::vector<std::string>& stats,
                       Nanoseconds elapsed) {
  base::Json out = base::Json::object();
  const double seconds = seconds_of(elapsed);
  switch (kind) {
    case load::Kind::kCounter:
      out.set("count", value.sum);
      out.set("rate", seconds > 0 ? value.sum / seconds : 0.0);
      break;
    case load::Kind::kGauge:
      out.set("value", value.latest);
      out.set("min", value.minimum);
      out.set("max", value.maximum);
      break;
    case load::Kind::kRate:
      out.set("rate", value.count ? value.sum / static_cast<double>(value.count) : 0.0);
      out.set("passes", static_cast<std::int64_t>(value.sum));
      out.set("fails", static_cast<std::int64_t>(static_cast<double>(value.count) - value.sum));
      break;
    case load::Kind::kTrend: {
      const auto put = [&](const std::string& name) {
        if (auto number = trend_statistic(value, name)) out.set(name, *number);
      };
      for (const auto& name : stats) put(name);
      for (const char* name : {"avg", "min", "med", "max", "p(50)", "p(90)", "p(95)", "p(99)", "p(99.9)", "count"})
        put(name);
      break;
    }
  }
  return out;
}

struct Row {
  const std::string& name;
  const load::Tags& tags;
  const std::vector<Threshold>& thresholds;
};

// A metric and its parts.
template <class Take>
void for_each_metric(const Metrics& metrics, Take take) {
  static const load::Tags kNone;
  for (std::size_t id = 0; id < metrics.count(); ++id) {
    const auto& metric = metrics.at(id);
    take(metric, Row{metric.name, kNone, metric.thresholds});
    for (const auto& part : metric.parts) take(metric, Row{part.name, part.tags, part.thresholds});
  }
}

}  // namespace

std::vector<ThresholdVerdict> judge(const Metrics& metrics, const load::Values& values, Nanoseconds elapsed) {
  std::vector<ThresholdVerdict> verdicts;
  for_each_metric(metrics, [&](const Metrics::Metric& metric, const Row& row) {
    for (const auto& threshold : row.thresholds) {
      ThresholdVerdict verdict{row.name, threshold.source, true, threshold.abort_on_fail, threshold.delay_abort, {}};
      const load::Value* const value = value_of(values, metric.name, row.tags);
      if (value && value->count > 0) {
        verdict.observed = threshold.observed(*value, elapsed);
        verdict.ok = !verdict.observed || threshold.holds(*verdict.observed);
      }
      verdicts.push_back(std::move(verdict));
    }
  });
  return verdicts;
}

Validity validity_of(const Metrics& metrics, const load::Values& values) {
  Validity validity;
  const load::Value* const late = value_of(values, "generator_lateness", {});
  if (!late || late->count == 0) {
    validity.text = "the generator's lateness is not known: no iteration was due at a time, and none slept";
    return validity;
  }
  validity.samples = late->count;
  validity.lateness_p99_ms = late->sketch.percentile(99).value_or(0);
  double tightest = 0;
  std::string which;
  for_each_metric(metrics, [&](const Metrics::Metric& metric, const Row& row) {
    if (metric.contains != Contains::kTime || metric.name == "iteration_duration") return;
    for (const auto& threshold : row.thresholds) {
      const bool upper = threshold.comparison == Comparison::kLess || threshold.comparison == Comparison::kAtMost;
      if (!upper || threshold.statistic == Statistic::kCount || threshold.bound <= 0) continue;
      if (tightest == 0 || threshold.bound < tightest) {
        tightest = threshold.bound;
        which = fmt::format("{}: {}", row.name, threshold.source);
      }
    }
  });
  if (tightest > 0 && validity.lateness_p99_ms > tightest / 10) {
    validity.valid = false;
    validity.text = fmt::format(
        "the generator itself was late: its 99th percentile of lateness is {:.2f} ms over {} times, more than a tenth "
        "of the "
        "tightest bound ({}); its thresholds get no verdict. Give it more processor time, fewer users or another "
        "machine",
        validity.lateness_p99_ms, validity.samples, which);
  } else {
    validity.text = fmt::format("generator late by {:.2f} ms (99th percentile of {} times)", validity.lateness_p99_ms,
                                validity.samples);
  }
  return validity;
}

base::Json summary_data(const Shared& shared, const load::Values& values, Nanoseconds elapsed) {
  std::vector<std::string> stats;
  if (shared.options.summary_trend_stats) {
    stats = *shared.options.summary_trend_stats;
  } else {
    stats.assign(std::begin(kDefaultTrendStats), std::end(kDefaultTrendStats));
  }
  std::map<std::pair<std::string, std::string>, bool> verdicts;
  for (const auto& verdict : judge(shared.metrics, values, elapsed))
    verdicts[{verdict.metric, verdict.source}] = verdict.ok;

  std::map<std::string, base::Json> rows;
  for_each_metric(shared.metrics, [&](const Metrics::Metric& metric, const Row& row) {
    const load::Value* const value = value_of(values, metric.name, row.tags);
    if (!value && row.thresholds.empty()) return;
    load::Value none;
    none.kind = metric.kind;
    base::Json one = base::Json::object({{"type", type_name(metric.kind)},
                                         {"contains", metric.contains == Contains::kTime   ? "time"
                                                      : metric.contains == Contains::kData ? "data"
                                                                                           : "default"},
                                         {"values", values_json(metric.kind, value ? *value : none, stats, elapsed)}});
    if (!row.thresholds.empty()) {
      base::Json thresholds = base::Json::object();
      for (const auto& threshold : row.thresholds) {
        thresholds.set(threshold.source, base::Json::object({{"ok", verdicts[{row.name, threshold.source}]}}));
      }
      one.set("thresholds", std::move(thresholds));
    }
    rows[row.name] = std::move(one);
  });
  base::Json all = base::Json::object();
  for (auto& [name, row] : rows) all.set(name, std::move(row));

  base::Json trend_stats = base::Json::array();
  for (const auto& name : stats) trend_stats.push_back(name);
  base::Json data = base::Json::object(
      {{"metrics", std::move(all)},
       {"root_group", shared.groups.summary()},
       {"options", base::Json::object({{"summaryTrendStats", std::move(trend_stats)},
                                       {"summaryTimeUnit", shared.options.summary_time_unit.value_or("")},
                                       {"noColor", false}})},
       {"state", base::Json::object({{"isStdOutTTY", isatty(1) == 1},
                                     {"isStdErrTTY", isatty(2) == 1},
                                     {"testRunDurationMs", milliseconds_of(elapsed)}})}});
  if (!shared.setup_data.empty()) {
    if (auto parsed = base::Json::parse(shared.setup_data)) data.set("setup_data", std::move(*parsed));
  }
  return data;
}

}  // namespace securebase::k6
