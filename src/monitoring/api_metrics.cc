#include "monitoring/api_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/encoding.h"

namespace securebase::monitoring {

namespace {

using aws::Fault;
using aws::Outcome;
using aws::Value;

constexpr std::int64_t kMostDatapoints = 1440;
constexpr std::int64_t kLongestPeriod = 86'400;
constexpr std::size_t kMetricsPerPage = 500;

Fault invalid_value(std::string message) { return Fault{"InvalidParameterValue", std::move(message)}; }
Fault invalid_combination(std::string message) { return Fault{"InvalidParameterCombination", std::move(message)}; }
Fault missing(std::string message) { return Fault{"MissingParameter", std::move(message)}; }

Fault metrics_fault(const Error& error) {
  switch (error.code) {
    case Errc::kLimit:
      return Fault{"LimitExceeded", error.message};
    case Errc::kMalformed:
      return invalid_value(error.message);
    case Errc::kUnavailable:
      return Fault{"InternalServiceFault", error.message, 500};
    default:
      return Fault{"InternalServiceFault", error.message, 500};
  }
}

Fault not_valid(std::string_view value, const std::string& parameter, std::string_view rule) {
  return invalid_value(
      fmt::format("The value {} for parameter {} is invalid: {}.", value.substr(0, 100), parameter, rule));
}

Result<Done, Fault> check_number(double value, const std::string& parameter) {
  if (std::isfinite(value) && std::abs(value) <= kLargestValue) return Done{};
  return not_valid(fmt::format("{}", value), parameter, "values are finite, from -2^360 to 2^360");
}

// A number of occurrences. Fractions, which agents send for sampled data, count as the nearest whole number.
Result<std::uint64_t, Fault> count_of(double value, const std::string& parameter) {
  if (!std::isfinite(value) || value <= 0 || value > kLargestCount) {
    return not_valid(fmt::format("{}", value), parameter, "counts are above 0");
  }
  return static_cast<std::uint64_t>(std::max(1.0, std::nearbyint(value)));
}

Result<Summary, Fault> statistic_set_of(const Value& set, const std::string& where) {
  double numbers[3];
  const char* const names[] = {"Sum", "Minimum", "Maximum"};
  for (std::size_t i = 0; i < 3; ++i) {
    numbers[i] = set[names[i]].number_or(0);
    if (auto checked = check_number(numbers[i], where + names[i]); !checked) return checked.error();
  }
  const auto count = count_of(set["SampleCount"].number_or(0), where + "SampleCount");
  if (!count) return count.error();
  const auto [sum, minimum, maximum] = numbers;
  if (minimum > maximum) {
    return invalid_value(fmt::format("The parameter {}Minimum must be less than or equal to {}Maximum.", where, where));
  }
  if (*count == 1 && minimum != maximum) {
    return invalid_value(fmt::format("With a {}SampleCount of 1, Minimum and Maximum must be the same.", where));
  }
  return Summary::of_set(*count, sum, minimum, maximum);
}

Result<Summary, Fault> values_of(const Value& datum, const std::string& where) {
  const auto& values = datum["Values"].elements();
  const auto& counts = datum["Counts"].elements();
  if (values.size() > kMostValues || counts.size() > kMostValues) {
    return invalid_value(
        fmt::format("The collection {}Values must not have a size greater than {}.", where, kMostValues));
  }
  if (!counts.empty() && counts.size() != values.size()) {
    return invalid_value(fmt::format("The parameters {}Values and {}Counts must be of the same size.", where, where));
  }
  Summary samples;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i].number_or(NAN);
    if (auto checked = check_number(value, fmt::format("{}Values.member.{}", where, i + 1)); !checked) {
      return checked.error();
    }
    std::uint64_t times = 1;
    if (!counts.empty()) {
      const auto count = count_of(counts[i].number_or(0), fmt::format("{}Counts.member.{}", where, i + 1));
      if (!count) return count.error();
      times = *count;
    }
    samples.add(value, times);
  }
  return samples;
}

