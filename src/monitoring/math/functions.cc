#include "monitoring/math/functions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/check.h"

namespace securebase::monitoring::math {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double compute(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd:
      return a + b;
    case Operator::kSubtract:
      return a - b;
    case Operator::kMultiply:
      return a * b;
    case Operator::kDivide:
      return b == 0 ? kNone : a / b;
    case Operator::kPower:
      return std::pow(a, b);
    case Operator::kEqual:
      return a == b;
    case Operator::kNotEqual:
      return a != b;
    case Operator::kLess:
      return a < b;
    case Operator::kLessOrEqual:
      return a <= b;
    case Operator::kGreater:
      return a > b;
    case Operator::kGreaterOrEqual:
      return a >= b;
    case Operator::kAnd:
      return a != 0 && b != 0;
    case Operator::kOr:
      return a != 0 || b != 0;
  }
  return kNone;
}

void push_finite(std::vector<Datum>& data, base::TimePoint time, double value) {
  if (std::isfinite(value)) data.push_back({time, value});
}

template <class F>
TimeSeries each(const TimeSeries& series, F compute_one) {
  TimeSeries made{series.label, series.period, {}};
  made.data.reserve(series.data.size());
  for (const auto& datum : series.data) push_finite(made.data, datum.time, compute_one(datum.value));
  return made;
}

// One step for each time that either has.
template <class F>
void merge(const std::vector<Datum>& a, const std::vector<Datum>& b, F take) {
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() || y != b.end()) {
    if (y == b.end() || (x != a.end() && x->time < y->time)) {
      take(x->time, &x->value, nullptr);
      ++x;
    } else if (x == a.end() || y->time < x->time) {
      take(y->time, nullptr, &y->value);
      ++y;
    } else {
      take(x->time, &x->value, &y->value);
      ++x, ++y;
    }
  }
}

TimeSeries combine(Operator op, const TimeSeries& a, const TimeSeries& b) {
  TimeSeries made{a.label, std::max(a.period, b.period), {}};
  made.data.reserve(std::max(a.data.size(), b.data.size()));
  merge(a.data, b.data, [&](base::TimePoint time, const double* x, const double* y) {
    push_finite(made.data, time, compute(op, x ? *x : 0, y ? *y : 0));
  });
  return made;
}

TimeSeries map_series(std::string_view function, const TimeSeries& series) {
  if (function == "ABS") return each(series, [](double x) { return std::abs(x); });
  if (function == "CEIL") return each(series, [](double x) { return std::ceil(x); });
  if (function == "FLOOR") return each(series, [](double x) { return std::floor(x); });
  if (function == "LOG") return each(series, [](double x) { return std::log(x); });
  if (function == "LOG10") return each(series, [](double x) { return std::log10(x); });
  if (function == "RUNNING_SUM") {
    double sum = 0;
    return each(series, [&sum](double x) { return sum += x; });
  }
  // The others compare a point with the one before it.
  TimeSeries made{series.label, series.period, {}};
  for (std::size_t i = 1; i < series.data.size(); ++i) {
    const auto& now = series.data[i];
    const auto& before = series.data[i - 1];
    const double seconds = std::chrono::duration<double>(now.time - before.time).count();
    const double change = now.value - before.value;
    push_finite(made.data, now.time, function == "DIFF" ? change : function == "RATE" ? change / seconds : seconds);
  }
  return made;
}

}  // namespace

Value apply(Operator op, const Value& left, const Value& right) {
  if (const auto* many = std::get_if<Array>(&left)) {
    Array made;
    for (const auto& one : *many) made.push_back(std::get<TimeSeries>(apply(op, Value(one), right)));
    return made;
  }
  if (const auto* many = std::get_if<Array>(&right)) {
    Array made;
    for (const auto& one : *many) {
      made.push_back(std::get<TimeSeries>(apply(op, left, Value(one))));
      made.back().label = one.label;
    }
    return made;
  }
  const auto* a = std::get_if<TimeSeries>(&left);
  const auto* b = std::get_if<TimeSeries>(&right);
  if (a && b) return combine(op, *a, *b);
  if (a) return each(*a, [op, y = std::get<double>(right)](double x) { return compute(op, x, y); });
  if (b) return each(*b, [op, x = std::get<double>(left)](double y) { return compute(op, x, y); });
  return compute(op, std::get<double>(left), std::get<double>(right));
}

Value negate(const Value& value) { return apply(Operator::kMultiply, value, Value(-1.0)); }

bool is_map(std::string_view function) {
  for (const auto* name : {"ABS", "CEIL", "FLOOR", "LOG", "LOG10", "DIFF", "DIFF_TIME", "RATE", "RUNNING_SUM"}) {
    if (function == name) return true;
  }
  return false;
}

