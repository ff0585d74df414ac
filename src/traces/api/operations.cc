// X-Ray's API.
#include <fmt/format.h>

#include <charconv>

#include "aws/aws.h"
#include "aws/json_value.h"
#include "traces/api/time_series.h"
#include "traces/api/xray_json.h"
#include "traces/engine.h"
#include "traces/segment/graph.h"

namespace securebase::traces {

namespace {

using aws::Call;
using aws::Fault;
using aws::Outcome;
using base::Json;

constexpr std::size_t kMostIds = 5;                // of BatchGetTraces
constexpr std::chrono::hours kLongestSummary{24};  // of GetTraceSummaries
constexpr std::string_view kDefaultGroup = "Default";
constexpr int kMostPoints = 1500;         // of a time series: a day of minutes, five days of five
constexpr std::size_t kSummaries = 1000;  // a page

// X-Ray's own JSON writes times as numbers.
Json input_of(const Call& call) { return aws::json_from(call.input, aws::TimeAs::kSeconds); }

Fault invalid(std::string message) { return {"InvalidRequestException", std::move(message), 400, {}}; }

Fault no_such_group() { return invalid("There is no group here but Default, of all requests"); }

Fault fault_of(const Error& error) {
  if (error.code == Errc::kLimit) return {"RuleLimitExceededException", error.message, 400, {}};
  if (error.code == Errc::kIo) return {"InternalFailure", error.message, 500, {}};
  return invalid(error.message);
}

Outcome outcome_of(Result<Json> json) {
  if (!json) return fault_of(json.error());
  return aws::Answer(aws::value_from(*json));
}

struct Range {
  WallTime from;
  WallTime to;
};
Result<Range, Fault> range_of(const Call& call) {
  const auto from = call.input["StartTime"].time_or({});
  const auto to = call.input["EndTime"].time_or({});
  if (to < from) return invalid("EndTime is not before StartTime");
  return Range{from, to};
}

class XRay {
 public:
  XRay(Store& store, Collector& collector, SamplingRules& rules)
      : store_(store), collector_(collector), rules_(rules) {}

  Outcome put_segments(const Call& call) {
    Json refused = Json::array();
    std::vector<Document> documents;
    for (const auto& each : call.input["TraceSegmentDocuments"].elements()) {
      const auto text = each.string_or("");
      auto parsed = parse_segment(text, call.now);
      if (!parsed) {
        const auto& why = parsed.error();
        refused.push_back(Json::object({{"Id", why.id}, {"ErrorCode", why.code}, {"Message", why.message}}));
        continue;
      }
      const WallTime begin{std::chrono::nanoseconds{static_cast<std::int64_t>(parsed->segment.begin * 1e9)}};
      documents.push_back({{parsed->trace, begin, std::string(text)}, std::move(parsed->segment)});
    }
    if (auto kept = collector_.keep(std::move(documents)); !kept) {
      return Fault{"InternalFailure", kept.error().message, 500, {}};
    }
    return aws::Answer(aws::value_from(Json::object({{"UnprocessedTraceSegments", std::move(refused)}})));
  }

