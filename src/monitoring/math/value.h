// What a metric math expression comes to (CloudWatch user guide, "Using metric math"): a scalar (S), a time series (TS)
// or an array of time series (TS[]). Values without threads.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "monitoring/series.h"

namespace securebase::monitoring::math {

struct Datum {
  base::TimePoint time;  // start of its period
  double value = 0;
  bool operator==(const Datum&) const = default;
};

struct TimeSeries {
  std::string label;
  std::chrono::seconds period{60};
  std::vector<Datum> data;  // oldest first, each time once
};

using Array = std::vector<TimeSeries>;
using Value = std::variant<double, TimeSeries, Array>;

enum class Type { kScalar, kSeries, kArray };
inline Type type_of(const Value& value) { return static_cast<Type>(value.index()); }
// "a number", "a time series", "an array of time series": for messages.
inline const char* to_string(Type type) {
  return type == Type::kScalar ? "a number" : type == Type::kSeries ? "a time series" : "an array of time series";
}

}  // namespace securebase::monitoring::math
