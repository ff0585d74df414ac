#include "monitoring/metrics/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "monitoring/metrics/newest_minutes.h"
#include "monitoring/metrics/prometheus.h"

namespace securebase::monitoring {

namespace {

using telemetry::Buckets;

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
  for (const auto& [name, value] : prometheus_labels(dimensions)) {
    if (!labels.empty()) labels += ',';
    labels += name;
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
  const auto bounds = histogram_bounds(unit);
  auto bucket = sketch.buckets().begin();
  std::uint64_t below = 0;
  for (const double value : bounds.values) {
    const double bound = value * bounds.scale;
    for (; bucket != sketch.buckets().end() && bucket->index <= Buckets::index(bound); ++bucket) below += bucket->count;
    append_sample(out, name + "_bucket", fmt::format("{}le=\"{}\"", comma, prometheus_number(bound)),
                  std::to_string(below));
  }
  append_sample(out, name + "_bucket", comma + "le=\"+Inf\"", std::to_string(sketch.count()));
  append_sample(out, name + "_sum", labels, prometheus_number(sketch.sum()));
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
    if (series.gauge) append_sample(out, name, labels, prometheus_number(series.gauge->value()));
    if (series.distribution) append_histogram(out, name, labels, metric.unit, series.distribution->total());
  }
}

void append_put(std::string& out, const telemetry::Registry& registry, const Store& store, base::TimePoint now) {
  const auto newest = newest_minutes(registry, store, now, Percentiles::kNone);
  std::map<std::string, std::string> families;
  for (const auto& minute : newest.minutes) {
    const std::string name = prometheus_name(minute.metric.name_space, minute.metric.name, unit_name(minute.unit));
    const std::string labels = labels_of(minute.metric.dimensions);
    for (const auto& [suffix, value] : gauges_of(minute)) {
      const std::string family = name + std::string(suffix);
      append_sample(families[family], family, labels, prometheus_number(value));
    }
  }
  for (const auto& [name, samples] : families) {
    append_head(out, name, "gauge", "Of the newest whole minute in the last five.");
    out += samples;
  }
  if (newest.left_out > 0) {
    append_head(out, "securebase_monitoring_put_series_left_out", "gauge",
                "Put metrics that this answer has no room for.");
    append_sample(out, "securebase_monitoring_put_series_left_out", "",
                  prometheus_number(static_cast<double>(newest.left_out)));
  }
}

}  // namespace

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
