#include "monitoring/otlp/intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "monitoring/metrics/protobuf.h"

namespace securebase::monitoring::otlp {

namespace {

constexpr std::size_t kMostDimensions = 30;
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestValue = 1024;
constexpr std::chrono::hours kQuiet{1};  // a cumulative series that may be forgotten for another
constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kJson = "application/json";

std::string_view cloudwatch_unit(std::string_view ucum) {
  static constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
      {"ms", "Milliseconds"}, {"s", "Seconds"},         {"us", "Microseconds"},  {"By", "Bytes"},
      {"kBy", "Kilobytes"},   {"MBy", "Megabytes"},     {"GBy", "Gigabytes"},    {"bit", "Bits"},
      {"%", "Percent"},       {"By/s", "Bytes/Second"}, {"bit/s", "Bits/Second"}};
  for (const auto& [name, unit] : kUnits) {
    if (ucum == name) return unit;
  }
  if (ucum.starts_with('{')) return ucum.ends_with("/s") ? "Count/Second" : "Count";
  return "None";
}

std::string name_space_of(const Attributes& resource) {
  std::string name_space;
  for (const char* wanted : {"service.namespace", "service.name"}) {
    const auto found = std::ranges::find(resource, wanted, [](const auto& attribute) { return attribute.first; });
    if (found == resource.end() || found->second.empty()) continue;
    if (!name_space.empty()) name_space += '/';
    name_space += found->second;
  }
  if (name_space.empty()) return "OTLP";
  // The platform's own namespaces are not anybody's.
  if (name_space.starts_with("AWS/") || name_space.starts_with(':')) name_space.insert(0, "OTLP/");
  return name_space.substr(0, kLongestName);
}

Result<MetricId> metric_id(const Metric& metric, const Attributes& resource, const Point& point) {
  MetricId id{name_space_of(resource), metric.name, {}};
  if (metric.name.empty() || metric.name.size() > kLongestName) {
    return Error{Errc::kMalformed, "a name has 1 to 255 characters"};
  }
  for (const auto& [name, value] : point.attributes) {
    if (!name.empty() && !value.empty()) {
      id.dimensions.emplace_back(name.substr(0, kLongestName), value.substr(0, kLongestValue));
    }
  }
  if (id.dimensions.size() > kMostDimensions) {
    return Error{Errc::kLimit, fmt::format("a metric has at most {} attributes", kMostDimensions)};
  }
  std::ranges::sort(id.dimensions);
  return id;
}

bool fell(const Point& now, const Point& before, Kind kind) {
  if (kind == Kind::kSum) return now.value < before.value;
  return now.count < before.count || now.scale != before.scale || now.bounds != before.bounds;
}

// now - before, of exponential buckets: by their numbers, wherever the lists begin.
std::vector<std::uint64_t> difference(const std::vector<std::uint64_t>& now, std::int64_t offset,
                                      const std::vector<std::uint64_t>& before, std::int64_t before_offset) {
  std::vector<std::uint64_t> out = now;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t at = offset + static_cast<std::int64_t>(i) - before_offset;
    if (at < 0 || at >= static_cast<std::int64_t>(before.size())) continue;
    const std::uint64_t was = before[static_cast<std::size_t>(at)];
    out[i] -= std::min(out[i], was);
  }
  return out;
}

Point minus(const Point& now, const Point& before) {
  Point out = now;
  out.value -= before.value;
  out.count -= before.count;
  out.zeros -= std::min(out.zeros, before.zeros);
  if (out.sum && before.sum) *out.sum -= *before.sum;
  // Extremes are of everything since the start, not of what is new.
  out.minimum = out.maximum = std::nullopt;
  out.counts = difference(now.counts, now.offset, before.counts, before.offset);
  out.negative_counts =
      difference(now.negative_counts, now.negative_offset, before.negative_counts, before.negative_offset);
  return out;
}

std::string answer_of(std::uint64_t refused, std::string_view reason, bool json) {
  if (json) {
    if (refused == 0) return "{}";
    const auto partial =
        base::Json::object({{"rejectedDataPoints", std::to_string(refused)}, {"errorMessage", reason}});
    return base::Json::object({{"partialSuccess", partial}}).dump();
  }
  if (refused == 0) return {};
  std::string partial;
  put_proto_integer(partial, 1, refused);
  put_proto_bytes(partial, 2, reason);
  std::string out;
  put_proto_bytes(out, 1, partial);
  return out;
}

}  // namespace

