// Where the alarms' actions go: topics of notifications, and functions.
#pragma once

#include "functions/functions.h"
#include "monitoring/alarms.h"
#include "net/worker.h"
#include "notify/notify.h"

namespace securebase::platform {

class AlarmActions final : public monitoring::ActionSink {
 public:
  // All outlive it. Functions are called on `worker`.
  AlarmActions(notify::Notify& notify, functions::Invoker& functions, net::Worker& worker)
      : notify_(notify), functions_(functions), worker_(worker) {}
  Result<Done> perform(const std::string& action_arn, const monitoring::AlarmNotification& notification) override;

 private:
  Result<Done> publish(const std::string& topic_arn, const monitoring::AlarmNotification& notification);
  Result<Done> invoke(const std::string& function_arn, const monitoring::AlarmNotification& notification);

  notify::Notify& notify_;
  functions::Invoker& functions_;
  net::Worker& worker_;
};

}  // namespace securebase::platform