Result<Summary, Fault> samples_of(const Value& datum, const std::string& where) {
  const bool value = !datum["Value"].is_null();
  const bool set = !datum["StatisticValues"].is_null();
  const bool values = !datum["Values"].elements().empty();
  for (const auto& [one, other, both] :
       {std::tuple{"Value", "StatisticValues", value && set}, std::tuple{"Value", "Values", value && values},
        std::tuple{"StatisticValues", "Values", set && values}}) {
    if (!both) continue;
    return invalid_combination(fmt::format(
        "The parameters {}{} and {}{} are mutually exclusive and you have specified both.", where, one, where, other));
  }
  if (!datum["Counts"].elements().empty() && !values) {
    return invalid_combination(fmt::format("The parameter {}Counts needs {}Values.", where, where));
  }
  if (set) return statistic_set_of(datum["StatisticValues"], where + "StatisticValues.");
  if (values) return values_of(datum, where);
  if (!value) return missing(fmt::format("One of {}Value, Values and StatisticValues must be specified.", where));
  const double number = datum["Value"].number_or(NAN);
  if (auto checked = check_number(number, where + "Value"); !checked) return checked.error();
  Summary samples;
  samples.add(number);
  return samples;
}

Result<Datum, Fault> datum_of(const Value& input, std::string_view name_space, const std::string& where,
                              base::TimePoint now) {
  auto metric = metric_of_input(input, name_space, where);
  if (!metric) return metric.error();
  Datum datum;
  datum.metric = std::move(*metric);
  const auto unit = input["Unit"].string_or("None");
  const auto number = unit_number(unit);
  if (!number) return not_valid(unit, where + "Unit", "it is none of CloudWatch's units");
  datum.unit = *number;
  const auto resolution = input["StorageResolution"].integer_or(60);
  if (resolution != 1 && resolution != 60) {
    return not_valid(std::to_string(resolution), where + "StorageResolution", "it is 1 or 60");
  }
  datum.resolution = resolution == 1 ? Resolution::kSecond : Resolution::kMinute;
  datum.time = input["Timestamp"].time_or(now);
  if (datum.time < now - kOldestSample) {
    return invalid_value(
        fmt::format("The parameter {}Timestamp must specify a time no more than two weeks in the past.", where));
  }
  if (datum.time > now + kNewestSample) {
    return invalid_value(
        fmt::format("The parameter {}Timestamp must specify a time less than two hours in the future.", where));
  }
  auto samples = samples_of(input, where);
  if (!samples) return samples.error();
  datum.samples = std::move(*samples);
  return datum;
}

// "p95" as well as "Average,Maximum", in Statistics as in ExtendedStatistics. By name, in the order of asking.
Result<std::vector<std::pair<std::string, Statistic>>, Fault> statistics_of(const Value& input) {
  std::vector<std::pair<std::string, Statistic>> statistics;
  for (const char* member : {"Statistics", "ExtendedStatistics"}) {
    for (const auto& element : input[member].elements()) {
      std::string_view names = element.string_or("");
      while (true) {
        const auto comma = names.find(',');
        std::string_view name = names.substr(0, comma);
        while (name.starts_with(' ')) name.remove_prefix(1);
        while (name.ends_with(' ')) name.remove_suffix(1);
        const auto statistic = parse_statistic(name);
        if (!statistic) return invalid_value(fmt::format("The parameter {}: {}.", member, statistic.error().message));
        const bool again = std::ranges::any_of(statistics, [&](const auto& known) { return known.first == name; });
        if (!again) statistics.emplace_back(name, *statistic);
        if (comma == std::string_view::npos) break;
        names.remove_prefix(comma + 1);
      }
    }
  }
  if (statistics.empty()) return missing("Must specify either Statistics or ExtendedStatistics.");
  return statistics;
}

