#include "logs/taps/embedded.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "logs/store/flatten.h"

namespace securebase::logs {

namespace {

using base::Json;

const Json::Array& elements_of(const Json& json) {
  static const Json::Array kNone;
  const auto* elements = json.as_array();
  return elements ? *elements : kNone;
}

// Counted: 100 equal values are one.
std::vector<std::pair<double, std::uint64_t>> values_of(const Json& member, std::size_t most) {
  std::vector<double> numbers;
  if (member.is_number()) numbers.push_back(member.number_or(0));
  for (const auto& one : elements_of(member)) {
    if (!one.is_number() || numbers.size() >= most) return {};
    numbers.push_back(one.number_or(0));
  }
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::pair<double, std::uint64_t>> counted;
  for (const double number : numbers) {
    if (!std::isfinite(number)) return {};
    if (counted.empty() || counted.back().first != number) counted.emplace_back(number, 0);
    ++counted.back().second;
  }
  return counted;
}

using DimensionSet = std::vector<std::pair<std::string, std::string>>;

std::vector<DimensionSet> dimension_sets(const Json& root, const Json& directive, const EmbeddedLimits& limits) {
  const auto* sets = directive.find("Dimensions");
  if (!sets) return {DimensionSet{}};
  std::vector<DimensionSet> all;
  for (const auto& set : elements_of(*sets)) {
    if (all.size() >= limits.dimension_sets) break;
    DimensionSet one;
    bool whole = set.is_array() && elements_of(set).size() <= limits.dimensions;
    for (const auto& name : elements_of(set)) {
      const auto* value = root.find(name.string_or(""));
      const bool usable = value && (value->is_string() || value->is_number() || value->is_bool());
      whole = whole && usable && one.size() < limits.dimensions;
      if (!whole) break;
      one.emplace_back(name.string_or(""), value->is_string() ? *value->as_string() : value->dump());
    }
    if (whole) all.push_back(std::move(one));
  }
  if (elements_of(*sets).empty()) all.emplace_back();
  return all;
}

void add_directive(const Json& root, const Json& directive, base::TimePoint time, const EmbeddedLimits& limits,
                   std::vector<Measurement>& into) {
  const auto name_space = directive["Namespace"].string_or("");
  if (name_space.empty()) return;
  const auto sets = dimension_sets(root, directive, limits);
  std::size_t count = 0;
  for (const auto& metric : elements_of(directive["Metrics"])) {
    if (++count > limits.metrics) return;
    const auto name = metric["Name"].string_or("");
    const auto* member = name.empty() ? nullptr : root.find(name);
    if (!member) continue;
    auto values = values_of(*member, limits.values);
    if (values.empty()) continue;
    for (const auto& set : sets) {
      Measurement one;
      one.name_space = name_space;
      one.name = name;
      one.dimensions = set;
      one.unit = metric["Unit"].string_or("None");
      one.time = time;
      one.high_resolution = metric["StorageResolution"].integer_or(60) == 1;
      one.values = values;
      into.push_back(std::move(one));
    }
  }
}

}  // namespace

bool may_be_embedded(std::string_view message) {
  return message.find("\"_aws\"") != std::string_view::npos &&
         message.find("\"CloudWatchMetrics\"") != std::string_view::npos;
}

std::vector<Measurement> embedded_metrics(std::string_view message, const EmbeddedLimits& limits) {
  std::vector<Measurement> found;
  const auto object = first_json_object(message);
  if (object.empty() || object.size() > limits.message_bytes) return found;
  const auto root = Json::parse(object);
  if (!root) return found;
  const auto& aws = (*root)["_aws"];
  const auto* milliseconds = aws.find("Timestamp");
  if (!milliseconds || !milliseconds->is_integer()) return found;
  const auto count = milliseconds->integer_or(0);
  if (count < 0 || count > INT64_MAX / 1000) return found;
  const base::TimePoint time{std::chrono::milliseconds(count)};
  std::size_t directives = 0;
  for (const auto& directive : elements_of(aws["CloudWatchMetrics"])) {
    if (++directives > limits.directives) break;
    add_directive(*root, directive, time, limits, found);
  }
  return found;
}

}  // namespace securebase::logs
