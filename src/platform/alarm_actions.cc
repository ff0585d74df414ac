#include "platform/alarm_actions.h"

#include <fmt/format.h>

#include "base/json.h"
#include "platform/await.h"

namespace securebase::platform {

namespace {

// The service of arn:aws:SERVICE:region:account:...
std::string_view service_of(std::string_view arn) {
  for (int colons = 0; colons < 2; ++colons) {
    const auto colon = arn.find(':');
    if (colon == std::string_view::npos) return "";
    arn.remove_prefix(colon + 1);
  }
  return arn.substr(0, arn.find(':'));
}

}  // namespace

Result<Done> AlarmActions::perform(const std::string& action_arn, const monitoring::AlarmNotification& notification) {
  const auto service = service_of(action_arn);
  if (service == "sns") return publish(action_arn, notification);
  if (service == "lambda") return invoke(action_arn, notification);
  return Error{Errc::kUnsupported, fmt::format("actions go to topics (arn:aws:sns:...) and functions "
                                               "(arn:aws:lambda:...), not to {}",
                                               action_arn)};
}

Result<Done> AlarmActions::publish(const std::string& topic_arn, const monitoring::AlarmNotification& notification) {
  auto published = notify_.publish(topic_arn, notification.subject, notification.message);
  if (published) return Done{};
  const auto& fault = published.error();
  const Errc code = fault.code == "NotFound" ? Errc::kNotFound : Errc::kUnavailable;
  return Error{code, fmt::format("{}: {}", fault.code, fault.message)};
}

// As CloudWatch does it: the alarm's own JSON is the event, and the function runs on by itself.
Result<Done> AlarmActions::invoke(const std::string& function_arn, const monitoring::AlarmNotification& notification) {
  if (!functions_.knows(function_arn)) {
    return Error{Errc::kNotFound, fmt::format("there is no function {}", function_arn)};
  }
  auto data = base::Json::parse(notification.message);
  if (!data) return data.error();
  const auto event = base::Json::object({{"source", "aws.cloudwatch"},
                                         {"alarmArn", notification.alarm_arn},
                                         {"accountId", (*data)["AWSAccountId"]},
                                         {"time", base::iso8601_millis(notification.time)},
                                         {"region", (*data)["Region"]},
                                         {"alarmData", *data}});
  const auto outcome = await_on(worker_, functions_.invoke(function_arn, event.dump(), {}));
  using Kind = functions::InvokeOutcome::Kind;
  // An error of the function is the function's own; it was called.
  if (outcome.kind == Kind::kOk || outcome.kind == Kind::kFunctionError) return Done{};
  return Error{Errc::kUnavailable, outcome.payload};
}

}  // namespace securebase::platform
