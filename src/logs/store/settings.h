// What a log group is set to, beside its events: kept in its folder as group.json.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::logs {

struct MetricTransformation {
  std::string name_space;
  std::string name;
  std::string value;  // "1", "$.latency", "$bytes"
  std::optional<double> default_value;
  std::map<std::string, std::string> dimensions;  // by name, each "$.field" or "$field"
  std::string unit = "None";
  bool operator==(const MetricTransformation&) const = default;
};

struct MetricFilter {
  std::string name;
  std::string pattern;
  MetricTransformation transformation;
  std::int64_t created_ms = 0;
  bool declared = false;  // by the stack
};

struct SubscriptionFilter {
  std::string name;
  std::string pattern;
  std::string destination_arn;
  std::string role_arn;
  std::string distribution = "ByLogStream";
  std::int64_t created_ms = 0;
  bool declared = false;
};

// By name: events before that sequence are hidden.
using DeletedStreams = std::map<std::string, std::uint64_t, std::less<>>;

struct GroupSettings {
  std::string name;
  std::int64_t created_ms = 0;
  std::optional<int> retention_days;  // nullopt: for ever
  bool declared = false;
  std::string log_class = "STANDARD";
  std::map<std::string, std::string> tags;
  std::map<std::string, MetricFilter> metric_filters;
  std::map<std::string, SubscriptionFilter> subscription_filters;
  // Streams without events, by when they were made.
  std::map<std::string, std::int64_t> empty_streams;
  DeletedStreams deleted_streams;
};

base::Json to_json(const GroupSettings& settings);
Result<GroupSettings> settings_from(const base::Json& json);

}  // namespace securebase::logs
