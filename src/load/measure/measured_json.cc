#include "load/measure/measured_json.h"

#include <fmt/format.h>

#include <limits>

namespace securebase::load {

namespace {

using base::Json;

constexpr std::size_t kMostSeries = 20'000;

Error not_ours(std::string_view what) {
  return Error{Errc::kMalformed, fmt::format("not a result of {}: {}", kResultFormat, what)};
}

Json to_json(const Value& value) {
  auto json = Json::object({{"count", value.count}});
  switch (value.kind) {
    case Kind::kTrend:
      json.set("sketch", sketch_to_json(value.sketch));
      break;
    case Kind::kGauge:
      json.set("min", value.minimum);
      json.set("max", value.maximum);
      json.set("latest", value.latest);
      break;
    case Kind::kRate:
    case Kind::kCounter:
      json.set("sum", value.sum);
      break;
  }
  return json;
}

Result<Value> value_from_json(Kind kind, const Json& json) {
  Value value;
  value.kind = kind;
  const auto count = json["count"].integer_or(-1);
  if (count < 0) return not_ours("a value needs a count");
  value.count = static_cast<std::uint64_t>(count);
  value.sum = json["sum"].number_or(0);
  value.minimum = json["min"].number_or(0);
  value.maximum = json["max"].number_or(0);
  value.latest = json["latest"].number_or(0);
  constexpr double kMost = 9e18;  // what a counter may hold
  const bool counts = kind == Kind::kCounter || kind == Kind::kRate;
  if (counts && !(value.sum >= 0 && value.sum <= kMost))
    return not_ours("a counter's sum is a number that is not negative");
  if (kind != Kind::kTrend) return value;
  auto sketch = sketch_from_json(json["sketch"]);
  if (!sketch) return sketch.error();
  if (sketch->count() != value.count) return not_ours("a histogram's buckets do not add up to its count");
  value.sum = sketch->sum();
  value.sketch = std::move(*sketch);
  return value;
}

std::optional<Kind> kind_of(std::string_view text) {
  for (const Kind kind : {Kind::kCounter, Kind::kGauge, Kind::kRate, Kind::kTrend}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

// Series are listed once; the values of the run and of every slice refer to them by place.
class Writer {
 public:
  Json write(const Measured& measured) {
    auto total = values(measured.values);
    auto slices = Json::array();
    for (const auto& slice : measured.timeline.slices()) {
      slices.push_back(Json::object({{"begin_ms", std::int64_t{slice.begin.count()}},
                                     {"end_ms", std::int64_t{slice.end.count()}},
                                     {"values", values(slice.values)}}));
    }
    auto json = Json::object({{"duration_ms", std::int64_t{measured.duration.count()}}});
    json.set("series", std::move(series_));
    json.set("values", std::move(total));
    json.set("timeline", Json::object({{"width_ms", std::int64_t{measured.timeline.width().count()}},
                                       {"truncated", measured.timeline.truncated()},
                                       {"slices", std::move(slices)}}));
    return json;
  }

 private:
  Json values(const Values& values) {
    auto json = Json::array();
    for (const auto& [key, value] : values) {
      auto one = to_json(value);
      one.set("series", std::uint64_t{place(key, value.kind)});
      json.push_back(std::move(one));
    }
    return json;
  }

  std::size_t place(const Key& key, Kind kind) {
    const auto [at, is_new] = places_.emplace(key, places_.size());
    if (is_new) {
      auto tags = Json::object();
      for (const auto& [name, value] : key.tags) tags.set(name, value);
      series_.push_back(Json::object({{"metric", key.metric}, {"kind", to_string(kind)}, {"tags", std::move(tags)}}));
    }
    return at->second;
  }

  std::map<Key, std::size_t> places_;
  Json series_ = Json::array();
};

using Entries = std::vector<Catalogue::Entry>;

Result<Entries> read_series(const Json& json) {
  const auto* list = json.as_array();
  if (!list || list->size() > kMostSeries) return not_ours("\"series\" is a list of at most 20,000");
  Entries entries;
  for (const auto& one : *list) {
    const auto kind = kind_of(one["kind"].string_or(""));
    const auto* metric = one["metric"].as_string();
    if (!kind || !metric) return not_ours("a series has a metric and a kind");
    Tags tags;
    if (const auto* members = one["tags"].as_object()) {
      for (const auto& [name, value] : *members) tags.emplace_back(name, value.string_or(""));
    }
    entries.push_back({Key{*metric, make_tags(std::move(tags))}, *kind});
  }
  return entries;
}

Result<Values> read_values(const Json& json, const Entries& entries) {
  const auto* list = json.as_array();
  if (!list) return not_ours("\"values\" is a list");
  Values values;
  for (const auto& one : *list) {
    const auto place = one["series"].integer_or(-1);
    if (place < 0 || static_cast<std::size_t>(place) >= entries.size()) return not_ours("a value without a series");
    const auto& entry = entries[static_cast<std::size_t>(place)];
    auto value = value_from_json(entry.kind, one);
    if (!value) return value.error();
    values[entry.key] = std::move(*value);
  }
  return values;
}

}  // namespace

// Buckets as pairs of the distance to the one before and the count: most distances are small.
Json sketch_to_json(const telemetry::Sketch& sketch) {
  auto buckets = Json::array();
  std::int64_t last = -1;
  for (const auto& bucket : sketch.buckets()) {
    buckets.push_back(std::int64_t{bucket.index} - last);
    buckets.push_back(bucket.count);
    last = bucket.index;
  }
  auto json = Json::object({{"sum", sketch.sum()}});
  if (const auto minimum = sketch.minimum()) json.set("min", *minimum);
  if (const auto maximum = sketch.maximum()) json.set("max", *maximum);
  json.set("buckets", std::move(buckets));
  return json;
}

Result<telemetry::Sketch> sketch_from_json(const Json& json) {
  using telemetry::Buckets;
  constexpr std::int64_t kLast = std::int64_t{Buckets::kOctaves} * Buckets::kPerOctave - 1;
  const auto* buckets = json["buckets"].as_array();
  if (!buckets || buckets->size() % 2 != 0 || buckets->size() > 2 * static_cast<std::size_t>(kLast + 2)) {
    return not_ours("a histogram has pairs of distance and count");
  }
  telemetry::Sketch sketch;
  std::int64_t index = -1;
  for (std::size_t i = 0; i < buckets->size(); i += 2) {
    const auto distance = (*buckets)[i].integer_or(-1);
    const auto count = (*buckets)[i + 1].integer_or(0);
    const bool rises = distance > 0 || (distance == 0 && i == 0);
    if (!rises || distance > kLast - index || count <= 0)
      return not_ours("a histogram's buckets rise, and hold something");
    index += distance;
    sketch.add_bucket(static_cast<int>(index), static_cast<std::uint64_t>(count));
  }
  if (sketch.count() == 0) return sketch;
  const double minimum = json["min"].number_or(0);
  const double maximum = json["max"].number_or(0);
  if (!(minimum <= maximum)) return not_ours("a histogram's minimum is above its maximum");
  sketch.add_totals(json["sum"].number_or(0), minimum, maximum);
  return sketch;
}

Json to_json(const Measured& measured) { return Writer().write(measured); }

Result<Measured> measured_from_json(const Json& json) {
  auto entries = read_series(json["series"]);
  if (!entries) return entries.error();
  constexpr std::int64_t kLongest = 1000LL * 86'400 * 366;  // ms
  Measured measured;
  measured.duration = std::chrono::milliseconds{json["duration_ms"].integer_or(0)};
  if (measured.duration.count() < 0 || measured.duration.count() > kLongest)
    return not_ours("a run lasts for up to a year");
  auto values = read_values(json["values"], *entries);
  if (!values) return values.error();
  measured.values = std::move(*values);
  const auto& timeline = json["timeline"];
  const auto width = timeline["width_ms"].integer_or(0);
  const auto* slices = timeline["slices"].as_array();
  if (width < 1 || width > kLongest || !slices || slices->size() > Timeline::kMostSlices) {
    return not_ours(fmt::format("a timeline has a width and at most {} slices", Timeline::kMostSlices));
  }
  measured.timeline = Timeline(std::chrono::milliseconds{width});
  for (const auto& one : *slices) {
    const auto begin = one["begin_ms"].integer_or(-1);
    const auto end = one["end_ms"].integer_or(-1);
    if (begin < 0 || end < begin || end > kLongest) return not_ours("a slice begins before it ends");
    auto slice_values = read_values(one["values"], *entries);
    if (!slice_values) return slice_values.error();
    if (begin == end) continue;
    Slice slice{std::chrono::milliseconds{begin}, std::chrono::milliseconds{end}, std::move(*slice_values)};
    measured.timeline.add(std::move(slice));
  }
  return measured;
}

}  // namespace securebase::load
