// OTLP's JSON encoding: protobuf's JSON mapping with lowerCamelCase names, 64-bit numbers as text or numbers,
// enumerators as numbers.
#include <fmt/format.h>

#include <cstdlib>

#include "base/json.h"
#include "monitoring/otlp/points.h"

namespace securebase::monitoring::otlp {

namespace {

using base::Json;

const Json::Array& elements(const Json& json) {
  static const Json::Array kNone;
  const auto* array = json.as_array();
  return array ? *array : kNone;
}

std::uint64_t whole(const Json& json) {
  if (const auto* text = json.as_string()) return std::strtoull(text->c_str(), nullptr, 10);
  return static_cast<std::uint64_t>(json.integer_or(0));
}

double real(const Json& json) {
  // "NaN" and "Infinity" are text; whoever stores refuses them.
  if (const auto* text = json.as_string()) return std::strtod(text->c_str(), nullptr);
  return json.number_or(0);
}

std::optional<double> optional_real(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(real(json));
}

class JsonReader {
 public:
  explicit JsonReader(const Limits& limits) : limits_(limits) {}

  Result<std::vector<ResourceMetrics>> request(const Json& body) {
    std::vector<ResourceMetrics> all;
    for (const auto& entry : elements(body["resourceMetrics"])) {
      ResourceMetrics made;
      made.resource = attributes(entry["resource"]["attributes"]);
      for (const auto& scope : elements(entry["scopeMetrics"])) {
        for (const auto& json : elements(scope["metrics"])) made.metrics.push_back(metric(json));
      }
      all.push_back(std::move(made));
    }
    if (failure_) return *failure_;
    return all;
  }

 private:
  void limit(std::size_t count, std::size_t most, std::string_view what) {
    if (count > most && !failure_) {
      failure_ = Error{Errc::kLimit, fmt::format("the request has more than {} {}; send smaller ones", most, what)};
    }
  }

  Attributes attributes(const Json& json) {
    Attributes out;
    limit(elements(json).size(), limits_.attributes, "attributes at one place");
    if (failure_) return out;
    for (const auto& entry : elements(json)) {
      const Json& value = entry["value"];
      std::string text;
      if (const auto* string = value["stringValue"].as_string()) text = *string;
      if (value["boolValue"].is_bool()) text = value["boolValue"].bool_or(false) ? "true" : "false";
      if (const auto* integer = value["intValue"].as_string()) text = *integer;
      if (value["intValue"].is_number()) text = std::to_string(value["intValue"].integer_or(0));
      if (value["doubleValue"].is_number()) text = fmt::format("{}", value["doubleValue"].number_or(0));
      out.emplace_back(entry["key"].string_or(""), std::move(text));
    }
    return out;
  }

  Metric metric(const Json& json) {
    static constexpr std::pair<std::string_view, Kind> kKinds[] = {
        {"gauge", Kind::kGauge},
        {"sum", Kind::kSum},
        {"histogram", Kind::kHistogram},
        {"exponentialHistogram", Kind::kExponentialHistogram},
        {"summary", Kind::kSummary}};
    Metric out;
    out.name = json["name"].string_or("");
    out.unit = json["unit"].string_or("");
    for (const auto& [name, kind] : kKinds) {
      const Json* data = json.find(name);
      if (!data) continue;
      out.kind = kind;
      const auto temporality = (*data)["aggregationTemporality"].integer_or(0);
      out.temporality = static_cast<Temporality>(temporality >= 0 && temporality <= 2 ? temporality : 0);
      out.monotonic = (*data)["isMonotonic"].bool_or(false);
      for (const auto& entry : elements((*data)["dataPoints"])) {
        limit(++points_, limits_.points, "data points");
        if (failure_) return out;
        out.points.push_back(point(entry));
      }
    }
    return out;
  }

  std::vector<std::uint64_t> counts(const Json& json) {
    std::vector<std::uint64_t> out;
    limit(elements(json).size(), limits_.buckets, "buckets in one point");
    if (failure_) return out;
    for (const auto& entry : elements(json)) out.push_back(whole(entry));
    return out;
  }

  Point point(const Json& json) {
    Point out;
    out.attributes = attributes(json["attributes"]);
    out.start_ns = whole(json["startTimeUnixNano"]);
    out.time_ns = whole(json["timeUnixNano"]);
    out.value = json["asInt"].is_null() ? real(json["asDouble"]) : real(json["asInt"]);
    out.count = whole(json["count"]);
    out.sum = optional_real(json["sum"]);
    out.minimum = optional_real(json["min"]);
    out.maximum = optional_real(json["max"]);
    out.no_value = (whole(json["flags"]) & 1) != 0;
    out.counts = counts(json["bucketCounts"]);
    limit(elements(json["explicitBounds"]).size(), limits_.buckets, "buckets in one point");
    if (failure_) return out;
    for (const auto& bound : elements(json["explicitBounds"])) out.bounds.push_back(real(bound));
    out.scale = static_cast<int>(json["scale"].integer_or(0));
    out.zeros = whole(json["zeroCount"]);
    if (const Json* positive = json.find("positive")) {
      out.offset = (*positive)["offset"].integer_or(0);
      out.counts = counts((*positive)["bucketCounts"]);
    }
    if (const Json* negative = json.find("negative")) {
      out.negative_offset = (*negative)["offset"].integer_or(0);
      out.negative_counts = counts((*negative)["bucketCounts"]);
    }
    return out;
  }

  const Limits& limits_;
  std::size_t points_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::vector<ResourceMetrics>> parse_json(std::string_view body, const Limits& limits) {
  const auto json = Json::parse(body);
  if (!json) return json.error();
  if (!json->is_object()) return Error{Errc::kMalformed, "an ExportMetricsServiceRequest in JSON is an object"};
  return JsonReader(limits).request(*json);
}

}  // namespace securebase::monitoring::otlp
