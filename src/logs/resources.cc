// aws_cloudwatch_log_group, aws_cloudwatch_log_stream, aws_cloudwatch_log_metric_filter,
// aws_cloudwatch_log_subscription_filter.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "logs/config.h"
#include "logs/filter_rules.h"
#include "logs/logs.h"

namespace securebase::logs {

namespace {

struct GroupResource {
  std::optional<std::string> name;
  std::string name_prefix;
  std::int64_t retention_in_days = 0;
  std::string log_group_class = "STANDARD";
  std::map<std::string, std::string> tags;
};

struct StreamResource {
  std::string name;
  std::string log_group_name;
};

struct TransformationBlock {
  std::string name;
  std::string name_space;
  std::string value;
  std::string default_value;
  std::string unit = "None";
  std::map<std::string, std::string> dimensions;
};

struct MetricFilterResource {
  std::string name;
  std::string pattern;
  std::string log_group_name;
  std::vector<TransformationBlock> transformations;
};

struct SubscriptionResource {
  std::string name;
  std::string filter_pattern;
  std::string log_group_name;
  std::string destination_arn;
  std::string role_arn;
  std::string distribution = "ByLogStream";
};

std::string name_of(const GroupResource& group, const stack::Context& context) {
  if (group.name) return *group.name;
  return (group.name_prefix.empty() ? "terraform-" : group.name_prefix) +
         base::hex(base::sha256(context.address)).substr(0, 26);
}

std::string arn_of(const GroupResource& group, const stack::Context& context) {
  return context.arn("logs", "log-group:" + name_of(group, context));
}

auto group_block() {
  return stack::resource<GroupResource>("aws_cloudwatch_log_group", "logs", "A log group: streams of events.")
      .attribute("name", &GroupResource::name, std::nullopt, stack::matches("[.\\-_/#A-Za-z0-9]{1,512}"), "Its name.")
      .replaces()
      .attribute("name_prefix", &GroupResource::name_prefix, "", "Begins the name when no name is given.")
      .replaces()
      .attribute("retention_in_days", &GroupResource::retention_in_days, 0, stack::between(0, 3653),
                 "How many days its events are kept; 0: for ever.")
      .attribute("log_group_class", &GroupResource::log_group_class, "STANDARD",
                 "STANDARD or INFREQUENT_ACCESS; both are the same here.")
      .attribute("tags", &GroupResource::tags, {}, "Labels.")
      .known("kms_key_id", "log groups are not encrypted; put the state directory on an encrypted disk")
      .known("skip_destroy", "a group that is declared no more keeps its events")
      .known("deletion_protection_enabled", "a group that is declared no more keeps its events")
      .computed("name", name_of)
      .computed("arn", arn_of)
      .computed("id", name_of)
      .rule("Either name or name_prefix is set, not both.",
            [](const GroupResource& group) { return !group.name || group.name_prefix.empty(); });
}

auto stream_block() {
  return stack::resource<StreamResource>("aws_cloudwatch_log_stream", "logs", "A stream of a log group.")
      .required("name", &StreamResource::name, stack::matches("[^:*]{1,512}"), "Its name.")
      .replaces()
      .required("log_group_name", &StreamResource::log_group_name, "The group.")
      .replaces()
      .computed("id", [](const StreamResource& stream) { return stream.name; })
      .computed("arn", [](const StreamResource& stream, const stack::Context& context) {
        return context.arn("logs", fmt::format("log-group:{}:log-stream:{}", stream.log_group_name, stream.name));
      });
}

auto metric_filter_block() {
  const auto transformation =
      stack::block<TransformationBlock>("metric_transformation")
          .required("name", &TransformationBlock::name, "The metric.")
          .required("namespace", &TransformationBlock::name_space, "Its namespace.")
          .required("value", &TransformationBlock::value, "A number, or $.field or $field of the pattern.")
          .attribute("default_value", &TransformationBlock::default_value, "",
                     "Reported for a minute that has events and no match.")
          .attribute("unit", &TransformationBlock::unit, "None", "The metric's unit.")
          .attribute("dimensions", &TransformationBlock::dimensions, {}, "By name, $.field or $field of the pattern.");
  return stack::resource<MetricFilterResource>("aws_cloudwatch_log_metric_filter", "logs",
                                               "Makes a metric of the log events that match a pattern.")
      .required("name", &MetricFilterResource::name, "Its name.")
      .replaces()
      .required("pattern", &MetricFilterResource::pattern, "Which events; \"\" for all.")
      .required("log_group_name", &MetricFilterResource::log_group_name, "The group.")
      .replaces()
      .nested(transformation, &MetricFilterResource::transformations, stack::at_least(1), "The metric.")
      .known("apply_on_transformed_logs", "events are not transformed")
      .computed("id", [](const MetricFilterResource& filter) { return filter.name; });
}

auto subscription_block() {
  return stack::resource<SubscriptionResource>("aws_cloudwatch_log_subscription_filter", "logs",
                                               "Sends the log events that match a pattern to a function.")
      .required("name", &SubscriptionResource::name, "Its name.")
      .replaces()
      .required("filter_pattern", &SubscriptionResource::filter_pattern, "Which events; \"\" for all.")
      .required("log_group_name", &SubscriptionResource::log_group_name, "The group.")
      .replaces()
      .required("destination_arn", &SubscriptionResource::destination_arn, "The function's ARN.")
      .attribute("role_arn", &SubscriptionResource::role_arn, "", "Kept, not used: whoever is subscribed is called.")
      .attribute("distribution", &SubscriptionResource::distribution, "ByLogStream", "ByLogStream or Random.")
      .known("apply_on_transformed_logs", "events are not transformed")
      .known("emit_system_fields", "events carry no system fields")
      .computed("id", [](const SubscriptionResource&, const stack::Context& context) {
        return fmt::format("cwlsf-{}", base::hex(base::sha256(context.address)).substr(0, 10));
      });
}

Result<MetricFilter> filter_of(const MetricFilterResource& resource) {
  MetricFilter filter;
  filter.name = resource.name;
  filter.pattern = resource.pattern;
  filter.declared = true;
  if (resource.transformations.size() != 1) {
    return Error{Errc::kMalformed, "There is one metric_transformation in a metric filter."};
  }
  const auto& from = resource.transformations.front();
  filter.transformation = {.name_space = from.name_space,
                           .name = from.name,
                           .value = from.value,
                           .default_value = {},
                           .dimensions = from.dimensions,
                           .unit = from.unit};
  if (!from.default_value.empty()) {
    const auto number = base::Json::parse(from.default_value);
    if (!number || !number->is_number()) {
      return Error{Errc::kMalformed, fmt::format("default_value is a number, not \"{}\".", from.default_value)};
    }
    filter.transformation.default_value = number->number_or(0);
  }
  if (auto valid = check_metric_filter(filter); !valid) return valid.error();
  return filter;
}

}  // namespace

void declare(stack::Catalogue& catalogue) {
  catalogue.add(group_block());
  catalogue.add(stream_block());
  catalogue.add(metric_filter_block());
  catalogue.add(subscription_block());
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  stack::Diagnostics wrong;
  auto config = std::make_shared<Config>();
  for (const auto& found : stack.all<GroupResource>("aws_cloudwatch_log_group")) {
    const auto name = found.resource.attributes["name"].string();
    auto& group = config->groups[name];
    if (group.declared) {
      wrong.error("Log group declared twice", fmt::format("There is another log group {} in these files.", name),
                  found.resource.range());
      continue;
    }
    group.name = name;
    group.declared = true;
    group.log_class = found.value.log_group_class;
    group.tags = found.value.tags;
    if (found.value.retention_in_days > 0) group.retention_days = static_cast<int>(found.value.retention_in_days);
  }
  // A group that is not declared is one that somebody writes to: it is made when its filter is.
  const auto group_named = [&](const std::string& name) -> GroupSettings& {
    auto& group = config->groups[name];
    group.name = name;
    return group;
  };
  for (const auto& found : stack.all<StreamResource>("aws_cloudwatch_log_stream")) {
    group_named(found.value.log_group_name).empty_streams.emplace(found.value.name, 0);
  }
  for (const auto& found : stack.all<MetricFilterResource>("aws_cloudwatch_log_metric_filter")) {
    auto filter = filter_of(found.value);
    if (!filter) {
      wrong.error("Invalid metric filter", filter.error().message, found.resource.range());
      continue;
    }
    group_named(found.value.log_group_name).metric_filters[filter->name] = *filter;
  }
  for (const auto& found : stack.all<SubscriptionResource>("aws_cloudwatch_log_subscription_filter")) {
    SubscriptionFilter filter;
    filter.name = found.value.name;
    filter.pattern = found.value.filter_pattern;
    filter.destination_arn = found.value.destination_arn;
    filter.role_arn = found.value.role_arn;
    filter.distribution = found.value.distribution;
    filter.declared = true;
    if (auto valid = check_subscription_filter(filter, found.value.log_group_name); !valid) {
      wrong.error("Invalid subscription filter", valid.error().message, found.resource.range());
      continue;
    }
    group_named(found.value.log_group_name).subscription_filters[filter.name] = filter;
  }
  if (wrong.has_errors()) return wrong;
  return std::shared_ptr<const Config>(std::move(config));
}

}  // namespace securebase::logs