// The period and the times of a request. CloudWatch's own rules for both.
Result<MetricQuery, Fault> window_of(const Value& input) {
  MetricQuery query;
  const auto period = input["Period"].integer_or(0);
  const bool below_a_minute = period == 1 || period == 5 || period == 10 || period == 20 || period == 30;
  if (!below_a_minute && (period < 60 || period % 60 != 0 || period > kLongestPeriod)) {
    return not_valid(std::to_string(period), "Period",
                     "it is 1, 5, 10, 20, 30, or a multiple of 60 up to 86400 seconds");
  }
  query.period = std::chrono::seconds{period};
  const auto start = input["StartTime"].time_or({});
  query.to = input["EndTime"].time_or({});
  if (start >= query.to) {
    return invalid_combination("The parameter StartTime must be less than the parameter EndTime.");
  }
  const auto second = std::chrono::floor<std::chrono::seconds>(start).time_since_epoch().count();
  query.from = base::TimePoint{std::chrono::seconds{floor_divide(second, period) * period}};
  const auto datapoints = (query.to - query.from + query.period - std::chrono::microseconds{1}) / query.period;
  if (datapoints > kMostDatapoints) {
    return invalid_combination(
        fmt::format("You have requested up to {} datapoints, which exceeds the limit of {}. You "
                    "may reduce the datapoints requested by increasing Period, or decreasing "
                    "the time range.",
                    datapoints, kMostDatapoints));
  }
  return query;
}

bool is_plain(const Statistic& statistic) { return !statistic.needs_distribution(); }

Value metric_value(const MetricId& metric) {
  auto dimensions = Value::list();
  for (const auto& [name, value] : metric.dimensions) {
    dimensions.push_back(Value::structure({{"Name", name}, {"Value", value}}));
  }
  return Value::structure(
      {{"Namespace", metric.name_space}, {"MetricName", metric.name}, {"Dimensions", std::move(dimensions)}});
}

}  // namespace

bool is_name(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest && text.front() != ':' &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }) &&
         std::ranges::any_of(text, [](char c) { return c != ' '; });
}

Result<MetricId, Fault> metric_of_input(const Value& input, std::string_view name_space, const std::string& where) {
  MetricId metric;
  metric.name_space = name_space;
  metric.name = input["MetricName"].string_or("");
  if (metric.name.empty()) return missing(fmt::format("The parameter {}MetricName is required.", where));
  if (!is_name(metric.name, kLongestName)) {
    return not_valid(metric.name, where + "MetricName", "a name is up to 255 characters of ASCII");
  }
  const auto& dimensions = input["Dimensions"].elements();
  if (dimensions.size() > kMostDimensions) {
    return invalid_value(
        fmt::format("The collection {}Dimensions must not have a size greater than {}.", where, kMostDimensions));
  }
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const auto name = dimensions[i]["Name"].string_or("");
    const auto value = dimensions[i]["Value"].string_or("");
    const auto member = fmt::format("{}Dimensions.member.{}.", where, i + 1);
    if (!is_name(name, kLongestName)) {
      return not_valid(name, member + "Name", "a name is up to 255 characters of ASCII, not beginning with a colon");
    }
    if (!is_name(value, kLongestDimensionValue)) {
      return not_valid(value, member + "Value",
                       "a value is up to 1024 characters of ASCII, not beginning with a colon");
    }
    metric.dimensions.emplace_back(name, value);
  }
  std::ranges::sort(metric.dimensions);
  const auto twice = std::ranges::adjacent_find(metric.dimensions, {}, [](const auto& d) { return d.first; });
  if (twice != metric.dimensions.end()) {
    return invalid_value(fmt::format("The parameter {}Dimensions has the name {} twice.", where, twice->first));
  }
  return metric;
}

Outcome put_metric_data(Store& store, const aws::Call& call) {
  const auto name_space = call.input["Namespace"].string_or("");
  if (!is_name(name_space, kLongestName)) {
    return not_valid(name_space, "Namespace",
                     "a namespace is up to 255 characters of ASCII, not beginning with a colon");
  }
  if (name_space.starts_with("AWS/")) {
    return not_valid(name_space, "Namespace", "namespaces that begin with AWS/ are the platform's own");
  }
  const auto& inputs = call.input["MetricData"].elements();
  if (inputs.size() > kMostData) {
    return invalid_value(fmt::format("The collection MetricData must not have a size greater than {}.", kMostData));
  }
  std::vector<Datum> data;
  data.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    auto datum = datum_of(inputs[i], name_space, fmt::format("MetricData.member.{}.", i + 1), call.now);
    if (!datum) return datum.error();
    data.push_back(std::move(*datum));
  }
  if (auto put = store.put(data); !put) return metrics_fault(put.error());
  return aws::Answer{};
}

