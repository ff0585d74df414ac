#include "monitoring/alarms/watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "monitoring/alarms/definition.h"

namespace securebase::monitoring {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostMetrics = 10;  // CloudWatch's own, of an alarm's Metrics that are metrics
constexpr std::size_t kMostQueries = 20;  // CloudWatch's own

}  // namespace

Result<std::shared_ptr<const Watch>> Watch::make(const AlarmDefinition& definition) {
  auto made = std::make_shared<Watch>();
  made->rule_ = std::get<MetricRule>(definition.rule);
  auto& rule = made->rule_;
  auto extensions = extensions_from(definition.tags);
  if (!extensions) return extensions.error();
  made->extensions_ = std::move(*extensions);
  if (rule.metric) {
    made->period_ = rule.metric->period;
    made->metrics_ = {rule.metric->metric};
  } else {
    if (rule.metrics.size() > kMostQueries) return malformed(fmt::format("Metrics holds at most {}", kMostQueries));
    const auto metrics = std::count_if(rule.metrics.begin(), rule.metrics.end(),
                                       [](const DataQuery& query) { return query.metric_stat.has_value(); });
    if (metrics > static_cast<std::ptrdiff_t>(kMostMetrics)) {
      return malformed(fmt::format("Metrics holds at most {} with MetricStat", kMostMetrics));
    }
    if (metrics == 0) {
      return malformed(
          "Metrics needs at least one MetricStat: alarms on a Metrics Insights query (SELECT ...) or on TIME_SERIES "
          "alone are not done here");
    }
    auto program = math::Program::compile(rule.metrics, math::Use::kAlarm);
    if (!program) return program.error();
    made->program_ = std::move(*program);
    std::vector<std::size_t> returned;
    made->band_ = made->program_.place(rule.threshold_metric_id);
    for (std::size_t i = 0; i < rule.metrics.size(); ++i) {
      if (rule.metrics[i].return_data && i != made->band_) returned.push_back(i);
    }
    if (returned.size() != 1) {
      return malformed(
          fmt::format("Exactly one of the Metrics (besides the band) has ReturnData true; {} have", returned.size()));
    }
    made->watched_ = returned[0];
    if (made->program_.type(made->watched_) != math::Type::kSeries) {
      return malformed(fmt::format("{} is {}; an alarm is about one time series", rule.metrics[made->watched_].id,
                                   math::to_string(made->program_.type(made->watched_))));
    }
    if (!rule.threshold_metric_id.empty()) {
      if (made->band_ == rule.metrics.size()) {
        return malformed(fmt::format("ThresholdMetricId {} is none of the Metrics", rule.threshold_metric_id));
      }
      if (made->program_.type(made->band_) != math::Type::kArray) {
        return malformed(fmt::format("ThresholdMetricId {} is {}; it has to be an ANOMALY_DETECTION_BAND",
                                     rule.threshold_metric_id, math::to_string(made->program_.type(made->band_))));
      }
    }
    std::optional<std::chrono::seconds> period;
    for (const auto& query : rule.metrics) {
      if (!query.metric_stat) continue;
      if (period && *period != query.metric_stat->period) {
        return malformed("All metrics of an alarm have the same Period");
      }
      period = query.metric_stat->period;
    }
    if (const auto own = rule.metrics[made->watched_].period; own && own != period) {
      return malformed("The Period of an alarm's expression is that of its metrics");
    }
    made->period_ = *period;
    made->metrics_ = made->program_.metrics();
  }
  if (made->extensions_.objective && !rule.threshold) {
    return malformed("Tag securebase:objective needs an alarm with a Threshold");
  }
  made->step_ = made->period_ < 60s ? 10s : made->period_ * rule.evaluation_periods > 24h ? 3600s : 60s;
  const bool tables = std::any_of(made->metrics_.begin(), made->metrics_.end(),
                                  [](const MetricId& metric) { return metric.name_space == "AWS/DynamoDB"; });
  made->missing_ = rule.missing.value_or(tables ? MissingData::kIgnore : MissingData::kMissing);
  return std::shared_ptr<const Watch>(std::move(made));
}

base::TimePoint Watch::end_at(base::TimePoint now, std::chrono::seconds settling) const {
  const auto settled = now - extensions_.settling.value_or(settling);
  return settled - settled.time_since_epoch() % std::chrono::microseconds(step_);
}