Value map(std::string_view function, const Value& value) {
  if (const auto* one = std::get_if<TimeSeries>(&value)) return map_series(function, *one);
  if (const auto* number = std::get_if<double>(&value)) {
    const TimeSeries made =
        map_series(function, TimeSeries{"", std::chrono::seconds{60}, {{base::TimePoint{}, *number}}});
    return made.data.empty() ? kNone : made.data[0].value;
  }
  Array made;
  for (const auto& one : std::get<Array>(value)) made.push_back(map_series(function, one));
  return made;
}

bool is_aggregate(std::string_view function) {
  for (const auto* name : {"AVG", "MAX", "MIN", "SUM", "STDDEV", "DATAPOINT_COUNT"}) {
    if (function == name) return true;
  }
  return false;
}

double aggregate_of(std::string_view function, const std::vector<Datum>& data) {
  const auto count = static_cast<double>(data.size());
  if (function == "DATAPOINT_COUNT") return count;
  if (data.empty()) return kNone;
  double sum = 0, least = data[0].value, most = data[0].value;
  for (const auto& datum : data) {
    sum += datum.value;
    least = std::min(least, datum.value);
    most = std::max(most, datum.value);
  }
  if (function == "SUM") return sum;
  if (function == "MIN") return least;
  if (function == "MAX") return most;
  const double mean = sum / count;
  if (function == "AVG") return mean;
  double squares = 0;
  for (const auto& datum : data) squares += (datum.value - mean) * (datum.value - mean);
  return std::sqrt(squares / count);
}

Value aggregate(std::string_view function, const Value& value) {
  if (const auto* one = std::get_if<TimeSeries>(&value)) return aggregate_of(function, one->data);
  std::map<base::TimePoint, std::vector<Datum>> by_time;
  TimeSeries made;
  made.label = function;
  for (const auto& one : std::get<Array>(value)) {
    made.period = std::max(made.period, one.period);
    for (const auto& datum : one.data) by_time[datum.time].push_back(datum);
  }
  for (const auto& [time, data] : by_time) push_finite(made.data, time, aggregate_of(function, data));
  return made;
}

bool is_time(std::string_view function) {
  for (const auto* name : {"MINUTE", "HOUR", "DAY", "DATE", "MONTH", "YEAR", "EPOCH"}) {
    if (function == name) return true;
  }
  return false;
}

Value time_part(std::string_view function, const TimeSeries& series) {
  TimeSeries made{series.label, series.period, series.data};
  for (auto& [time, value] : made.data) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    if (function == "MINUTE") value = static_cast<double>(clock.minutes().count());
    if (function == "HOUR") value = static_cast<double>(clock.hours().count());
    if (function == "DAY") value = std::chrono::weekday{day}.iso_encoding();
    if (function == "DATE") value = static_cast<unsigned>(date.day());
    if (function == "MONTH") value = static_cast<unsigned>(date.month());
    if (function == "YEAR") value = static_cast<int>(date.year());
    if (function == "EPOCH")
      value = static_cast<double>(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
  }
  return made;
}

Value choose(const Value& condition, const Value& then, const Value* otherwise) {
  if (const auto* number = std::get_if<double>(&condition)) {
    const bool holds = *number != 0 && !std::isnan(*number);
    if (holds) return then;
    if (otherwise) return *otherwise;
    if (const auto* series = std::get_if<TimeSeries>(&then)) return TimeSeries{series->label, series->period, {}};
    return kNone;
  }
  const auto& conditions = std::get<TimeSeries>(condition);
  TimeSeries made{conditions.label, conditions.period, {}};
  const auto value_at = [](const Value* branch, base::TimePoint time) -> std::optional<double> {
    if (!branch) return std::nullopt;
    if (const auto* number = std::get_if<double>(branch)) return *number;
    const auto& data = std::get<TimeSeries>(*branch).data;
    const auto at = std::lower_bound(data.begin(), data.end(), time,
                                     [](const Datum& datum, base::TimePoint wanted) { return datum.time < wanted; });
    return at != data.end() && at->time == time ? std::optional(at->value) : std::nullopt;
  };
  for (const auto& [time, holds] : conditions.data) {
    const auto value = holds != 0 ? value_at(&then, time).value_or(0) : value_at(otherwise, time);
    if (value) push_finite(made.data, time, *value);
  }
  return made;
}

Array sort(Array array, std::string_view function, bool ascending, std::size_t most) {
  std::stable_sort(array.begin(), array.end(), [&](const TimeSeries& a, const TimeSeries& b) {
    const double x = aggregate_of(function, a.data);
    const double y = aggregate_of(function, b.data);
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
    return ascending ? x < y : x > y;
  });
  if (array.size() > most) array.resize(most);
  return array;
}

}  // namespace securebase::monitoring::math
