// Before a deployment: was this configuration tested, would somebody hear of trouble, and is there a way back?
#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "advisor/gates/checks.h"

namespace securebase::advisor {

namespace {

// --- load test ------------------------------------------------------------------------------------------------------

// "warm-up.yml", "cache_warming", "warm"; not "swarm".
bool is_warming(std::string_view name) {
  constexpr std::string_view kWarm = "warm";
  for (std::size_t i = 0; i + kWarm.size() <= name.size(); ++i) {
    const bool begins_word = i == 0 || std::isalpha(static_cast<unsigned char>(name[i - 1])) == 0;
    const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
    if (begins_word && std::equal(kWarm.begin(), kWarm.end(), name.begin() + static_cast<std::ptrdiff_t>(i),
                                  [&](char b, char a) { return same(a, b); })) {
      return true;
    }
  }
  return false;
}

// A capacity test is made to break, and a warming to fill caches: neither says whether the configuration holds.
bool is_warming(const LoadRun& run) { return is_warming(run.scenario) || is_warming(run.name); }
bool is_load_test(const LoadRun& run) { return run.scenario != "capacity" && !is_warming(run); }

// Whether the check rests on it: on the one that was named, else on all.
bool counts(const Facts& facts, const LoadRun& run) {
  if (facts.load_test.empty()) return is_load_test(run);
  return run.scenario == facts.load_test || run.name == facts.load_test;
}

// The same test run again takes the place of what it said before; another test does not.
using Test = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;
Test test_of(const LoadRun& run) { return {run.tool, run.scenario, run.name, run.target}; }

// What the load tests of this configuration say, each by its newest run that says anything.
struct LoadTests {
  std::vector<const LoadRun*> failed;
  std::vector<const LoadRun*> passed;
  std::vector<std::pair<const LoadRun*, std::string>> undecided;  // and why
};

LoadTests load_tests(const Facts& facts) {
  LoadTests tests;
  std::set<Test> decided;
  for (auto run = facts.runs.rbegin(); run != facts.runs.rend(); ++run) {
    if (run->configuration != facts.configuration || !counts(facts, *run) || decided.contains(test_of(*run))) continue;
    auto why = why_undecided(*run);
    // One that failed because nothing of it got here is no other's.
    const bool shut_out = run->verdict == RunVerdict::kFail && aimed_here(facts, *run);
    if (why.empty() && !shut_out) why = not_ours(facts, *run);
    if (!why.empty()) {
      tests.undecided.emplace_back(&*run, std::move(why));
      continue;
    }
    decided.insert(test_of(*run));
    (run->verdict == RunVerdict::kFail ? tests.failed : tests.passed).push_back(&*run);
  }
  return tests;
}

// What makes a run say something that said nothing.
std::string fix_of(const LoadRun& run) {
  switch (run.verdict) {
    case RunVerdict::kNone:
      return "run it with thresholds: --criteria guide or -t 'p95<100ms', or those of the script (ensure, thresholds)";
    case RunVerdict::kInsufficient:
      return "run it for longer (--duration), until its thresholds have their samples";
    case RunVerdict::kInvalid:
      return "run it again on a machine that has the time for it, with more --threads, or with fewer users";
    case RunVerdict::kInterrupted:
      return "run it again, to its end";
    case RunVerdict::kPass:
    case RunVerdict::kFail:
      break;
  }
  return "run it against this platform: securebase load run /api/v1/health --criteria guide; what it said went wrong "
         "is in its report";
}

void load_test(const Facts& facts, Check& check) {
  check.command = "securebase load runs";
  constexpr std::size_t kShown = 10;
  const auto tests = load_tests(facts);
  const auto show = [&](const LoadRun& run) {
    if (check.evidence.size() < kShown) check.evidence.push_back(in_a_line(run, facts.now));
  };
  for (const auto* run : tests.failed) {
    show(*run);
    for (const auto& crossed : run->failed_thresholds) check.evidence.push_back("crossed: " + crossed);
    if (const auto why = not_ours(facts, *run); !why.empty()) {
      check.evidence.push_back("it was aimed at this platform; " + why);
    }
  }
  for (const auto* run : tests.passed) show(*run);
  for (const auto& [run, why] : tests.undecided) show(*run);
  // On the same configuration a failure does not get better with age; only the same test, passed, takes it back.
  if (!tests.failed.empty()) {
    return decide(check, Decision::kFail,
                  fmt::format("{} of {} load tests of this configuration crossed thresholds when they last ran",
                              tests.failed.size(), tests.failed.size() + tests.passed.size()));
  }
  if (!tests.passed.empty()) {
    const auto age = facts.now - tests.passed.front()->ended;
    if (age > facts.freshness) {
      check.fix = "run it again: `securebase load list` names the tests of the stack";
      return decide(
          check, Decision::kInsufficient,
          fmt::format("the last load test is {} old; {} are allowed", in_words(age), in_words(facts.freshness)));
    }
    return decide(
        check, Decision::kPass,
        fmt::format("{} load tests pass, the newest {} ago on this configuration", tests.passed.size(), in_words(age)));
  }
  if (!tests.undecided.empty()) {
    check.fix = fix_of(*tests.undecided.front().first);
    return decide(check, Decision::kInsufficient, tests.undecided.front().second);
  }
  const auto* other = newest(facts.runs, [&facts](const LoadRun& run) { return counts(facts, run); });
  if (other) check.evidence.push_back("of another configuration: " + in_a_line(*other, facts.now));
  decide(check, Decision::kInsufficient,
         fmt::format("no load test {}ran on this configuration ({})",
                     facts.load_test.empty() ? "" : fmt::format("\"{}\" ", facts.load_test), facts.configuration));
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

// Why nobody would hear of the alarm, and whether that is known or only not shown.
struct Unheard {
  std::string why;  // "": somebody would
  bool known = false;
};

Unheard unheard(const monitoring::AlarmView& alarm, const std::map<std::string, const Topic*>& topics) {
  if (!alarm.definition.actions_enabled) return {"its actions are off", true};
  if (alarm.definition.alarm_actions.empty()) return {"it has no action", true};
  Unheard worst{"its actions are no topics that there are", true};
  for (const auto& action : alarm.definition.alarm_actions) {
    const auto found = topics.find(action);
    if (found == topics.end()) continue;
    const auto& topic = *found->second;
    if (topic.receivers == 0) {
      worst = {topic.pending > 0
                   ? fmt::format("{} subscriptions of {} wait to be confirmed, and nobody else is subscribed: "
                                 "securebase notify shows them",
                                 topic.pending, topic.arn)
                   : fmt::format("nobody is subscribed to {}", topic.arn),
               true};
    } else if (topic.reached > 0) {
      return {};
    } else if (!topic.trouble.empty()) {
      worst = {fmt::format("{}: {}", topic.arn, topic.trouble), true};
    } else {
      worst = {fmt::format("no message reached a subscriber of {} within the last day", topic.arn), false};
    }
  }
  return worst;
}

void alarms(const Facts& facts, Check& check) {
  check.command = "securebase alarms; securebase notify log";
  std::map<std::string, const Topic*> topics;
  for (const auto& topic : facts.topics) topics[topic.arn] = &topic;
  std::size_t missing = 0;
  std::size_t mute = 0;
  std::size_t not_shown = 0;
  for (const auto& watched : kWatched) {
    const monitoring::AlarmView* heard = nullptr;
    std::optional<Unheard> not_heard;
    for (const auto& alarm : facts.alarms) {
      if (!watches(alarm.definition, watched)) continue;
      auto one = unheard(alarm, topics);
      if (one.why.empty()) {
        heard = &alarm;
        break;
      }
      if (!not_heard || not_heard->known) not_heard = std::move(one);
    }
    if (heard) {
      check.evidence.push_back(
          fmt::format("{}: {} ({})", watched.what, heard->definition.name, monitoring::to_string(heard->status.state)));
      continue;
    }
    check.evidence.push_back(
        fmt::format("{}: {}", watched.what, not_heard ? not_heard->why : std::string("there is no such alarm")));
    ++(!not_heard ? missing : not_heard->known ? mute : not_shown);
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
  if (mute > 0) {
    return decide(check, Decision::kFail, fmt::format("nobody would hear {} of {} alarms", mute, kWatched.size()));
  }
  if (not_shown > 0) {
    return decide(
        check, Decision::kInsufficient,
        fmt::format("of {} of {} alarms it is not shown that somebody hears them", not_shown, kWatched.size()));
  }
  decide(check, Decision::kPass, fmt::format("{} alarms, and a message reached somebody of each", kWatched.size()));
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
  const auto has_samples = [&facts](const monitoring::MetricFilter& filter) {
    const auto series = facts.series->list(filter);
    return std::any_of(series.begin(), series.end(), [&facts](const monitoring::MetricId& id) {
      const auto newest_sample = facts.series->newest(id);
      return newest_sample && *newest_sample > facts.now - std::chrono::hours{24};
    });
  };
  std::string blind;
  for (const auto& dashboard : facts.dashboards) {
    std::vector<monitoring::MetricFilter> metrics;
    if (auto body = base::Json::parse(dashboard.body)) collect_metrics(*body, metrics);
    const auto with_samples = std::count_if(metrics.begin(), metrics.end(), has_samples);
    check.evidence.push_back(
        fmt::format("{}: {} of {} metrics have samples of the last day", dashboard.name, with_samples, metrics.size()));
    if (2 * static_cast<std::size_t>(with_samples) < metrics.size() || metrics.empty()) blind = dashboard.name;
  }
  if (!blind.empty()) {
    return decide(check, Decision::kInsufficient, fmt::format("less than half of what {} shows has samples", blind));
  }
  decide(check, Decision::kPass, fmt::format("{} dashboards", facts.dashboards.size()));
}

// --- warming --------------------------------------------------------------------------------------------------------

// A warming is a load run by that name, so that what warms the cache is what was measured.
void warming(const Facts& facts, Check& check) {
  check.command = "securebase load runs";
  const auto* run = newest(
      facts.runs, [&facts](const LoadRun& one) { return one.configuration == facts.configuration && is_warming(one); });
  if (!run) {
    return decide(check, Decision::kInsufficient,
                  "no script with \"warm\" in its name ran on this configuration; the platform has no other warming");
  }
  check.evidence.push_back(in_a_line(*run, facts.now));
  if (const auto why = not_ours(facts, *run); !why.empty()) return decide(check, Decision::kInsufficient, why);
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
    check.fix =
        "nothing leads back from the first configuration; for this one deployment: securebase check waive "
        "pre-deploy/rollback --owner YOU --for 7d --reason \"the first deployment\"";
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
       "of each load test that ran on exactly this configuration (capacity and warming left out) the newest run that "
       "came here, was valid and had thresholds and samples enough crossed none, and one of them is fresh",
       "mend what was crossed, and run the same test again: only its own pass takes a failure back",
       "run one of the stack's (securebase load list, then securebase load NAME), or securebase load run "
       "/api/v1/health --criteria guide",
       load_test},
      {"alarms", "All performance alarms configured",
       "each of the guide's eight alarms exists, its actions are on, and a message reached a subscriber within a day",
       "apply the stack's alarms; subscribe somebody to their topics (up -var alert_email=..., or aws sns subscribe), "
       "who "
       "confirms (securebase notify); then securebase check pre-deploy --send-tests",
       "send a test to the topics that none reached a subscriber of: securebase check pre-deploy --send-tests", alarms},
      {"dashboards", "CloudWatch dashboards created",
       "there are dashboards, and at least half of what each shows has samples of the last day",
       "apply the stack's aws_cloudwatch_dashboard",
       "let some traffic through, and look again a minute later: securebase load run /api/v1/health --duration 1m",
       dashboards},
      {"cache-warming", "Cache warming scripts ready",
       "a load script with \"warm\" in its name ran on this configuration with less than 1 % errors",
       "its report says which requests failed; mend the script or what it asks for, and run it again",
       "run a script that asks for what visitors ask for first: securebase load warm-up, if the stack declares it, or "
       "securebase artillery run warm-up.yml",
       warming},
      {"rollback", "Rollback plan documented",
       "the way from this configuration back to the one before was rehearsed: read, configured by every room, its code "
       "found",
       "securebase rollback --rehearse", "securebase rollback --rehearse", rollback}};
  return checks;
}

}  // namespace securebase::advisor