// The N + 2 periods before `end`, which need not be aligned to the period: alarms slide.
Result<std::vector<JudgedPeriod>> Watch::read(const Series& series, math::Bands& bands, base::TimePoint end,
                                              double threshold) const {
  const int count = n() + kMorePeriods;
  const auto from = end - period_ * count;
  const auto phase = std::chrono::duration_cast<std::chrono::seconds>(end.time_since_epoch()) % period_;
  std::vector<JudgedPeriod> slots(static_cast<std::size_t>(count));
  const auto slot_at = [&](base::TimePoint start) -> JudgedPeriod* {
    if (start < from || start >= end) return nullptr;
    return &slots[static_cast<std::size_t>((start - from) / period_)];
  };
  for (std::size_t i = 0; i < slots.size(); ++i) {
    slots[i].start = from + period_ * static_cast<int>(i);
    slots[i].lower = slots[i].upper = threshold;
  }
  const auto put = [&](base::TimePoint start, double value, std::uint64_t samples) {
    JudgedPeriod* slot = slot_at(start);
    if (!slot) return;
    slot->value = value;
    slot->samples = samples;
    slot->mark = Mark::kGood;
  };
  if (rule_.metric) {
    MetricQuery query;
    query.metric = rule_.metric->metric;
    query.statistic = rule_.metric->stat;
    query.unit = rule_.metric->unit;
    query.period = period_;
    query.phase = phase;
    query.from = from;
    query.to = end;
    auto points = series.read(query);
    if (!points) return points.error();
    for (const auto& point : *points) put(point.start, point.value, point.samples);
  } else {
    const bool has_band = !rule_.threshold_metric_id.empty();
    std::vector<std::size_t> wanted{watched_};
    if (has_band) wanted.push_back(band_);
    auto values = program_.run(wanted, series, {.from = from, .to = end, .phase = phase, .period = {}}, bands);
    if (!values) return values.error();
    for (const auto& datum : std::get<math::TimeSeries>((*values)[0]).data) put(datum.time, datum.value, 0);
    if (has_band) {
      // A point whose usual range is not known is no point.
      std::vector<bool> known(slots.size());
      const auto& limits = std::get<math::Array>((*values)[1]);
      for (std::size_t side = 0; side < 2 && side < limits.size(); ++side) {
        for (const auto& datum : limits[side].data) {
          JudgedPeriod* slot = slot_at(datum.time);
          if (!slot) continue;
          (side == 0 ? slot->lower : slot->upper) = datum.value;
          known[static_cast<std::size_t>(slot - slots.data())] = side == 1;
        }
      }
      for (std::size_t i = 0; i < slots.size(); ++i) {
        if (!known[i]) slots[i].mark = Mark::kMissing;
      }
    }
  }
  for (auto& slot : slots) {
    if (slot.mark == Mark::kGood && breaches(rule_.comparison, slot.value, slot.lower, slot.upper)) {
      slot.mark = Mark::kBreaching;
    }
  }
  return slots;
}

Result<Verdict> Watch::evaluate(const Series& series, math::Bands& bands, base::TimePoint end, AlarmState current,
                                base::TimePoint now, bool explain) const {
  if (extensions_.objective) return burn_rate(series, bands, end, current, explain);
  double threshold = rule_.threshold.value_or(0);
  if (current == AlarmState::kAlarm) threshold = extensions_.recovery_threshold.value_or(threshold);
  auto slots = read(series, bands, end, threshold);
  if (!slots) return slots.error();
  const auto judgement = judge(*slots, n(), m(), missing_);
  Verdict verdict;
  verdict.state = judgement.state;
  if (!judgement.judged.empty()) verdict.value = (*slots)[judgement.judged[0]].value;
  if (rule_.ignore_low_samples && rule_.metric) {
    const auto needed = samples_needed(rule_.metric->stat);
    const bool low = needed && std::any_of(judgement.judged.begin(), judgement.judged.end(), [&](std::size_t i) {
                       return static_cast<double>((*slots)[i].samples) < *needed;
                     });
    if (low) verdict.state.reset();
  }
  if (verdict.state && (explain || *verdict.state != current)) {
    auto rule = rule_;
    rule.missing = missing_;
    verdict.reason = reason_of(rule, period_, *slots, judgement, *verdict.state, threshold, now);
  }
  return verdict;
}

// SRE workbook, chapter 5, "Multiwindow, multi-burn-rate alerts": ALARM while the long and the short window of any pair
// both burn faster than its factor. The watched query is the share of bad events, from 0 to 1, and each window is read
// as one period, so that it is the share of all events in it and no average of shares. Windows above a day are whole
// days.
Result<Verdict> Watch::burn_rate(const Series& series, math::Bands& bands, base::TimePoint end, AlarmState current,
                                 bool explain) const {
  const double budget = 1 - *extensions_.objective / 100;
  const auto share_over = [&](std::chrono::seconds window) -> Result<std::optional<double>> {
    const auto period = std::min<std::chrono::seconds>(window, 24h);
    const auto phase = std::chrono::duration_cast<std::chrono::seconds>(end.time_since_epoch()) % period;
    const math::Window read{.from = end - window, .to = end, .phase = phase, .period = period};
    double sum = 0;
    std::size_t count = 0;
    if (rule_.metric) {
      MetricQuery query{rule_.metric->metric, rule_.metric->stat, rule_.metric->unit, period, phase, read.from, end};
      auto points = series.read(query);
      if (!points) return points.error();
      for (const auto& point : *points) sum += point.value, ++count;
    } else {
      auto value = program_.run(watched_, series, read, bands);
      if (!value) return value.error();
      for (const auto& datum : std::get<math::TimeSeries>(*value).data) sum += datum.value, ++count;
    }
    if (count == 0) return std::optional<double>();
    return std::optional(sum / static_cast<double>(count));
  };
  Verdict verdict;
  bool known = false;
  std::string text;
  for (const auto& [factor, long_window, short_window] : extensions_.burn_rates) {
    auto slow = share_over(long_window);
    if (!slow) return slow.error();
    auto fast = share_over(short_window);
    if (!fast) return fast.error();
    known = known || *slow;
    if (*fast && !verdict.value) verdict.value = **fast;
    const bool burns = *slow && *fast && **slow > factor * budget && **fast > factor * budget;
    if (burns) verdict.state = AlarmState::kAlarm;
    const auto part = [&](std::chrono::seconds window, const std::optional<double>& share) {
      return share ? fmt::format("{:.2f}x over {}", *share / budget, duration_text(window))
                   : fmt::format("unknown over {}", duration_text(window));
    };
    text += fmt::format("{}{} and {} ({}fires above {}x)", text.empty() ? "" : "; ", part(long_window, *slow),
                        part(short_window, *fast), burns ? "" : "not burning, ", factor);
  }
  if (!verdict.state) verdict.state = known ? AlarmState::kOk : AlarmState::kInsufficientData;
  if (explain || *verdict.state != current) {
    verdict.reason.text = fmt::format("Burn rate of the error budget ({:.4g} % of events, objective {} %): {}.",
                                      budget * 100, *extensions_.objective, text);
  }
  return verdict;
}

}  // namespace securebase::monitoring
