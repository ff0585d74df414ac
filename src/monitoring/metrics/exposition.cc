#include "monitoring/metrics/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace securebase::monitoring {

namespace {

using telemetry::Buckets;

constexpr std::size_t kMostPutSeries = 10'000;  // in one answer; the rest is said to be left out

constexpr std::array kMillisecondBounds{0.05, 0.1,  0.25, 0.5,  1.0,  2.5,   5.0,   10.0,  25.0,   50.0,   75.0,
                                        100., 150., 200., 250., 500., 1000., 2500., 5000., 10000., 30000., 60000.};
constexpr std::array kPercentBounds{0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 100.0};
constexpr std::array kOtherBounds{0.0,  1.0, 2.0, 5.0, 10., 20., 50., 100., 200.,
                                  500., 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

struct Bounds {
  std::span<const double> values;
  double scale = 1;
};
Bounds bounds_of(telemetry::Unit unit) {
  switch (unit) {
    case telemetry::Unit::kMilliseconds:
      return {kMillisecondBounds, 1};
    case telemetry::Unit::kMicroseconds:
      return {kMillisecondBounds, 1000};
    case telemetry::Unit::kSeconds:
      return {kMillisecondBounds, 0.001};
    case telemetry::Unit::kPercent:
      return {kPercentBounds, 1};
    default:
      return {kOtherBounds, 1};
  }
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

void append_snake(std::string& out, std::string_view text, bool split_words) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (split_words && is_upper(c) && i > 0 && is_lower(text[i - 1])) out += '_';
    if (is_upper(c)) {
      out += static_cast<char>(c - 'A' + 'a');
    } else if (is_lower(c) || (c >= '0' && c <= '9')) {
      out += c;
    } else {
      out += '_';
    }
  }
  if (!out.empty() && out.front() >= '0' && out.front() <= '9') out.insert(0, "_");
}

std::string unit_suffix(std::string_view unit) {
  if (unit == "None" || unit == "Count" || unit.empty()) return "";
  std::string suffix = "_";
  const auto per_second = unit.find("/Second");
  append_snake(suffix, unit.substr(0, per_second), false);
  if (per_second == std::string_view::npos) return suffix;
  return unit.starts_with("Count") ? "_per_second" : suffix + "_per_second";
}

// As OpenMetrics wants numbers: with a point or an exponent.
std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

std::string labels_of(const telemetry::Dimensions& dimensions) {
  std::string labels;
  for (const auto& [name, value] : dimensions) {
    if (!labels.empty()) labels += ',';
    labels += prometheus_label(name);
    labels += "=\"";
    append_escaped(labels, value);
    labels += '"';
  }
  return labels;
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out += name;
  if (!labels.empty()) fmt::format_to(std::back_inserter(out), "{{{}}}", labels);
  fmt::format_to(std::back_inserter(out), " {}\n", value);
}

void append_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {} ", name);
  append_escaped(out, help);
  fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", name, type);
}

void append_histogram(std::string& out, const std::string& name, const std::string& labels, telemetry::Unit unit,
                      const telemetry::Sketch& sketch) {
  const std::string comma = labels.empty() ? "" : labels + ",";
  const auto bounds = bounds_of(unit);
  auto bucket = sketch.buckets().begin();
  std::uint64_t below = 0;
  for (const double value : bounds.values) {
    const double bound = value * bounds.scale;
    for (; bucket != sketch.buckets().end() && bucket->index <= Buckets::index(bound); ++bucket) below += bucket->count;
    append_sample(out, name + "_bucket", fmt::format("{}le=\"{}\"", comma, number(bound)), std::to_string(below));
  }
  append_sample(out, name + "_bucket", comma + "le=\"+Inf\"", std::to_string(sketch.count()));
  append_sample(out, name + "_sum", labels, number(sketch.sum()));
  append_sample(out, name + "_count", labels, std::to_string(sketch.count()));
}

