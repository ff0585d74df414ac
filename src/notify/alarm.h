// A CloudWatch alarm as its message tells it, and how it reads to people: what broke, since when, the value against the
// threshold, and the command that shows the evidence. Values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace securebase::notify {

struct Alarm {
  std::string name;
  std::string description;
  std::string arn;
  std::string region;
  std::string state;  // "ALARM", "OK", "INSUFFICIENT_DATA"
  std::string old_state;
  std::string reason;
  std::optional<base::TimePoint> changed;

  // Of one metric; of a metric math or composite alarm `metric` is empty.
  std::string name_space;
  std::string metric;
  std::string statistic;  // "p95", "Average"
  bool extended = false;  // the statistic is a percentile or its like
  std::vector<std::pair<std::string, std::string>> dimensions;
  std::chrono::seconds period{0};
  std::int64_t evaluation_periods = 0;
  std::int64_t datapoints_to_alarm = 0;
  std::string comparison;  // "GreaterThanThreshold"
  std::optional<double> threshold;
  std::string unit;

  // The newest value that the reason names.
  std::optional<double> value() const;
};

// nullopt: the message is something else.
std::optional<Alarm> alarm_from(std::string_view message);

// "p95 of AWS/ApiGateway Latency (ApiName=securebase-api) is 131 ms: greater than 100 ms for 2 of 3 minutes".
std::string headline(const Alarm& alarm);
// "since 2026-01-24 10:05:00 UTC", or "".
std::string since(const Alarm& alarm);
// Shell commands, safe to paste.
std::vector<std::string> evidence(const Alarm& alarm);

}  // namespace securebase::notify
