#include "logs/store/settings.h"

namespace securebase::logs {

namespace {

using base::Json;

Json texts_as_json(const std::map<std::string, std::string>& texts) {
  Json out = Json::object();
  for (const auto& [name, value] : texts) out.set(name, value);
  return out;
}

std::map<std::string, std::string> texts_from(const Json& json) {
  std::map<std::string, std::string> out;
  if (const auto* members = json.as_object()) {
    for (const auto& [name, value] : *members) out.emplace(name, value.string_or(""));
  }
  return out;
}

Json filter_as_json(const MetricFilter& filter) {
  const auto& to = filter.transformation;
  auto out = Json::object({{"pattern", filter.pattern},
                           {"namespace", to.name_space},
                           {"metric", to.name},
                           {"value", to.value},
                           {"unit", to.unit},
                           {"dimensions", texts_as_json(to.dimensions)},
                           {"created", filter.created_ms},
                           {"declared", filter.declared}});
  if (to.default_value) out.set("default", *to.default_value);
  return out;
}

MetricFilter metric_filter_from(const std::string& name, const Json& json) {
  MetricFilter filter;
  filter.name = name;
  filter.pattern = json["pattern"].string_or("");
  filter.created_ms = json["created"].integer_or(0);
  filter.declared = json["declared"].bool_or(false);
  auto& to = filter.transformation;
  to.name_space = json["namespace"].string_or("");
  to.name = json["metric"].string_or("");
  to.value = json["value"].string_or("");
  to.unit = json["unit"].string_or("None");
  to.dimensions = texts_from(json["dimensions"]);
  if (json["default"].is_number()) to.default_value = json["default"].number_or(0);
  return filter;
}

Json filter_as_json(const SubscriptionFilter& filter) {
  return Json::object({{"pattern", filter.pattern},
                       {"destination", filter.destination_arn},
                       {"role", filter.role_arn},
                       {"distribution", filter.distribution},
                       {"created", filter.created_ms},
                       {"declared", filter.declared}});
}

SubscriptionFilter subscription_filter_from(const std::string& name, const Json& json) {
  return {.name = name,
          .pattern = std::string(json["pattern"].string_or("")),
          .destination_arn = std::string(json["destination"].string_or("")),
          .role_arn = std::string(json["role"].string_or("")),
          .distribution = std::string(json["distribution"].string_or("ByLogStream")),
          .created_ms = json["created"].integer_or(0),
          .declared = json["declared"].bool_or(false)};
}

template <class Visit>
void for_each_member(const Json& json, Visit visit) {
  if (const auto* members = json.as_object()) {
    for (const auto& [name, value] : *members) visit(name, value);
  }
}

}  // namespace

Json to_json(const GroupSettings& settings) {
  auto metric_filters = Json::object();
  for (const auto& [name, filter] : settings.metric_filters) metric_filters.set(name, filter_as_json(filter));
  auto subscriptions = Json::object();
  for (const auto& [name, filter] : settings.subscription_filters) subscriptions.set(name, filter_as_json(filter));
  Json::Object empty;
  for (const auto& [name, created] : settings.empty_streams) empty.emplace_back(name, created);
  Json::Object deleted;
  for (const auto& [name, sequence] : settings.deleted_streams) deleted.emplace_back(name, sequence);
  auto out = Json::object({{"name", settings.name},
                           {"created", settings.created_ms},
                           {"declared", settings.declared},
                           {"class", settings.log_class},
                           {"tags", texts_as_json(settings.tags)},
                           {"metric_filters", std::move(metric_filters)},
                           {"subscription_filters", std::move(subscriptions)},
                           {"empty_streams", Json(std::move(empty))},
                           {"deleted_streams", Json(std::move(deleted))}});
  if (settings.retention_days) out.set("retention_days", *settings.retention_days);
  return out;
}

Result<GroupSettings> settings_from(const Json& json) {
  GroupSettings settings;
  settings.name = json["name"].string_or("");
  if (settings.name.empty()) return Error{Errc::kMalformed, "a log group without a name"};
  settings.created_ms = json["created"].integer_or(0);
  settings.declared = json["declared"].bool_or(false);
  settings.log_class = json["class"].string_or("STANDARD");
  settings.tags = texts_from(json["tags"]);
  if (json["retention_days"].is_integer()) {
    settings.retention_days = static_cast<int>(json["retention_days"].integer_or(0));
  }
  for_each_member(json["metric_filters"], [&](const std::string& name, const Json& value) {
    settings.metric_filters.emplace(name, metric_filter_from(name, value));
  });
  for_each_member(json["subscription_filters"], [&](const std::string& name, const Json& value) {
    settings.subscription_filters.emplace(name, subscription_filter_from(name, value));
  });
  for_each_member(json["empty_streams"], [&](const std::string& name, const Json& value) {
    settings.empty_streams.emplace(name, value.integer_or(0));
  });
  for_each_member(json["deleted_streams"], [&](const std::string& name, const Json& value) {
    settings.deleted_streams.emplace(name, static_cast<std::uint64_t>(value.integer_or(0)));
  });
  return settings;
}

}  // namespace securebase::logs
