#include "load/scenarios/summary.h"

#include "load/scenarios/http_measures.h"

namespace securebase::load {

namespace {

std::uint64_t counted(const Values& values, std::string_view metric) {
  const auto found = find(values, metric);
  return found ? static_cast<std::uint64_t>(found->sum) : 0;
}

// A counter by the value of one of its tags.
std::map<std::string, std::uint64_t> by_tag(const Values& values, std::string_view metric, std::string_view tag) {
  std::map<std::string, std::uint64_t> counts;
  for (auto at = values.lower_bound(Key{std::string(metric), {}}); at != values.end() && at->first.metric == metric;
       ++at) {
    for (const auto& [name, value] : at->first.tags) {
      if (name == tag) counts[value] += static_cast<std::uint64_t>(at->second.sum);
    }
  }
  return counts;
}

base::Json trend(const Value& value) {
  auto json = base::Json::object({{"count", value.sketch.count()}});
  const auto& sketch = value.sketch;
  json.set("min", sketch.minimum().value_or(0));
  json.set("mean", sketch.average().value_or(0));
  for (const auto& [name, percent] : {std::pair{"p50", 50.0},
                                      {"p75", 75.0},
                                      {"p90", 90.0},
                                      {"p95", 95.0},
                                      {"p99", 99.0},
                                      {"p99.9", 99.9},
                                      {"p99.99", 99.99}}) {
    json.set(name, sketch.percentile(percent).value_or(0));
  }
  json.set("max", sketch.maximum().value_or(0));
  return json;
}

}  // namespace

Summary summarise(const Values& values, std::chrono::milliseconds duration) {
  Summary summary;
  summary.requests = counted(values, kRequests);
  summary.responses = counted(values, kResponses);
  summary.codes = by_tag(values, kCodes, "status");
  summary.errors = by_tag(values, kErrors, "kind");
  for (const auto& [status, count] : summary.codes) {
    if (status[0] == '2') summary.status_2xx += count;
    if (status[0] == '3') summary.status_3xx += count;
    if (status[0] == '4') summary.status_4xx += count;
    if (status[0] == '5') summary.status_5xx += count;
  }
  for (const auto& [kind, count] : summary.errors) summary.transport_errors += count;
  if (const auto unanswered = find(values, kUnanswered)) {
    summary.unanswered = unanswered->sketch.count();
    summary.longest_unanswered_ms = unanswered->sketch.maximum().value_or(0);
  }
  summary.seconds = std::chrono::duration<double>(duration).count();
  summary.downloaded_bytes = static_cast<double>(counted(values, kDownloaded));
  summary.uploaded_bytes = static_cast<double>(counted(values, kUploaded));
  return summary;
}

std::optional<Value> latency_of(const Values& values, bool open) {
  return find(values, open ? kFromSchedule : kServiceTime);
}

base::Json to_json(const Summary& summary, const Values& values) {
  using base::Json;
  auto codes = Json::object();
  for (const auto& [status, count] : summary.codes) codes.set(status, count);
  auto errors = Json::object();
  for (const auto& [kind, count] : summary.errors) errors.set(kind, count);
  auto json = Json::object({{"requests", summary.requests},
                            {"responses", summary.responses},
                            {"responses_a_second", summary.answers_a_second()},
                            {"seconds", summary.seconds},
                            {"error_percent", summary.error_percent()},
                            {"4xx", summary.status_4xx},
                            {"5xx", summary.status_5xx},
                            {"transport_errors", summary.transport_errors},
                            {"unanswered", summary.unanswered},
                            {"longest_unanswered_ms", summary.longest_unanswered_ms},
                            {"codes", std::move(codes)},
                            {"errors", std::move(errors)},
                            {"downloaded_bytes", summary.downloaded_bytes},
                            {"uploaded_bytes", summary.uploaded_bytes}});
  auto trends = Json::object();
  for (const auto metric : {kFromSchedule, kServiceTime, kFirstByte, kConnectTime, kTlsTime}) {
    if (const auto found = find(values, metric)) trends.set(metric, trend(*found));
  }
  json.set("milliseconds", std::move(trends));
  return json;
}

}  // namespace securebase::load