  Outcome get_summaries(const Call& call) {
    auto range = range_of(call);
    if (!range) return range.error();
    if (range->to - range->from > kLongestSummary) {
      return invalid(fmt::format("StartTime and EndTime lie at most {} hours apart", kLongestSummary.count()));
    }
    auto filter = Filter::parse(call.input["FilterExpression"].string_or(""));
    if (!filter) return invalid(filter.error().message);
    // A token is where to go on.
    const std::string token(call.input["NextToken"].string_or(""));
    Search search{range->from, range->to};
    std::int64_t place = 0;
    if (!token.empty()) {
      const auto [end, failure] = std::from_chars(token.data(), token.data() + token.size(), place);
      if (failure != std::errc{} || end != token.data() + token.size()) return invalid("NextToken is none of ours");
      search.from = std::max(search.begin, WallTime{std::chrono::nanoseconds{place}});
    }
    collector_.refresh();
    auto found = find_traces(store_, search, *filter);
    Json summaries = Json::array();
    for (std::size_t i = 0; i < found.traces.size(); ++i) {
      const auto begin = found.traces[i].begin;
      if (i >= kSummaries && begin != found.traces[i - 1].begin) {
        found.next = begin;
        break;
      }
      summaries.push_back(summary_json(found.traces[i], call.account));
    }
    Json answer = Json::object({{"TraceSummaries", std::move(summaries)},
                                {"ApproximateTime", seconds_of(call.now)},
                                {"TracesProcessedCount", found.looked_at}});
    if (found.next) answer.set("NextToken", std::to_string(found.next->time_since_epoch().count()));
    return aws::Answer(aws::value_from(answer));
  }

  Outcome batch_get(const Call& call) {
    const auto& ids = call.input["TraceIds"].elements();
    if (ids.size() > kMostIds) return invalid(fmt::format("at most {} TraceIds a call", kMostIds));
    collector_.refresh();
    Json traces = Json::array();
    Json missing = Json::array();
    for (const auto& each : ids) {
      const auto id = TraceId::parse(each.string_or(""));
      const auto trace = id ? find_trace(store_, *id) : std::nullopt;
      if (trace) {
        traces.push_back(whole_json(*trace));
      } else {
        missing.push_back(each.string_or(""));
      }
    }
    return aws::Answer(
        aws::value_from(Json::object({{"Traces", std::move(traces)}, {"UnprocessedTraceIds", std::move(missing)}})));
  }

  Outcome get_graph(const Call& call) {
    auto range = range_of(call);
    if (!range) return range.error();
    if (!is_default_group(call)) return no_such_group();
    collector_.refresh();
    const double begin = seconds_of(range->from);
    const double end = seconds_of(range->to);
    const auto counts = collector_.counts(range->from, range->to);
    return aws::Answer(aws::value_from(Json::object({{"StartTime", begin},
                                                     {"EndTime", end},
                                                     {"Services", services_json(counts, begin, end, call.account)},
                                                     {"ContainsOldGroupVersions", false}})));
  }

  Outcome get_time_series(const Call& call) {
    auto range = range_of(call);
    if (!range) return range.error();
    if (!is_default_group(call)) return no_such_group();
    const std::chrono::seconds period{call.input["Period"].integer_or(60)};
    if (period.count() != 60 && period.count() != 300) return invalid("Period is 60 or 300 seconds");
    if (range->to - range->from > period * kMostPoints) {
      return invalid(fmt::format("at most {} periods between StartTime and EndTime", kMostPoints));
    }
    if (call.input["ForecastStatistics"].bool_or(false)) return invalid("Nothing is forecast here");
    auto selector = EntitySelector::parse(call.input["EntitySelectorExpression"].string_or(""));
    if (!selector) return invalid(selector.error().message);
    collector_.refresh();
    TimeSeries series;
    collector_.each_counts(range->from, range->to, [&](const Counts& counts, WallTime begin) {
      add_to(series, counts, begin, period, *selector);
    });
    Json points = Json::array();
    for (const auto& [begin, counts] : series) {
      points.push_back(Json::object(
          {{"Timestamp", seconds_of(begin)},
           {selector->is_service() ? "ServiceSummaryStatistics" : "EdgeSummaryStatistics", statistics_json(counts)},
           {"ResponseTimeHistogram", histogram_json(counts.times)}}));
    }
    return aws::Answer(aws::value_from(
        Json::object({{"TimeSeriesServiceStatistics", std::move(points)}, {"ContainsOldGroupVersions", false}})));
  }