Result<std::string> Intake::take(std::string_view body, std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  const bool json = type == kJson;
  if (!json && type != kProtobuf) {
    return Error{Errc::kUnsupported,
                 fmt::format("OTLP comes as {} or {}; this is \"{}\"", kProtobuf, kJson, type.substr(0, 100))};
  }
  const auto request = json ? parse_json(body) : parse_protobuf(body);
  if (!request) return request.error();
  std::vector<Datum> data;
  Refused refused;
  Moved moved;
  const std::lock_guard lock(mutex_);
  for (const auto& resource : *request) {
    for (const auto& metric : resource.metrics) add(metric, resource.resource, data, refused, moved);
  }
  if (auto put = store_.put(data); !put) {
    move_back(std::move(moved));
    return put.error();
  }
  return answer_of(refused.points, refused.reason, json);
}

void Intake::move_back(Moved moved) {
  for (auto one = moved.rbegin(); one != moved.rend(); ++one) {
    if (one->second) {
      before_.insert_or_assign(one->first, std::move(*one->second));
    } else {
      before_.erase(one->first);
    }
  }
}

void Intake::add(const Metric& metric, const Attributes& resource, std::vector<Datum>& data, Refused& refused,
                 Moved& moved) {
  const auto now = clock_.now();
  const auto refuse = [&](std::string_view reason) {
    if (refused.points++ == 0) refused.reason = fmt::format("metric {}: {}", metric.name.substr(0, 100), reason);
  };
  const UnitNumber unit = unit_number(cloudwatch_unit(metric.unit)).value_or(0);
  for (const auto& point : metric.points) {
    if (point.no_value) continue;
    if (metric.kind == Kind::kSummary) {
      refuse("summaries are not taken, their quantiles cannot be added up; send a histogram");
      continue;
    }
    auto id = metric_id(metric, resource, point);
    if (!id) {
      refuse(id.error().message);
      continue;
    }
    const auto time = point.time_ns == 0
                          ? now
                          : base::TimePoint{std::chrono::microseconds{static_cast<std::int64_t>(point.time_ns / 1000)}};
    if (time < now - kOldestSample || time > now + kNewestSample) {
      refuse("its time is not within two weeks before and two hours after now");
      continue;
    }
    const bool histogram = metric.kind == Kind::kHistogram || metric.kind == Kind::kExponentialHistogram;
    const bool as_value = metric.kind == Kind::kGauge || (metric.kind == Kind::kSum && !metric.monotonic);
    Point news = point;
    if (!as_value && metric.temporality == Temporality::kCumulative) {
      auto since = since_before(metric_key(*id) + static_cast<char>(unit), metric, point, moved);
      if (!since) {
        refuse(since.error().message);
        continue;
      }
      if (!*since) continue;
      news = std::move(**since);
    }
    Summary samples;
    if (histogram) {
      auto made = summary_of(news, metric.kind);
      if (!made) {
        refuse(made.error().message);
        continue;
      }
      samples = std::move(*made);
    } else if (!std::isfinite(news.value)) {
      refuse("its value is not a finite number");
      continue;
    } else if (as_value || news.value != 0) {
      samples.add(news.value);
    }
    if (samples.count > 0) data.push_back({std::move(*id), unit, Resolution::kSecond, time, std::move(samples)});
  }
}

Result<std::optional<Point>> Intake::since_before(const std::string& series, const Metric& metric, const Point& point,
                                                  Moved& moved) {
  const auto seen = clock_.steady();
  auto found = before_.find(series);
  if (found == before_.end()) {
    if (before_.size() >= cumulative_limit_) {
      std::erase_if(before_, [&](const auto& entry) { return seen - entry.second.seen > kQuiet; });
    }
    if (before_.size() >= cumulative_limit_) {
      return Error{Errc::kLimit, fmt::format("there are {} cumulative series already; send deltas", cumulative_limit_)};
    }
    before_.emplace(series, Before{point.start_ns, point, seen});
    moved.emplace_back(series, std::nullopt);
    return std::optional<Point>{};
  }
  Before& before = found->second;
  // After a restart of the sender counting began anew: all of it is new.
  const bool restarted = before.start_ns != point.start_ns || fell(point, before.point, metric.kind);
  std::optional<Point> since = restarted ? point : minus(point, before.point);
  moved.emplace_back(series, std::exchange(before, {point.start_ns, point, seen}));
  return since;
}

}  // namespace securebase::monitoring::otlp
