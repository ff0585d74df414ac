#include "logs/filter_rules.h"

#include <fmt/format.h>

#include <charconv>

#include "logs/patterns/pattern.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kFilterNameBytes = 512;
constexpr std::size_t kFilterDimensions = 3;

Error wrong(std::string message) { return {Errc::kMalformed, std::move(message)}; }

Result<Done> check_name(std::string_view name) {
  if (!name.empty() && name.size() <= kFilterNameBytes && name.find_first_of(":*") == std::string_view::npos)
    return Done{};
  return wrong("a filter's name has 1 to 512 characters, none of them : or *");
}

bool is_number_or_selector(std::string_view text) {
  if (text.starts_with('$')) return text.size() > 1;
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Result<Done> check_metric_filter(const MetricFilter& filter) {
  if (auto named = check_name(filter.name); !named) return named;
  if (auto pattern = Pattern::compile(filter.pattern); !pattern) return pattern.error();
  const auto& to = filter.transformation;
  if (to.name.empty() || to.name.size() > 255 || to.name_space.empty() || to.name_space.size() > 255) {
    return wrong("a metric has a name and a namespace of 1 to 255 characters");
  }
  if (to.name_space.starts_with("AWS/")) return wrong("namespaces that begin with AWS/ are the services' own");
  if (!is_number_or_selector(to.value)) {
    return wrong(fmt::format("metricValue is a number, or $.field or $field of the pattern, not \"{}\"", to.value));
  }
  if (to.dimensions.size() > kFilterDimensions) {
    return wrong(fmt::format("a metric filter has at most {} dimensions", kFilterDimensions));
  }
  if (!to.dimensions.empty() && to.default_value) return wrong("a metric with dimensions has no default value");
  for (const auto& [name, selector] : to.dimensions) {
    if (name.empty() || !selector.starts_with('$')) {
      return wrong(
          fmt::format("dimension {} is taken from the event, by $.field or $field, not \"{}\"", name, selector));
    }
  }
  return Done{};
}

Result<Done> check_subscription_filter(const SubscriptionFilter& filter, std::string_view group) {
  if (auto named = check_name(filter.name); !named) return named;
  if (auto pattern = Pattern::compile(filter.pattern); !pattern) return pattern.error();
  if (!filter.destination_arn.starts_with("arn:aws:lambda:")) {
    return wrong(
        fmt::format("events are sent to functions (arn:aws:lambda:...), not to \"{}\"", filter.destination_arn));
  }
  if (filter.distribution != "ByLogStream" && filter.distribution != "Random") {
    return wrong("distribution is ByLogStream or Random");
  }
  // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
  auto name = std::string_view(filter.destination_arn);
  if (const auto at = name.find(":function:"); at != std::string_view::npos) name.remove_prefix(at + 10);
  name = name.substr(0, name.find(':'));
  if (group == fmt::format("/aws/lambda/{}", name)) {
    return wrong("a function that gets its own lines writes more of them for ever; choose another function");
  }
  return Done{};
}

}  // namespace securebase::logs
