// GetMetricData: statistics and expressions over a time, in pages.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "aws/json_value.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/api.h"
#include "monitoring/math/label.h"
#include "monitoring/math/program.h"

namespace securebase::monitoring::api {

namespace {

using aws::Value;
using namespace std::chrono_literals;

constexpr std::size_t kMostQueries = 500;
constexpr std::int64_t kMostDatapoints = 100'800;

// Older data are kept in longer periods only (CloudWatch API, GetMetricData, StartTime).
std::chrono::seconds kept_period(base::TimePoint start, base::TimePoint now) {
  const auto age = now - start;
  if (age > 24h * 63) return 3600s;
  if (age > 24h * 15) return 300s;
  return age > 3h ? 60s : 1s;
}

std::chrono::seconds round_up(std::chrono::seconds period, std::chrono::seconds least) {
  return (period + least - 1s) / least * least;
}

struct Line {
  std::string id;
  std::string label;
  math::TimeSeries series;
  std::vector<std::pair<std::string, std::string>> messages;
};

// Where a page goes on: line number and the time of its last point, "3@1769248800000000".
struct Place {
  std::size_t line = 0;
  std::optional<base::TimePoint> after;
};
std::optional<Place> place_in(std::string_view token) {
  const auto text = page_place(token);
  if (!text) return std::nullopt;
  Place made;
  std::int64_t time = 0;
  const char* last = text->data() + text->size();
  const auto [end, failure] = std::from_chars(text->data(), last, made.line);
  if (failure != std::errc{} || end == last || *end != '@') return std::nullopt;
  if (std::from_chars(end + 1, last, time).ec != std::errc{}) return std::nullopt;
  if (time != 0) made.after = base::TimePoint(std::chrono::microseconds(time));
  return made;
}

class Answerer {
 public:
  Answerer(Alarms& alarms, const Series& series, const aws::Call& call)
      : alarms_(alarms), series_(series), call_(call) {}

  aws::Outcome answer() {
    const Value& input = call_.input;
    start_ = input["StartTime"].time_or({});
    end_ = input["EndTime"].time_or({});
    if (start_ >= end_) return validation("The parameter StartTime must be less than the parameter EndTime.");
    if (auto fault = read_queries()) return *fault;
    if (const auto timezone = input["LabelOptions"]["Timezone"].string_or(""); !timezone.empty()) {
      const auto parsed = math::parse_timezone(timezone);
      if (!parsed)
        return validation(
            fmt::format("LabelOptions.Timezone \"{}\" is none; expected +0130, -0800 or the like", timezone));
      timezone_ = *parsed;
    }
    Place place;
    if (const auto token = input["NextToken"].string_or(""); !token.empty()) {
      const auto found = place_in(token);
      if (!found) return aws::Fault{"InvalidNextToken", "The NextToken is none that GetMetricData gave", 400, {}};
      place = *found;
    }
    if (auto fault = run()) return *fault;
    return page(place);
  }

 private:
  std::optional<aws::Fault> read_queries() {
    const auto& list = call_.input["MetricDataQueries"].elements();
    if (list.empty()) return validation("MetricDataQueries holds at least one");
    if (list.size() > kMostQueries)
      return validation(fmt::format("MetricDataQueries holds at most {}, got {}", kMostQueries, list.size()));
    const auto least = kept_period(start_, call_.now);
    for (const auto& one : list) {
      auto query = data_query_from(json_from(one, aws::TimeAs::kWholeSeconds));
      if (!query) return fault_of(query.error());
      std::string message;
      if (query->metric_stat) {
        const auto asked = query->metric_stat->period;
        query->metric_stat->period = round_up(asked, least);
        if (query->metric_stat->period != asked) {
          message =
              fmt::format("Of {} only periods of {} s are kept; the period is {} s instead of {} s",
                          base::iso8601(start_), least.count(), query->metric_stat->period.count(), asked.count());
        }
      }
      messages_.push_back(std::move(message));
      queries_.push_back(std::move(*query));
    }
    return std::nullopt;
  }

