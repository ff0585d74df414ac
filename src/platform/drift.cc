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

Result<stack::Plan> Rooms::plan_of(const Configuration& next) const {
  auto plan = stack::diff(stack::applied(*applied_.stack), *next.stack);
  add_what_rooms_keep(plan, *next.stack);
  auto in_database = database_->drift(*next.database);
  if (!in_database) return in_database.error();
  stack::add_drift(plan, *in_database, *next.stack);
  if (auto may = objects_->may_apply(*next.objects); !may) return may.error();
  for (auto& change : plan.changes) {
    using Action = stack::Change::Action;
    if (change.type != "aws_rds_cluster") continue;
    if (change.action == Action::kDelete) change.effect = "stops PostgreSQL; its data stays in the state directory";
    if (change.action == Action::kReplace) change.effect = "renames the cluster; its data stays";
  }
  return plan;
}

}  // namespace securebase::platform
