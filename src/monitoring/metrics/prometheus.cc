#include "monitoring/metrics/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace securebase::monitoring {

namespace {

constexpr std::array kMillisecondBounds{0.05, 0.1,  0.25, 0.5,  1.0,  2.5,   5.0,   10.0,  25.0,   50.0,   75.0,
                                        100., 150., 200., 250., 500., 1000., 2500., 5000., 10000., 30000., 60000.};
constexpr std::array kPercentBounds{0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 100.0};
constexpr std::array kOtherBounds{0.0,  1.0, 2.0, 5.0, 10., 20., 50., 100., 200.,
                                  500., 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

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

// How long the UTF-8 sequence in front is (RFC 3629); 0: it is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool wrong_second = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                            (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
  return wrong_second ? 0 : length;
}

// A receiver refuses a whole request for one value that is no UTF-8.
std::string as_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = sequence_length(text);
    out += length > 0 ? text.substr(0, length) : "\xef\xbf\xbd";
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
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
  while (out.starts_with("__")) out.erase(0, 1);
  return out.empty() ? "_" : out;
}

PrometheusLabels prometheus_labels(const telemetry::Dimensions& dimensions) {
  PrometheusLabels labels;
  for (const auto& [name, value] : dimensions) {
    if (!value.empty()) labels.emplace_back(prometheus_label(name), as_utf8(value));
  }
  std::ranges::sort(labels);
  PrometheusLabels each_once;
  for (auto& label : labels) {
    if (!each_once.empty() && each_once.back().first == label.first) {
      each_once.back().second += ";" + label.second;
    } else {
      each_once.push_back(std::move(label));
    }
  }
  return each_once;
}

HistogramBounds histogram_bounds(telemetry::Unit unit) {
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

std::string prometheus_number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace securebase::monitoring
