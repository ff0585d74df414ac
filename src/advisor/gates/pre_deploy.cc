// Before a deployment: was this configuration tested, would somebody hear of trouble, and is there a way back?
#include <algorithm>
#include <array>
#include <map>

#include "advisor/gates/checks.h"

namespace securebase::advisor {

namespace {

// --- load test ------------------------------------------------------------------------------------------------------

void load_test(const Facts& facts, Check& check) {
  check.command = "securebase load runs";
  const auto of_this = [&facts](const LoadRun& run) { return run.configuration == facts.configuration; };
  const auto* run = newest(facts.runs, of_this);
  if (!run) {
    const auto* other = newest(facts.runs, [](const LoadRun&) { return true; });
    if (other) check.evidence.push_back("of another configuration: " + in_a_line(*other, facts.now));
    return decide(check, Decision::kInsufficient,
                  fmt::format("no load test ran on this configuration ({})", facts.configuration));
  }
  check.evidence.push_back(in_a_line(*run, facts.now));
  for (const auto& failed : run->failed_thresholds) check.evidence.push_back("crossed: " + failed);
  const auto age = facts.now - run->ended;
  if (!run->valid) {
    return decide(check, Decision::kInsufficient, "the load generator was late itself: its numbers say nothing");
  }
  if (!run->passed) {
    return decide(check, Decision::kInsufficient, "the load test had no thresholds, so that it could not fail");
  }
  if (!*run->passed)
    return decide(check, Decision::kFail, "the last load test of this configuration crossed thresholds");
  if (age > facts.freshness) {
    return decide(
        check, Decision::kInsufficient,
        fmt::format("the last load test is {} old; {} are allowed", in_words(age), in_words(facts.freshness)));
  }
  decide(check, Decision::kPass, fmt::format("passed {} ago on this configuration", in_words(age)));
}

// --- alarms ---------------------------------------------------------------------------------------------------------

struct Watched {
  std::string_view what;
  std::string_view name_space;
  std::string_view metric;
};
// The guide's "Pre-Configured Alarms".
constexpr std::array<Watched, 8> kWatched{{{"API p95 latency", "AWS/ApiGateway", "Latency"},
                                           {"Lambda errors", "AWS/Lambda", "Errors"},
                                           {"Lambda throttles", "AWS/Lambda", "Throttles"},
                                           {"API 5xx", "AWS/ApiGateway", "5XXError"},
                                           {"DynamoDB throttles", "AWS/DynamoDB", ""},
                                           {"ElastiCache CPU", "AWS/ElastiCache", "CPUUtilization"},
                                           {"ElastiCache memory", "AWS/ElastiCache", "DatabaseMemoryUsagePercentage"},
                                           {"CloudFront 5xx rate", "AWS/CloudFront", "5xxErrorRate"}}};

bool watches(const monitoring::AlarmDefinition& alarm, const Watched& watched) {
  const auto* rule = std::get_if<monitoring::MetricRule>(&alarm.rule);
  if (!rule) return false;
  const auto is = [&watched](const monitoring::MetricStat& stat) {
    return stat.metric.name_space == watched.name_space &&
           (watched.metric.empty() || stat.metric.name == watched.metric);
  };
  if (rule->metric && is(*rule->metric)) return true;
  return std::any_of(rule->metrics.begin(), rule->metrics.end(), [&](const monitoring::DataQuery& query) {
    if (query.metric_stat) return is(*query.metric_stat);
    return query.expression.find(watched.name_space) != std::string::npos &&
           query.expression.find(watched.metric) != std::string::npos;
  });
}

// Why nobody would hear of the alarm; "": somebody would.
std::string unheard(const monitoring::AlarmView& alarm, const std::map<std::string, const Topic*>& topics) {
  if (!alarm.definition.actions_enabled) return "its actions are off";
  if (alarm.definition.alarm_actions.empty()) return "it has no action";
  std::string why = "its actions are no topics";
  for (const auto& action : alarm.definition.alarm_actions) {
    const auto found = topics.find(action);
    if (found == topics.end()) continue;
    const auto& topic = *found->second;
    if (topic.receivers > 0 && topic.reached > 0) return "";
    why = topic.receivers == 0    ? fmt::format("nobody is subscribed to {}", topic.arn)
          : topic.trouble.empty() ? fmt::format("no message reached a subscriber of {} within the last day", topic.arn)
                                  : fmt::format("{}: {}", topic.arn, topic.trouble);
  }
  return why;
}

void alarms(const Facts& facts, Check& check) {
  check.command = "securebase alarms; securebase notify log";
  std::map<std::string, const Topic*> topics;
  for (const auto& topic : facts.topics) topics[topic.arn] = &topic;
  std::size_t missing = 0;
  std::size_t mute = 0;
  for (const auto& watched : kWatched) {
    const monitoring::AlarmView* heard = nullptr;
    std::string why = "there is no such alarm";
    bool there = false;
    for (const auto& alarm : facts.alarms) {
      if (!watches(alarm.definition, watched)) continue;
      there = true;
      why = unheard(alarm, topics);
      if (!why.empty()) continue;
      heard = &alarm;
      break;
    }
    if (heard) {
      check.evidence.push_back(
          fmt::format("{}: {} ({})", watched.what, heard->definition.name, monitoring::to_string(heard->status.state)));
    } else {
      check.evidence.push_back(fmt::format("{}: {}", watched.what, why));
      ++(there ? mute : missing);
    }
  }
  for (const auto& topic : facts.topics) {
    check.evidence.push_back(topic.delivered.empty()
                                 ? fmt::format("{}: {} subscribers, none reached", topic.arn, topic.receivers)
                                 : fmt::format("{}: {} of {} subscribers reached, last at {}", topic.arn, topic.reached,
                                               topic.receivers, topic.delivered));
  }
  if (missing > 0) {
    return decide(check, Decision::kFail, fmt::format("{} of {} alarms are missing", missing, kWatched.size()));
  }
  if (mute == 0)
    return decide(check, Decision::kPass,
                  fmt::format("{} alarms, and a message reached somebody of each", kWatched.size()));
  // A topic that could not be reached is known to be broken; one that was not tried is not known.
  const bool broken = std::any_of(facts.topics.begin(), facts.topics.end(),
                                  [](const Topic& topic) { return topic.receivers == 0 || !topic.trouble.empty(); });
  decide(check, broken ? Decision::kFail : Decision::kInsufficient,
         fmt::format("of {} of {} alarms it is not shown that somebody hears them", mute, kWatched.size()));
}

// --- dashboards -----------------------------------------------------------------------------------------------------

// Namespaces and names that a dashboard's widgets show. "..." stands for what the line before has.
void collect_metrics(const base::Json& body, std::vector<monitoring::MetricFilter>& into) {
  const auto* widgets = body["widgets"].as_array();
  if (!widgets) return;
  for (const auto& widget : *widgets) {
    const auto* lines = widget["properties"]["metrics"].as_array();
    if (!lines) continue;
    for (const auto& line : *lines) {
      const auto* words = line.as_array();
      if (!words || words->size() < 2 || !(*words)[0].is_string() || !(*words)[1].is_string()) continue;
      const auto name_space = (*words)[0].string_or("");
      if (name_space == "..." || name_space == ".") continue;
      monitoring::MetricFilter filter;
      filter.name_space = std::string(name_space);
      filter.name = std::string((*words)[1].string_or(""));
      into.push_back(std::move(filter));
    }
  }
}

void dashboards(const Facts& facts, Check& check) {
  check.command = "aws cloudwatch list-dashboards";
  if (facts.dashboards.empty()) return decide(check, Decision::kFail, "there is no dashboard");
  bool blind = false;
  for (const auto& dashboard : facts.dashboards) {
    std::vector<monitoring::MetricFilter> metrics;
    if (auto body = base::Json::parse(dashboard.body)) collect_metrics(*body, metrics);
    const auto with_data = std::count_if(metrics.begin(), metrics.end(),
                                         [&facts](const auto& filter) { return !facts.series->list(filter).empty(); });
    check.evidence.push_back(
        fmt::format("{}: {} of {} metrics have samples", dashboard.name, with_data, metrics.size()));
    blind = blind || (!metrics.empty() && with_data == 0);
  }
  if (blind)
    return decide(check, Decision::kInsufficient, "a dashboard shows nothing: none of its metrics has samples");
  decide(check, Decision::kPass, fmt::format("{} dashboards", facts.dashboards.size()));
}

// --- warming --------------------------------------------------------------------------------------------------------

// A warming is a load run by that name, so that what warms the cache is what was measured.
void warming(const Facts& facts, Check& check) {
  check.command = "securebase load runs";
  const auto* run = newest(facts.runs, [&facts](const LoadRun& one) {
    return one.configuration == facts.configuration &&
           (one.scenario.find("warm") != std::string::npos || one.scenario.find("Warm") != std::string::npos);
  });
  if (!run) {
    return decide(check, Decision::kInsufficient,
                  "no script with \"warm\" in its name ran on this configuration; the platform has no other warming");
  }
  check.evidence.push_back(in_a_line(*run, facts.now));
  if (run->errors_percent >= 1) {
    return decide(check, Decision::kFail,
                  fmt::format("{:.1f} % of the warming's requests failed", run->errors_percent));
  }
  decide(check, Decision::kPass,
         fmt::format("ran {} ago: {} requests", in_words(facts.now - run->ended), run->requests));
}

// --- rollback -------------------------------------------------------------------------------------------------------

void rollback(const Facts& facts, Check& check) {
  check.command = "securebase rollback --list";
  if (!facts.earlier_configuration) {
    return decide(check, Decision::kInsufficient,
                  "there is no earlier configuration: this is the first that was applied");
  }
  if (!facts.rehearsal) return decide(check, Decision::kInsufficient, "a rollback was never rehearsed");
  const auto& rehearsal = *facts.rehearsal;
  check.evidence.push_back(fmt::format("rehearsed {} ago from {} to {}: {}", in_words(facts.now - rehearsal.at),
                                       rehearsal.from, rehearsal.to, rehearsal.summary));
  if (rehearsal.from != facts.configuration || rehearsal.to != *facts.earlier_configuration) {
    return decide(check, Decision::kInsufficient,
                  "what was rehearsed begins at another configuration, or leads to one");
  }
  decide(check, Decision::kPass,
         fmt::format("rehearsed {} ago: back to {}", in_words(facts.now - rehearsal.at), rehearsal.to));
}

}  // namespace

const std::vector<DeclaredCheck>& pre_deploy_checks() {
  static const std::vector<DeclaredCheck> checks{
      {"load-test", "Load test completed with passing results",
       "the newest load test on exactly this configuration was valid, had thresholds, crossed none, and is fresh",
       "securebase load run SCRIPT --criteria guide", load_test},
      {"alarms", "All performance alarms configured",
       "each of the guide's eight alarms exists, its actions are on, and a message reached a subscriber within a day",
       "apply the stack's alarms, subscribe somebody (aws sns subscribe), then `securebase check pre-deploy "
       "--send-tests`",
       alarms},
      {"dashboards", "CloudWatch dashboards created", "there are dashboards, and their metrics have samples",
       "apply the stack's aws_cloudwatch_dashboard, and let some traffic through", dashboards},
      {"cache-warming", "Cache warming scripts ready",
       "a load script with \"warm\" in its name ran on this configuration with less than 1 % errors",
       "write one that asks for what visitors ask for first, and run it: securebase artillery run warm-up.yml",
       warming},
      {"rollback", "Rollback plan documented",
       "the way from this configuration back to the one before was rehearsed: read, configured by every room, compared",
       "securebase rollback --rehearse", rollback}};
  return checks;
}

}  // namespace securebase::advisor
