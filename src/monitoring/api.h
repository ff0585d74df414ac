// What the operations of CloudWatch on alarms, dashboards and metric data have in common; each is a function from input
// to outcome, so that a test calls it without a port. operations.cc registers them.
#pragma once

#include <optional>
#include <string>

#include "aws/aws.h"
#include "monitoring/alarms.h"
#include "monitoring/dashboards.h"

namespace securebase::monitoring {

// ValidationError, LimitExceeded, ResourceNotFound or InternalServiceError.
aws::Fault fault_of(const Error& error);
aws::Fault validation(std::string message);

// Opaque: where a list goes on.
std::string page_token(std::string_view place);
// nullopt: it is no token of ours.
std::optional<std::string> page_place(std::string_view token);

namespace api {

aws::Outcome put_metric_alarm(Alarms& alarms, const aws::Call& call);
aws::Outcome put_composite_alarm(Alarms& alarms, const aws::Call& call);
aws::Outcome describe_alarms(Alarms& alarms, const aws::Call& call);
aws::Outcome describe_alarms_for_metric(Alarms& alarms, const aws::Call& call);
aws::Outcome describe_alarm_history(Alarms& alarms, const aws::Call& call);
aws::Outcome delete_alarms(Alarms& alarms, const aws::Call& call);
aws::Outcome set_alarm_state(Alarms& alarms, const aws::Call& call);
aws::Outcome enable_alarm_actions(Alarms& alarms, const aws::Call& call);
aws::Outcome disable_alarm_actions(Alarms& alarms, const aws::Call& call);
aws::Outcome tag_resource(Alarms& alarms, const aws::Call& call);
aws::Outcome untag_resource(Alarms& alarms, const aws::Call& call);
aws::Outcome list_tags_for_resource(Alarms& alarms, const aws::Call& call);

aws::Outcome put_anomaly_detector(Alarms& alarms, const aws::Call& call);
aws::Outcome delete_anomaly_detector(Alarms& alarms, const aws::Call& call);
aws::Outcome describe_anomaly_detectors(Alarms& alarms, const Series& series, const aws::Call& call);

aws::Outcome put_dashboard(Dashboards& dashboards, const aws::Call& call);
aws::Outcome get_dashboard(Dashboards& dashboards, const aws::Call& call);
aws::Outcome list_dashboards(Dashboards& dashboards, const aws::Call& call);
aws::Outcome delete_dashboards(Dashboards& dashboards, const aws::Call& call);

aws::Outcome get_metric_data(Alarms& alarms, const Series& series, const aws::Call& call);

}  // namespace api
}  // namespace securebase::monitoring