void append_recorded(std::string& out, const telemetry::Registry& registry, ExpositionFormat format) {
  auto all = registry.series();
  const auto family = [](const telemetry::Registry::Series& series) {
    return std::tuple(series.metric->name_space, series.metric->name);
  };
  std::ranges::stable_sort(all, {}, family);
  const telemetry::Metric* before = nullptr;
  for (const auto& series : all) {
    const auto& metric = *series.metric;
    const std::string name = prometheus_name(metric.name_space, metric.name, to_string(metric.unit));
    if (!before || before->name_space != metric.name_space || before->name != metric.name) {
      const bool total_in_type = series.counter && format == ExpositionFormat::kPrometheus;
      append_head(out, total_in_type ? name + "_total" : name,
                  series.counter ? "counter"
                  : series.gauge ? "gauge"
                                 : "histogram",
                  metric.description);
      before = &metric;
    }
    const std::string labels = labels_of(series.dimensions);
    if (series.counter) append_sample(out, name + "_total", labels, std::to_string(series.counter->total()));
    if (series.gauge) append_sample(out, name, labels, number(series.gauge->value()));
    if (series.distribution) append_histogram(out, name, labels, metric.unit, series.distribution->total());
  }
}

void append_put(std::string& out, const telemetry::Registry& registry, const Store& store, base::TimePoint now) {
  static const std::vector<std::pair<std::string_view, Statistic>> kStatistics{
      {"_average", {Statistic::Kind::kAverage}},
      {"_sum", {Statistic::Kind::kSum}},
      {"_minimum", {Statistic::Kind::kMinimum}},
      {"_maximum", {Statistic::Kind::kMaximum}},
      {"_sample_count", {Statistic::Kind::kSampleCount}}};
  std::vector<Statistic> asked;
  for (const auto& [suffix, statistic] : kStatistics) asked.push_back(statistic);
  std::set<std::pair<std::string_view, std::string_view>> recorded;
  for (const auto* series : registry.series_after(0))
    recorded.emplace(series->metric->name_space, series->metric->name);

  const auto minute = std::chrono::floor<std::chrono::minutes>(now);
  std::map<std::string, std::string> families;
  std::size_t left_out = 0;
  std::size_t listed = 0;
  for (const auto& metric : store.list({})) {
    if (recorded.contains({metric.name_space, metric.name})) continue;
    const auto newest = store.newest(metric);
    if (!newest || *newest < minute - std::chrono::minutes{5}) continue;
    if (++listed > kMostPutSeries) {
      ++left_out;
      continue;
    }
    for (const auto& unit : store.units(metric)) {
      MetricQuery query{.metric = metric,
                        .unit = unit,
                        .period = std::chrono::seconds{60},
                        .from = minute - std::chrono::minutes{5},
                        .to = minute};
      const auto points = store.read(query, asked);
      if (!points || points->front().empty()) continue;
      const std::string name = prometheus_name(metric.name_space, metric.name, unit);
      for (std::size_t i = 0; i < asked.size(); ++i) {
        append_sample(families[name + std::string(kStatistics[i].first)], name + std::string(kStatistics[i].first),
                      labels_of(metric.dimensions), number((*points)[i].back().value));
      }
    }
  }
  for (const auto& [name, samples] : families) {
    append_head(out, name, "gauge", "Of the newest whole minute in the last five.");
    out += samples;
  }
  if (left_out > 0) {
    append_head(out, "securebase_monitoring_put_series_left_out", "gauge",
                "Put metrics that this answer has no room for.");
    append_sample(out, "securebase_monitoring_put_series_left_out", "", number(static_cast<double>(left_out)));
  }
}

}  // namespace

std::string prometheus_name(std::string_view name_space, std::string_view name, std::string_view unit) {
  std::string out;
  append_snake(out, name_space, false);
  out += '_';
  append_snake(out, name, true);
  return out + unit_suffix(unit);
}

std::string prometheus_label(std::string_view dimension) {
  std::string out;
  append_snake(out, dimension, true);
  return out;
}

ExpositionFormat exposition_format(std::string_view accept) {
  return accept.find("application/openmetrics-text") == std::string_view::npos ? ExpositionFormat::kPrometheus
                                                                               : ExpositionFormat::kOpenMetrics;
}

std::string_view content_type_of(ExpositionFormat format) {
  return format == ExpositionFormat::kPrometheus ? "text/plain; version=0.0.4; charset=utf-8"
                                                 : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

std::string expose(const telemetry::Registry& registry, const Store& store, ExpositionFormat format,
                   base::TimePoint now) {
  std::string out;
  append_recorded(out, registry, format);
  append_put(out, registry, store, now);
  if (format == ExpositionFormat::kOpenMetrics) out += "# EOF\n";
  return out;
}

}  // namespace securebase::monitoring
