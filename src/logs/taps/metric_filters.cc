#include "logs/taps/metric_filters.h"

#include <charconv>
#include <cmath>

#include "base/log.h"

namespace securebase::logs {

namespace {

constexpr std::int64_t kMinuteMs = 60'000;

std::optional<double> measured_number(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

Measurement measurement_of(const MetricTransformation& to, std::int64_t time_ms, double value) {
  Measurement one;
  one.name_space = to.name_space;
  one.name = to.name;
  one.unit = to.unit;
  one.time = base::TimePoint{std::chrono::milliseconds(time_ms)};
  one.values = {{value, 1}};
  return one;
}

}  // namespace

MetricFilters::MetricFilters(const GroupSettings& settings) {
  for (const auto& [name, filter] : settings.metric_filters) {
    auto pattern = Pattern::compile(filter.pattern);
    if (!pattern) {  // it was checked when it was put
      base::log(base::Level::kWarning, "logs", "metric filter {} of {}: {}", name, settings.name,
                pattern.error().message);
      continue;
    }
    filters_.push_back({filter, std::move(*pattern)});
  }
}

void MetricFilters::measure(std::span<const Event> events, std::vector<Measurement>& into) {
  for (auto& one : filters_) measure(one, events, into);
}

void MetricFilters::measure(Compiled& one, std::span<const Event> events, std::vector<Measurement>& into) {
  const auto& to = one.filter.transformation;
  for (const auto& event : events) {
    const bool matches = one.pattern.matches(event.message);
    if (to.default_value) {
      const std::lock_guard lock(mutex_);
      const auto minute = event.time_ms / kMinuteMs;
      if (minute > one.minute) {
        if (one.minute != 0 && !one.matched)
          into.push_back(measurement_of(to, one.minute * kMinuteMs, *to.default_value));
        one.minute = minute;
        one.matched = false;
      }
      one.matched = one.matched || (matches && minute == one.minute);
    }
    if (!matches) continue;
    const auto text = one.pattern.value(to.value, event.message);
    const auto number = text ? measured_number(*text) : std::nullopt;
    if (!number) continue;
    auto made = measurement_of(to, event.time_ms, *number);
    bool whole = true;
    for (const auto& [name, selector] : to.dimensions) {
      auto value = one.pattern.value(selector, event.message);
      whole = whole && value && !value->empty();
      if (whole) made.dimensions.emplace_back(name, std::move(*value));
    }
    if (whole) into.push_back(std::move(made));
  }
}

}  // namespace securebase::logs
