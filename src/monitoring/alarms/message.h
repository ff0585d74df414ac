// What people and programs read of an alarm that changed: subject, CloudWatch's JSON, and plain words.
#pragma once

#include "monitoring/alarms.h"
#include "monitoring/alarms/course.h"

namespace securebase::monitoring {

struct Occasion {
  Telling telling = Telling::kChange;
  AlarmState before = AlarmState::kInsufficientData;
  base::TimePoint now;
  std::optional<double> value;        // of the newest point
  std::vector<std::string> incident;  // other alarms of the incident that are in ALARM
  std::string account;
  std::string region;
};

AlarmNotification notification_of(const AlarmView& alarm, const Occasion& occasion);

// "Europe (Frankfurt)", as CloudWatch names regions in its messages; the code where it has no name.
std::string region_name(std::string_view region);
// A command that shows the numbers an alarm is about.
std::string evidence_of(const AlarmDefinition& definition, base::TimePoint since, base::TimePoint now);
// "p95 of AWS/ApiGateway Latency {ApiName=securebase-api}".
std::string subject_of(const AlarmDefinition& definition);

}  // namespace securebase::monitoring
