#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "logs/api.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kNameBytes = 512;

}  // namespace

aws::Fault invalid_parameter(std::string message) { return {"InvalidParameterException", std::move(message), 0, {}}; }

aws::Fault no_group() { return {"ResourceNotFoundException", "The specified log group does not exist.", 0, {}}; }

aws::Fault fault_of(const Error& error) {
  switch (error.code) {
    case Errc::kMalformed:
      return invalid_parameter(error.message);
    case Errc::kNotFound:
      return {"ResourceNotFoundException", error.message, 0, {}};
    case Errc::kConflict:
      return {"ResourceAlreadyExistsException", error.message, 0, {}};
    case Errc::kLimit:
      return {"LimitExceededException", error.message, 0, {}};
    default:
      return {"ServiceUnavailableException", error.message, 0, {}};
  }
}

std::string name_in_arn(std::string_view arn) {
  constexpr std::string_view kMark = ":log-group:";
  if (!arn.starts_with("arn:")) return std::string(arn);
  const auto at = arn.find(kMark);
  if (at == std::string_view::npos) return std::string(arn);
  arn.remove_prefix(at + kMark.size());
  return std::string(arn.substr(0, arn.find(':')));
}

std::string group_name_of(const aws::Value& input) {
  const auto name = input["logGroupName"].string_or("");
  return name.empty() ? name_in_arn(input["logGroupIdentifier"].string_or("")) : std::string(name);
}

Result<std::shared_ptr<Group>, aws::Fault> group_of(Logs::Engine& engine, const aws::Value& input) {
  const auto name = group_name_of(input);
  if (auto valid = check_group_name(name); !valid) return valid.error();
  return group_named(engine, name, no_group());
}

Result<std::shared_ptr<Group>, aws::Fault> group_named(Logs::Engine& engine, std::string_view name,
                                                       aws::Fault missing) {
  if (auto group = engine.store->find(name)) return group;
  if (const auto refusal = engine.store->refusal(name)) return fault_of(*refusal);
  return missing;
}

Result<Done, aws::Fault> check_group_name(std::string_view name) {
  const bool valid = !name.empty() && name.size() <= kNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/#").find(c) != std::string_view::npos;
  });
  if (valid) return Done{};
  return invalid_parameter(
      fmt::format("1 validation error detected: Value '{}' at 'logGroupName' failed to satisfy constraint: Member must "
                  "have 1 to 512 of the characters A-Z a-z 0-9 . _ - / #",
                  name.substr(0, 100)));
}

Result<Done, aws::Fault> check_stream_name(std::string_view name) {
  if (!name.empty() && name.size() <= kNameBytes && name.find_first_of(":*") == std::string_view::npos) return Done{};
  return invalid_parameter(fmt::format(
      "1 validation error detected: Value '{}' at 'logStreamName' failed to satisfy constraint: Member must "
      "have 1 to 512 characters, none of them : or *",
      name.substr(0, 100)));
}

Result<aws::Value, aws::Fault> page_of(const aws::Value& input, std::string_view key,
                                       std::vector<std::pair<std::string, aws::Value>> elements, std::size_t limit) {
  const auto asked = input["limit"].integer_or(static_cast<std::int64_t>(limit));
  if (asked < 1) return invalid_parameter("limit is at least 1");
  limit = std::min(limit, static_cast<std::size_t>(asked));
  std::size_t begin = 0;
  if (const auto token = input["nextToken"].string_or(""); !token.empty()) {
    const auto last = base::from_base64url(token);
    const auto found = std::find_if(elements.begin(), elements.end(),
                                    [&](const auto& element) { return last && element.first == *last; });
    if (found == elements.end()) return invalid_parameter("The specified nextToken is invalid.");
    begin = static_cast<std::size_t>(found - elements.begin()) + 1;
  }
  const auto end = std::min(elements.size(), begin + limit);
  aws::Value::List page;
  for (auto at = begin; at < end; ++at) page.push_back(std::move(elements[at].second));
  auto output = aws::Value::structure({{std::string(key), aws::Value(std::move(page))}});
  if (end < elements.size()) output.set("nextToken", base::base64url(elements[end - 1].first));
  return output;
}

void Logs::add_operations(aws::Operations& operations) {
  NamedHandlers all;
  add_group_operations(*engine_, all);
  add_event_operations(*engine_, all);
  add_metric_filter_operations(*engine_, all);
  add_subscription_operations(*engine_, all);
  for (auto& [name, handler] : all) operations.add("logs", name, std::move(handler));
  operations.add_quick("logs", "PutLogEvents", aws::QuickBody::kJson, quick_put_events(*engine_));
}

}  // namespace securebase::logs