  Outcome get_trace_graph(const Call& call) {
    collector_.refresh();
    Counts counts;
    double begin = 1e300;
    double end = 0;
    for (const auto& each : call.input["TraceIds"].elements()) {
      const auto id = TraceId::parse(each.string_or(""));
      const auto trace = id ? find_trace(store_, *id) : std::nullopt;
      if (!trace) continue;
      const auto times = times_of(*trace);
      begin = std::min(begin, times.begin);
      end = std::max(end, times.begin + times.duration);
      count_segments(
          trace->segments, [](const std::string&) { return std::optional<Node>(); }, counts);
    }
    return aws::Answer(aws::value_from(Json::object({{"Services", services_json(counts, begin, end, call.account)}})));
  }

  // Every account has the group Default, of all traces; others are not made here.
  static Json default_group(const Call& call) {
    return Json::object(
        {{"GroupName", kDefaultGroup},
         {"GroupARN", fmt::format("arn:aws:xray:{}:{}:group/{}", call.region, call.account, kDefaultGroup)},
         {"InsightsConfiguration", Json::object({{"InsightsEnabled", false}, {"NotificationsEnabled", false}})}});
  }
  // Also where none is named.
  static bool is_default_group(const Call& call) {
    const auto arn = call.input["GroupARN"].string_or("");
    return call.input["GroupName"].string_or(kDefaultGroup) == kDefaultGroup &&
           (arn.empty() || arn == default_group(call)["GroupARN"].string_or(""));
  }
  Outcome get_groups(const Call& call) {
    return aws::Answer(aws::value_from(Json::object({{"Groups", Json::array({default_group(call)})}})));
  }
  Outcome get_group(const Call& call) {
    const auto group = default_group(call);
    const auto name = call.input["GroupName"].string_or("");
    const auto arn = call.input["GroupARN"].string_or("");
    if (name != kDefaultGroup && arn != group["GroupARN"].string_or("")) return no_such_group();
    return aws::Answer(aws::value_from(Json::object({{"Group", group}})));
  }

  SamplingRules& rules() { return rules_; }

 private:
  Store& store_;
  Collector& collector_;
  SamplingRules& rules_;
};

}  // namespace

void Traces::add_operations(aws::Operations& operations) {
  const auto xray = std::make_shared<XRay>(*engine_->store, *engine_->collector, *engine_->rules);
  const auto add = [&](std::string_view name, Outcome (XRay::*answer)(const Call&)) {
    operations.add("xray", name, [xray, answer](const Call& call) { return ((*xray).*answer)(call); });
  };
  add("PutTraceSegments", &XRay::put_segments);
  add("GetTraceSummaries", &XRay::get_summaries);
  add("BatchGetTraces", &XRay::batch_get);
  add("GetServiceGraph", &XRay::get_graph);
  add("GetTraceGraph", &XRay::get_trace_graph);
  add("GetTimeSeriesServiceStatistics", &XRay::get_time_series);
  add("GetGroups", &XRay::get_groups);
  add("GetGroup", &XRay::get_group);
  operations.add("xray", "PutTelemetryRecords",
                 [](const Call&) -> Outcome { return aws::Answer(aws::Value::structure()); });
  operations.add("xray", "GetSamplingRules", [xray](const Call&) { return outcome_of(xray->rules().list()); });
  operations.add("xray", "CreateSamplingRule",
                 [xray](const Call& call) { return outcome_of(xray->rules().create(input_of(call))); });
  operations.add("xray", "UpdateSamplingRule",
                 [xray](const Call& call) { return outcome_of(xray->rules().update(input_of(call))); });
  operations.add("xray", "DeleteSamplingRule",
                 [xray](const Call& call) { return outcome_of(xray->rules().remove(input_of(call))); });
  operations.add("xray", "GetSamplingTargets",
                 [xray](const Call& call) { return outcome_of(xray->rules().targets(input_of(call))); });
  operations.add("xray", "GetSamplingStatisticSummaries",
                 [xray](const Call&) { return outcome_of(xray->rules().statistics()); });
}

}  // namespace securebase::traces
