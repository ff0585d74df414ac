// What rooms keep themselves, so that no record of it is in the registry: what of it is not as the files say, and what
// APIs made beside them.
#include "platform/rooms.h"

namespace securebase::platform {

void Rooms::add_what_rooms_keep(stack::Plan& plan, const stack::Stack& after) const {
  for (auto& drifted : {alarms_->drift(), dashboards_->drift(), notify_->drift()}) {
    stack::add_drift(plan, drifted, after);
  }
  const auto add = [&plan](std::string_view type, std::string_view key) {
    plan.beside.push_back(stack::api_address(type, key));
  };
  for (const auto& alarm : alarms_->list({})) {
    const bool composite = alarm.definition.is_composite();
    if (alarm.status.from_stack) continue;
    add(composite ? "aws_cloudwatch_composite_alarm" : "aws_cloudwatch_metric_alarm", alarm.definition.name);
  }
  for (const auto& dashboard : dashboards_->list()) {
    if (!dashboard.from_stack) add("aws_cloudwatch_dashboard", dashboard.name);
  }
  const auto status = notify_->status();
  for (const auto& topic : status.topics) {
    if (!topic.declared) add("aws_sns_topic", topic.arn.substr(topic.arn.rfind(':') + 1));
  }
  for (const auto& one : status.subscriptions) {
    if (!one.declared) add("aws_sns_topic_subscription", one.arn);
  }
}

}  // namespace securebase::platform
