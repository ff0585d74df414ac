// Metric filters and subscription filters.
#include <fmt/format.h>

#include <algorithm>

#include "logs/api.h"
#include "logs/filter_rules.h"
#include "logs/patterns/pattern.h"

namespace securebase::logs {

namespace {

using aws::Call;
using aws::Outcome;
using aws::Value;

constexpr std::size_t kTestMessages = 50;

Value describe(const MetricFilter& filter, const std::string& group) {
  const auto& to = filter.transformation;
  auto transformation = Value::structure(
      {{"metricName", to.name}, {"metricNamespace", to.name_space}, {"metricValue", to.value}, {"unit", to.unit}});
  if (to.default_value) transformation.set("defaultValue", *to.default_value);
  if (!to.dimensions.empty()) {
    auto dimensions = Value::structure();
    for (const auto& [name, selector] : to.dimensions) dimensions.set(name, selector);
    transformation.set("dimensions", std::move(dimensions));
  }
  return Value::structure({{"filterName", filter.name},
                           {"filterPattern", filter.pattern},
                           {"metricTransformations", Value::list({std::move(transformation)})},
                           {"creationTime", filter.created_ms},
                           {"logGroupName", group}});
}

Outcome put_metric_filter(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  const auto& transformations = call.input["metricTransformations"].elements();
  if (transformations.size() != 1) return invalid_parameter("metricTransformations has one member");
  const auto& to = transformations.front();
  MetricFilter filter;
  filter.name = call.input["filterName"].string_or("");
  filter.pattern = call.input["filterPattern"].string_or("");
  filter.created_ms = engine.store->now_ms();
  filter.transformation = {.name_space = std::string(to["metricNamespace"].string_or("")),
                           .name = std::string(to["metricName"].string_or("")),
                           .value = std::string(to["metricValue"].string_or("")),
                           .default_value = {},
                           .dimensions = {},
                           .unit = std::string(to["unit"].string_or("None"))};
  if (to["defaultValue"].is_number()) filter.transformation.default_value = to["defaultValue"].number_or(0);
  for (const auto& [name, selector] : to["dimensions"].members()) {
    filter.transformation.dimensions[name] = selector.string_or("");
  }
  if (auto valid = check_metric_filter(filter); !valid) return invalid_parameter(valid.error().message);
  auto done = (*group)->change([&](GroupSettings& settings) -> Result<Done> {
    if (settings.metric_filters.size() >= kFiltersOfGroup && !settings.metric_filters.contains(filter.name)) {
      return Error{Errc::kLimit, "Resource limit exceeded."};
    }
    settings.metric_filters[filter.name] = filter;
    return Done{};
  });
  if (!done) return fault_of(done.error());
  return Value::structure();
}

template <class Filters>
Outcome delete_filter(Logs::Engine& engine, const Call& call, Filters GroupSettings::*filters, std::string_view kind) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  auto done = (*group)->change([&](GroupSettings& settings) -> Result<Done> {
    if ((settings.*filters).erase(std::string(call.input["filterName"].string_or(""))) > 0) return Done{};
    return Error{Errc::kNotFound, fmt::format("The specified {} filter does not exist.", kind)};
  });
  if (!done) return fault_of(done.error());
  return Value::structure();
}

Outcome delete_metric_filter(Logs::Engine& engine, const Call& call) {
  return delete_filter(engine, call, &GroupSettings::metric_filters, "metric");
}

Outcome describe_metric_filters(Logs::Engine& engine, const Call& call) {
  const auto prefix = call.input["filterNamePrefix"].string_or("");
  const auto metric = call.input["metricName"].string_or("");
  const auto name_space = call.input["metricNamespace"].string_or("");
  if (metric.empty() != name_space.empty()) return invalid_parameter("metricName and metricNamespace go together");
  Store::Groups groups = engine.store->groups();
  if (!group_name_of(call.input).empty()) {
    auto group = group_of(engine, call.input);
    if (!group) return group.error();
    groups = {{group_name_of(call.input), *group}};
  }
  std::vector<std::pair<std::string, Value>> found;
  for (const auto& [name, group] : groups) {
    for (const auto& [filter_name, filter] : group->settings()->metric_filters) {
      if (!filter_name.starts_with(prefix)) continue;
      if (!metric.empty() && (filter.transformation.name != metric || filter.transformation.name_space != name_space)) {
        continue;
      }
      found.emplace_back(fmt::format("{}\n{}", name, filter_name), describe(filter, name));
    }
  }
  auto page = page_of(call.input, "metricFilters", std::move(found));
  if (!page) return page.error();
  return std::move(*page);
}

Outcome test_metric_filter(Logs::Engine&, const Call& call) {
  auto pattern = Pattern::compile(call.input["filterPattern"].string_or(""));
  if (!pattern) return invalid_parameter(pattern.error().message);
  const auto& messages = call.input["logEventMessages"].elements();
  if (messages.empty() || messages.size() > kTestMessages) {
    return invalid_parameter(fmt::format("logEventMessages has 1 to {} members", kTestMessages));
  }
  Value::List matches;
  std::int64_t number = 0;
  for (const auto& message : messages) {
    ++number;
    const auto text = message.string_or("");
    if (!pattern->matches(text)) continue;
    auto extracted = Value::structure();
    for (const auto& [name, value] : pattern->extracted(text)) extracted.set(name, value);
    matches.push_back(
        Value::structure({{"eventNumber", number}, {"eventMessage", text}, {"extractedValues", std::move(extracted)}}));
  }
  return Value::structure({{"matches", Value(std::move(matches))}});
}

Outcome put_subscription(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  SubscriptionFilter filter;
  filter.name = call.input["filterName"].string_or("");
  filter.pattern = call.input["filterPattern"].string_or("");
  filter.destination_arn = call.input["destinationArn"].string_or("");
  filter.role_arn = call.input["roleArn"].string_or("");
  filter.distribution = call.input["distribution"].string_or("ByLogStream");
  filter.created_ms = engine.store->now_ms();
  const auto name = (*group)->settings()->name;
  if (auto valid = check_subscription_filter(filter, name); !valid) return invalid_parameter(valid.error().message);
  if (engine.connections.knows_function && !engine.connections.knows_function(filter.destination_arn)) {
    return invalid_parameter(
        fmt::format("Could not execute the lambda function. There is none {}.", filter.destination_arn));
  }
  auto done = (*group)->change([&](GroupSettings& settings) -> Result<Done> {
    auto& filters = settings.subscription_filters;
    if (filters.size() >= kSubscriptionsOfGroup && !filters.contains(filter.name)) {
      return Error{Errc::kLimit, "Resource limit exceeded."};
    }
    filters[filter.name] = filter;
    return Done{};
  });
  if (!done) return fault_of(done.error());
  return Value::structure();
}

Outcome delete_subscription(Logs::Engine& engine, const Call& call) {
  return delete_filter(engine, call, &GroupSettings::subscription_filters, "subscription");
}

Outcome describe_subscriptions(Logs::Engine& engine, const Call& call) {
  auto group = group_of(engine, call.input);
  if (!group) return group.error();
  const auto settings = (*group)->settings();
  const auto prefix = call.input["filterNamePrefix"].string_or("");
  std::vector<std::pair<std::string, Value>> found;
  for (const auto& [name, filter] : settings->subscription_filters) {
    if (!name.starts_with(prefix)) continue;
    auto value = Value::structure({{"filterName", name},
                                   {"logGroupName", settings->name},
                                   {"filterPattern", filter.pattern},
                                   {"destinationArn", filter.destination_arn},
                                   {"distribution", filter.distribution},
                                   {"creationTime", filter.created_ms}});
    if (!filter.role_arn.empty()) value.set("roleArn", filter.role_arn);
    found.emplace_back(name, std::move(value));
  }
  auto page = page_of(call.input, "subscriptionFilters", std::move(found));
  if (!page) return page.error();
  return std::move(*page);
}

}  // namespace

void add_metric_filter_operations(Logs::Engine& engine, NamedHandlers& into) {
  const auto add = [&](std::string_view name, Outcome (*does)(Logs::Engine&, const Call&)) {
    into.emplace_back(name, [&engine, does](const Call& call) { return does(engine, call); });
  };
  add("PutMetricFilter", &put_metric_filter);
  add("DeleteMetricFilter", &delete_metric_filter);
  add("DescribeMetricFilters", &describe_metric_filters);
  add("TestMetricFilter", &test_metric_filter);
}

void add_subscription_operations(Logs::Engine& engine, NamedHandlers& into) {
  const auto add = [&](std::string_view name, Outcome (*does)(Logs::Engine&, const Call&)) {
    into.emplace_back(name, [&engine, does](const Call& call) { return does(engine, call); });
  };
  add("PutSubscriptionFilter", &put_subscription);
  add("DeleteSubscriptionFilter", &delete_subscription);
  add("DescribeSubscriptionFilters", &describe_subscriptions);
}

}  // namespace securebase::logs
