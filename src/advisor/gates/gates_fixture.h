// What the tests of the gates know: metrics that were made up, and facts to decide on.
#pragma once

#include <gtest/gtest.h>

#include "advisor/gates.h"

namespace securebase::advisor {

using std::chrono::hours;
using std::chrono::seconds;

constexpr base::TimePoint kAt{seconds{1'795'737'600}};
constexpr const char* kTopic = "arn:aws:sns:us-east-1:123456789012:alerts";

// What was recorded when: the samples of a window count, weighted as averages are.
class Numbers final : public monitoring::Series {
 public:
  // From `since` on, at each time that is asked for.
  void set(std::string name_space, std::string metric, std::string dimension, std::string of, std::string statistic,
           double value, std::uint64_t samples, base::TimePoint since = kAt - hours{24 * 400},
           base::TimePoint until = kAt + hours{24 * 400}) {
    monitoring::MetricId id{std::move(name_space), std::move(metric), {{std::move(dimension), std::move(of)}}};
    auto& stretches = points_[{id, std::move(statistic)}];
    std::erase_if(stretches, [since](const Stretch& one) { return one.since == since; });
    stretches.push_back({since, until, {since, value, samples}});
  }
  Result<std::vector<monitoring::Point>> read(const monitoring::MetricQuery&) const override {
    return std::vector<monitoring::Point>{};
  }
  Result<std::optional<monitoring::Point>> whole(const monitoring::MetricQuery& query) const override {
    const auto found = points_.find({query.metric, query.statistic});
    if (found == points_.end()) return std::optional<monitoring::Point>{};
    for (const auto& one : found->second) {
      if (query.from < one.until && one.since < query.to) return std::optional(one.point);
    }
    return std::optional<monitoring::Point>{};
  }
  std::vector<monitoring::MetricId> list(const monitoring::MetricFilter& filter) const override {
    std::vector<monitoring::MetricId> found;
    for (const auto& [key, points] : points_) {
      const auto& id = key.first;
      if (id.name_space != filter.name_space || id.name != filter.name) continue;
      if (!filter.dimensions.empty() && id.dimensions.front().first != filter.dimensions.front().first) continue;
      if (found.empty() || found.back() != id) found.push_back(id);
    }
    return found;
  }
  std::optional<base::TimePoint> newest(const monitoring::MetricId& id) const override {
    std::optional<base::TimePoint> last;
    for (const auto& [key, points] : points_) {
      if (key.first != id) continue;
      for (const auto& one : points) last = std::max(last.value_or(one.since), std::min(one.until, kAt));
    }
    return last;
  }

 private:
  struct Stretch {
    base::TimePoint since;
    base::TimePoint until;
    monitoring::Point point;
  };
  std::map<std::pair<monitoring::MetricId, std::string>, std::vector<Stretch>> points_;
};

struct World {
  Numbers numbers;
  Facts facts;
  World() {
    facts.now = kAt;
    facts.deployed = kAt - hours{48};
    facts.configuration = "c0ffee";
    facts.series = &numbers;
    // What load tests send comes here.
    numbers.set("AWS/CloudFront", "Requests", "DistributionId", "E1", "Sum", 1000, 1000);
  }
  Check of(Gate gate, std::string_view id, const std::vector<Waiver>& waivers = {}) const {
    for (auto& one : check(gate, facts, waivers).checks) {
      if (one.id == id) return one;
    }
    ADD_FAILURE() << "no check " << id;
    return {};
  }
};

inline LoadRun passed_run() {
  LoadRun run;
  run.began = kAt - hours{2};
  run.ended = kAt - hours{1};
  run.tool = "k6";
  run.scenario = "load-test.js";
  run.configuration = "c0ffee";
  run.verdict = RunVerdict::kPass;
  run.requests = 1000;
  return run;
}

inline monitoring::AlarmView alarm_on(std::string name_space, std::string metric) {
  monitoring::AlarmView view;
  view.definition.name = "on-" + metric;
  view.definition.alarm_actions = {kTopic};
  monitoring::MetricRule rule;
  rule.metric = monitoring::MetricStat{{std::move(name_space), std::move(metric), {}}, seconds{60}, "Sum", {}};
  view.definition.rule = rule;
  return view;
}

inline std::vector<monitoring::AlarmView> the_eight() {
  return {alarm_on("AWS/ApiGateway", "Latency"),         alarm_on("AWS/Lambda", "Errors"),
          alarm_on("AWS/Lambda", "Throttles"),           alarm_on("AWS/ApiGateway", "5XXError"),
          alarm_on("AWS/DynamoDB", "ThrottledRequests"), alarm_on("AWS/ElastiCache", "CPUUtilization"),
          alarm_on("AWS/CloudFront", "5xxErrorRate"),    alarm_on("AWS/ElastiCache", "DatabaseMemoryUsagePercentage")};
}

}  // namespace securebase::advisor
