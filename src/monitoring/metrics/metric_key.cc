#include "monitoring/metrics/metric_key.h"

#include <algorithm>
#include <array>

#include "monitoring/metrics/varint.h"

namespace securebase::monitoring {

namespace {

constexpr std::array<std::string_view, 27> kUnits{"None",
                                                  "Seconds",
                                                  "Microseconds",
                                                  "Milliseconds",
                                                  "Bytes",
                                                  "Kilobytes",
                                                  "Megabytes",
                                                  "Gigabytes",
                                                  "Terabytes",
                                                  "Bits",
                                                  "Kilobits",
                                                  "Megabits",
                                                  "Gigabits",
                                                  "Terabits",
                                                  "Percent",
                                                  "Count",
                                                  "Bytes/Second",
                                                  "Kilobytes/Second",
                                                  "Megabytes/Second",
                                                  "Gigabytes/Second",
                                                  "Terabytes/Second",
                                                  "Bits/Second",
                                                  "Kilobits/Second",
                                                  "Megabits/Second",
                                                  "Gigabits/Second",
                                                  "Terabits/Second",
                                                  "Count/Second"};

}  // namespace

void append_key_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

std::optional<UnitNumber> unit_number(std::string_view unit) {
  const auto found = std::find(kUnits.begin(), kUnits.end(), unit);
  if (found == kUnits.end()) return std::nullopt;
  return static_cast<UnitNumber>(found - kUnits.begin());
}

std::string_view unit_name(UnitNumber unit) { return unit < kUnits.size() ? kUnits[unit] : kUnits[0]; }

void append_metric_key(std::string& out, const MetricId& metric) {
  append_key_text(out, metric.name_space);
  append_key_text(out, metric.name);
  for (const auto& [name, value] : metric.dimensions) {
    append_key_text(out, name);
    append_key_text(out, value);
  }
}

std::string metric_key(const MetricId& metric) {
  std::string key;
  append_metric_key(key, metric);
  return key;
}

std::optional<MetricId> metric_of(std::string_view key) {
  Cursor in(key);
  const auto text = [&in] { return std::string(in.bytes(in.varint())); };
  MetricId metric;
  metric.name_space = text();
  metric.name = text();
  while (!in.at_end() && !in.bad()) {
    std::string name = text();
    metric.dimensions.emplace_back(std::move(name), text());
  }
  if (in.bad()) return std::nullopt;
  return metric;
}

}  // namespace securebase::monitoring