  std::optional<aws::Fault> run() {
    auto program = math::Program::compile(queries_, math::Use::kGraph);
    if (!program) return fault_of(program.error());
    std::vector<std::size_t> wanted;
    auto shortest = 3600s;
    for (std::size_t i = 0; i < queries_.size(); ++i) {
      if (queries_[i].metric_stat) shortest = std::min(shortest, queries_[i].metric_stat->period);
      if (!queries_[i].return_data) continue;
      if (program->type(i) == math::Type::kScalar) {
        return validation(
            fmt::format("Error in expression '{}': the result is a number; it has to be a time series, such as "
                        "TIME_SERIES(...) makes of it",
                        queries_[i].id));
      }
      wanted.push_back(i);
    }
    if (wanted.empty()) return validation("At least one of MetricDataQueries has ReturnData true");
    const auto past = start_.time_since_epoch() % std::chrono::microseconds(std::min(shortest, 60s));
    const math::Window window{.from = start_ - past, .to = end_, .phase = {}, .period = {}};
    math::Bands bands([this](const MetricStat& metric) {
      std::vector<math::ExcludedRange> excluded;
      for (const auto& detector : alarms_.detectors()) {
        if (detector.metric.metric != metric.metric || detector.metric.stat != metric.stat) continue;
        for (const auto& [from, to] : detector.excluded) excluded.push_back({from, to});
      }
      return excluded;
    });
    auto values = program->run(wanted, series_, window, bands);
    if (!values)
      return values.error().code == Errc::kLimit ? validation(values.error().message) : fault_of(values.error());
    for (std::size_t i = 0; i < wanted.size(); ++i) add(wanted[i], std::move((*values)[i]));
    return std::nullopt;
  }

  void add(std::size_t query, math::Value value) {
    const auto& asked = queries_[query];
    const math::LabelContext context{std::string(call_.region), std::string(call_.account), timezone_, call_.now};
    const bool one = math::type_of(value) == math::Type::kSeries;
    math::Array many;
    if (one) {
      many.push_back(std::move(std::get<math::TimeSeries>(value)));
    } else {
      many = std::move(std::get<math::Array>(value));
    }
    for (auto& series : many) {
      Line line;
      line.id = asked.id;
      const std::string own = series.label;
      if (asked.label.empty()) {
        line.label = own;
      } else {
        line.label = math::render_label(asked.label, own, series, asked.metric_stat, context);
        // Several lines of one query would all be called the same.
        if (!one && asked.label.find("${") == std::string::npos) line.label += " " + own;
      }
      if (!messages_[query].empty()) line.messages.emplace_back("PeriodAdjusted", messages_[query]);
      line.series = std::move(series);
      lines_.push_back(std::move(line));
    }
  }

  aws::Outcome page(const Place& place) {
    const bool ascending = call_.input["ScanBy"].string_or("") == "TimestampAscending";
    auto left = std::clamp<std::int64_t>(call_.input["MaxDatapoints"].integer_or(kMostDatapoints), 1, kMostDatapoints);
    Value results = Value::list();
    Value output = Value::structure();
    for (std::size_t i = place.line; i < lines_.size(); ++i) {
      auto& line = lines_[i];
      auto& data = line.series.data;
      if (!ascending) std::reverse(data.begin(), data.end());
      auto from = data.begin();
      if (i == place.line && place.after) {
        while (from != data.end() && (ascending ? from->time <= *place.after : from->time >= *place.after)) ++from;
      }
      if (left == 0 && from != data.end()) {
        output.set("NextToken", page_token(fmt::format("{}@0", i)));
        break;
      }
      const auto count = std::min<std::int64_t>(left, data.end() - from);
      left -= count;
      const bool whole = count == data.end() - from;
      Value times = Value::list(), values = Value::list(), messages = Value::list();
      for (auto datum = from; datum != from + count; ++datum) {
        times.push_back(datum->time);
        values.push_back(datum->value);
      }
      for (const auto& [code, text] : line.messages)
        messages.push_back(Value::structure({{"Code", code}, {"Value", text}}));
      Value result = Value::structure({{"Id", line.id},
                                       {"Label", line.label},
                                       {"Timestamps", std::move(times)},
                                       {"Values", std::move(values)},
                                       {"StatusCode", whole ? "Complete" : "PartialData"}});
      if (!line.messages.empty()) result.set("Messages", std::move(messages));
      results.push_back(std::move(result));
      if (!whole) {
        const auto last = (from + count - 1)->time.time_since_epoch().count();
        output.set("NextToken", page_token(fmt::format("{}@{}", i, last)));
        break;
      }
    }
    output.set("MetricDataResults", std::move(results));
    output.set("Messages", Value::list());
    return aws::Answer(std::move(output));
  }

  Alarms& alarms_;
  const Series& series_;
  const aws::Call& call_;
  base::TimePoint start_, end_;
  std::chrono::minutes timezone_{0};
  std::vector<DataQuery> queries_;
  std::vector<std::string> messages_;  // one for each query, or ""
  std::vector<Line> lines_;
};

}  // namespace

aws::Outcome get_metric_data(Alarms& alarms, const Series& series, const aws::Call& call) {
  return Answerer(alarms, series, call).answer();
}

}  // namespace securebase::monitoring::api
