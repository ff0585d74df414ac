// Which function answers which operation.
#include "monitoring/api.h"

namespace securebase::monitoring {

void add_alarm_operations(aws::Operations& operations, Alarms& alarms, Dashboards& dashboards, const Series& series) {
  using aws::Call;
  const auto with_alarms = [&](std::string_view name, aws::Outcome (*answer)(Alarms&, const Call&)) {
    operations.add("cloudwatch", name, [&alarms, answer](const Call& call) { return answer(alarms, call); });
  };
  const auto with_dashboards = [&](std::string_view name, aws::Outcome (*answer)(Dashboards&, const Call&)) {
    operations.add("cloudwatch", name, [&dashboards, answer](const Call& call) { return answer(dashboards, call); });
  };
  const auto with_series = [&](std::string_view name, aws::Outcome (*answer)(Alarms&, const Series&, const Call&)) {
    operations.add("cloudwatch", name,
                   [&alarms, &series, answer](const Call& call) { return answer(alarms, series, call); });
  };
  with_alarms("PutMetricAlarm", api::put_metric_alarm);
  with_alarms("PutCompositeAlarm", api::put_composite_alarm);
  with_alarms("DescribeAlarms", api::describe_alarms);
  with_alarms("DescribeAlarmsForMetric", api::describe_alarms_for_metric);
  with_alarms("DescribeAlarmHistory", api::describe_alarm_history);
  with_alarms("DeleteAlarms", api::delete_alarms);
  with_alarms("SetAlarmState", api::set_alarm_state);
  with_alarms("EnableAlarmActions", api::enable_alarm_actions);
  with_alarms("DisableAlarmActions", api::disable_alarm_actions);
  with_alarms("TagResource", api::tag_resource);
  with_alarms("UntagResource", api::untag_resource);
  with_alarms("ListTagsForResource", api::list_tags_for_resource);
  with_alarms("PutAnomalyDetector", api::put_anomaly_detector);
  with_alarms("DeleteAnomalyDetector", api::delete_anomaly_detector);
  with_series("DescribeAnomalyDetectors", api::describe_anomaly_detectors);
  with_dashboards("PutDashboard", api::put_dashboard);
  with_dashboards("GetDashboard", api::get_dashboard);
  with_dashboards("ListDashboards", api::list_dashboards);
  with_dashboards("DeleteDashboards", api::delete_dashboards);
  with_series("GetMetricData", api::get_metric_data);
}

}  // namespace securebase::monitoring