Outcome put_batch(Store& store, PutBatch& batch) {
  if (auto put = store.put(batch); !put) return metrics_fault(put.error());
  return aws::Answer{};
}

Outcome get_metric_statistics(const Store& store, const aws::Call& call) {
  auto window = window_of(call.input);
  if (!window) return window.error();
  const auto statistics = statistics_of(call.input);
  if (!statistics) return statistics.error();
  auto metric = metric_of_input(call.input, call.input["Namespace"].string_or(""), "");
  if (!metric) return metric.error();
  MetricQuery query = *window;
  query.metric = std::move(*metric);
  std::vector<Statistic> asked;
  for (const auto& [name, statistic] : *statistics) asked.push_back(statistic);

  std::vector<std::string> units;
  if (const auto* unit = call.input["Unit"].as_string()) {
    units.push_back(*unit);
  } else {
    units = store.units(query.metric);
  }
  auto datapoints = Value::list();
  for (const auto& unit : units) {
    query.unit = unit;
    const auto read = store.read(query, asked);
    if (!read) return metrics_fault(read.error());
    std::map<base::TimePoint, Value> by_time;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      for (const auto& point : (*read)[i]) {
        Value& datapoint = by_time[point.start];
        if (is_plain(asked[i])) {
          datapoint.set((*statistics)[i].first, point.value);
        } else {
          Value extended = datapoint["ExtendedStatistics"];
          extended.set((*statistics)[i].first, point.value);
          datapoint.set("ExtendedStatistics", std::move(extended));
        }
      }
    }
    for (auto& [time, datapoint] : by_time) {
      datapoint.set("Timestamp", time);
      datapoint.set("Unit", unit);
      datapoints.push_back(std::move(datapoint));
    }
  }
  return Value::structure({{"Label", query.metric.name}, {"Datapoints", std::move(datapoints)}});
}

Outcome list_metrics(const Store& store, const aws::Call& call) {
  MetricFilter filter;
  if (const auto* name_space = call.input["Namespace"].as_string()) filter.name_space = *name_space;
  if (const auto* name = call.input["MetricName"].as_string()) filter.name = *name;
  for (const auto& dimension : call.input["Dimensions"].elements()) {
    const auto* value = dimension["Value"].as_string();
    filter.dimensions.emplace_back(dimension["Name"].string_or(""), value ? std::optional(*value) : std::nullopt);
  }
  const auto recently = call.input["RecentlyActive"].string_or("");
  if (!recently.empty() && recently != "PT3H") return not_valid(recently, "RecentlyActive", "it is PT3H");

  auto metrics = store.list(filter);
  if (!recently.empty()) {
    const auto oldest = call.now - std::chrono::hours{3};
    std::erase_if(metrics, [&](const MetricId& metric) { return store.newest(metric) < oldest; });
  }
  // A token is the metric that was listed last: it holds when others come and go.
  auto first = metrics.begin();
  if (const auto* token = call.input["NextToken"].as_string()) {
    const auto key = base::from_base64url(*token);
    const auto last = key ? metric_of(*key) : std::nullopt;
    if (!last) return Fault{"InvalidParameterValue", "The parameter NextToken is not one that ListMetrics gave."};
    first = std::ranges::upper_bound(metrics, *last);
  }
  auto page = Value::list();
  Value output;
  for (std::size_t listed = 0; first != metrics.end(); ++first, ++listed) {
    if (listed == kMetricsPerPage) {
      output.set("NextToken", base::base64url(metric_key(*std::prev(first))));
      break;
    }
    page.push_back(metric_value(*first));
  }
  output.set("Metrics", std::move(page));
  return output;
}

}  // namespace securebase::monitoring
