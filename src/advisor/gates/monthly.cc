// Once a month: what grew slow, what is too large or too small, what it costs, and whether the baselines are new.
#include <algorithm>
#include <cmath>

#include "advisor/advisor.h"
#include "advisor/gates/checks.h"

namespace securebase::advisor {

namespace {

// AWS Lambda pricing, x86, us-east-1, first tier.
constexpr double kDollarsPerGigabyteSecond = 0.0000166667;
constexpr double kDollarsPerMillionRequests = 0.20;

base::TimePoint window_begin(const Facts& facts, int windows_ago = 0) {
  return facts.now - facts.window * (windows_ago + 1);
}

// --- slow queries ---------------------------------------------------------------------------------------------------

std::string shortened(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  constexpr std::size_t kMost = 120;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

void slow_queries(const Facts& facts, Check& check) {
  check.command =
      "aws rds download-db-log-file-portion --db-instance-identifier securebase-prod-instance-1 "
      "--log-file-name slowquery/postgresql-slowquery.log";
  const auto times = of_each(*facts.series, "SecureBase/Performance", "QueryTime", "DBClusterIdentifier", "Average",
                             window_begin(facts), facts.now);
  std::uint64_t statements = 0;
  for (const auto& one : times) {
    statements += one.point.samples;
    check.evidence.push_back(
        fmt::format("{}: {} statements, {:.2f} ms on average", one.name, one.point.samples, one.point.value));
  }
  if (!facts.slow_statements) return decide(check, Decision::kInsufficient, facts.slow_statements.error().message);
  constexpr std::size_t kShown = 10;
  constexpr std::uint64_t kOften = 10;
  std::size_t often = 0;
  for (const auto& slow : *facts.slow_statements) {
    often += slow.times >= kOften;
    if (check.evidence.size() < kShown) {
      check.evidence.push_back(fmt::format("{} times, {:.0f} ms on average, {:.0f} ms at most: {}", slow.times,
                                           slow.average_ms, slow.slowest_ms, shortened(slow.statement)));
    }
  }
  if (statements == 0) return decide(check, Decision::kInsufficient, "PostgreSQL told of no statement");
  if (often > 0) {
    return decide(check, Decision::kFail, fmt::format("{} statements were slow {} times or more", often, kOften));
  }
  decide(check, Decision::kPass, fmt::format("{} slow statements, none of them often", facts.slow_statements->size()));
}

// --- evictions ------------------------------------------------------------------------------------------------------

void evictions(const Facts& facts, Check& check) {
  check.command = "aws cloudwatch get-metric-statistics --namespace AWS/ElastiCache --metric-name Evictions";
  const auto sum = [&facts](std::string_view metric) {
    return total(
        of_each(*facts.series, "AWS/ElastiCache", metric, "CacheClusterId", "Sum", window_begin(facts), facts.now));
  };
  const double evicted = sum("Evictions");
  const double writes = sum("SetTypeCmds");
  check.evidence.push_back(
      fmt::format("{:.0f} keys were evicted, {:.0f} expired, {:.0f} writes", evicted, sum("Reclaimed"), writes));
  for (const auto& one : of_each(*facts.series, "AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId",
                                 "Maximum", window_begin(facts), facts.now)) {
    check.evidence.push_back(fmt::format("{}: at most {:.1f} % of the memory", one.name, one.point.value));
  }
  constexpr double kWrites = 100;
  if (writes < kWrites) return decide(check, Decision::kInsufficient, "hardly anything was written to the cache");
  const double percent = 100 * evicted / writes;
  if (percent >= 1) {
    return decide(check, Decision::kFail,
                  fmt::format("{:.1f} % of what was written was evicted; below 1 % is asked", percent));
  }
  decide(check, Decision::kPass, fmt::format("{:.2f} % of what was written was evicted", percent));
}

// --- memory ---------------------------------------------------------------------------------------------------------

// Lambda's memory goes in steps of 1 MB from 128; what is left above the highest use is a quarter.
std::int64_t right_size(double used_mb) {
  return std::max<std::int64_t>(128, static_cast<std::int64_t>(std::ceil(used_mb * 1.25 / 64)) * 64);
}

void memory(const Facts& facts, Check& check) {
  check.command =
      "aws logs insights query --log-group-name /aws/lambda/securebase-prod --query-string 'filter "
      "@type=\"REPORT\" | stats max(@maxMemoryUsed / 1000 / 1000), count(*) by @log'";
  if (!facts.functions) return decide(check, Decision::kInsufficient, facts.functions.error().message);
  constexpr std::uint64_t kReports = 100;
  std::string tight;
  std::string wasteful;
  std::string unknown;
  const auto add = [](std::string& list, const std::string& name) { list += (list.empty() ? "" : ", ") + name; };
  for (const auto& function : *facts.functions) {
    if (!function.used_mb || function.reports < kReports) {
      check.evidence.push_back(fmt::format("{}: {} MB; {} reports, {} are needed", function.name, function.memory_mb,
                                           function.reports, kReports));
      add(unknown, function.name);
      continue;
    }
    const double percent = 100 * *function.used_mb / static_cast<double>(function.memory_mb);
    const auto fitting = right_size(*function.used_mb);
    std::string advice;
    if (percent > 90) {
      add(tight, function.name);
      advice = fmt::format(", too tight: {} MB would fit", fitting);
    } else if (fitting * 2 <= function.memory_mb) {
      // More memory is more processor too, so this costs money without being wrong.
      add(wasteful, function.name);
      advice = fmt::format(", {} MB would hold it; less memory is less processor too, so measure before", fitting);
    }
    check.evidence.push_back(fmt::format("{}: {:.0f} of {} MB at most ({:.0f} %), {} invocations{}", function.name,
                                         *function.used_mb, function.memory_mb, percent, function.reports, advice));
  }
  if (!tight.empty()) return decide(check, Decision::kFail, "above 90 % of the memory: " + tight);
  if (facts.functions->empty()) return decide(check, Decision::kInsufficient, "there is no function");
  if (!unknown.empty()) {
    return decide(check, Decision::kInsufficient, fmt::format("fewer than {} REPORT lines of {}", kReports, unknown));
  }
  decide(check, Decision::kPass,
         wasteful.empty() ? "all between their needs and 90 %"
                          : "none is tight; more than twice what is needed: " + wasteful);
}

// --- cost -----------------------------------------------------------------------------------------------------------

double dollars(const Spent& spent) {
  return spent.gigabyte_seconds * kDollarsPerGigabyteSecond + spent.invocations / 1e6 * kDollarsPerMillionRequests;
}
double dollars_per_million(const Spent& spent) {
  return spent.invocations > 0 ? dollars(spent) / spent.invocations * 1e6 : 0;
}

std::optional<double> p95(const Facts& facts, int windows_ago) {
  const auto from = window_begin(facts, windows_ago);
  std::optional<double> worst;
  for (const auto& one :
       of_each(*facts.series, "AWS/ApiGateway", "Latency", "ApiName", "p95", from, from + facts.window)) {
    worst = std::max(worst.value_or(0), one.point.value);
  }
  return worst;
}

void cost(const Facts& facts, Check& check) {
  check.command =
      "aws logs insights query --log-group-name /aws/lambda/securebase-prod --query-string 'filter "
      "@type=\"REPORT\" | stats sum(@billedDuration * @memorySize), count(*) by @log'";
  for (const auto* spent : {&facts.spent, &facts.spent_before}) {
    if (!*spent) return decide(check, Decision::kInsufficient, spent->error().message);
  }
  const Spent& now = *facts.spent;
  const Spent& before = *facts.spent_before;
  const auto latency = p95(facts, 0);
  const auto earlier = p95(facts, 1);
  const auto line = [&](std::string_view when, const Spent& one, const std::optional<double>& p95_ms) {
    check.evidence.push_back(
        fmt::format("{}: {:.0f} invocations, {:.1f} GB-seconds, {:.4f} USD at AWS Lambda's list price ({:.3f} USD a "
                    "million), p95 {}",
                    when, one.invocations, one.gigabyte_seconds, dollars(one), dollars_per_million(one),
                    p95_ms ? fmt::format("{:.1f} ms", *p95_ms) : "unknown"));
  };
  line("this window", now, latency);
  line("the one before", before, earlier);
  constexpr double kInvocations = 1000;
  if (now.invocations < kInvocations || before.invocations < kInvocations || !latency || !earlier) {
    return decide(check, Decision::kInsufficient,
                  fmt::format("two windows with {:.0f} invocations each are needed to compare", kInvocations));
  }
  const double growth = dollars_per_million(now) / dollars_per_million(before) - 1;
  const auto words =
      fmt::format("a million invocations cost {:+.0f} %, p95 {:+.0f} %", 100 * growth, 100 * (*latency / *earlier - 1));
  // Dearer is a decision when it bought speed, and a defect when it did not.
  decide(check, growth > 0.2 && *latency >= 0.95 * *earlier ? Decision::kFail : Decision::kPass, words);
}

// --- baselines ------------------------------------------------------------------------------------------------------

// The guide's baseline: 10 users for 5 minutes.
constexpr std::uint64_t kBaselineUsers = 10;
constexpr double kBaselineSeconds = 300;

bool was_measured(const LoadRun& run) {
  return run.verdict != RunVerdict::kInvalid && run.verdict != RunVerdict::kInterrupted && run.requests > 0;
}

bool is_baseline(const LoadRun& run) {
  return was_measured(run) && run.scenario == "baseline" && run.users >= kBaselineUsers &&
         run.seconds >= kBaselineSeconds;
}

void baselines(const Facts& facts, Check& check) {
  check.command = "securebase load runs";
  const auto* run = newest(facts.runs, is_baseline);
  if (!run) {
    const auto* small =
        newest(facts.runs, [](const LoadRun& one) { return was_measured(one) && one.scenario == "baseline"; });
    if (!small) return decide(check, Decision::kInsufficient, "there is no baseline yet");
    check.evidence.push_back(in_a_line(*small, facts.now));
    return decide(check, Decision::kInsufficient,
                  fmt::format("there is no baseline yet with {} users for {:.0f} s; the newest had {} for {:.0f} s",
                              kBaselineUsers, kBaselineSeconds, small->users, small->seconds));
  }
  check.evidence.push_back(in_a_line(*run, facts.now));
  const auto* before =
      newest(facts.runs, [&](const LoadRun& one) { return is_baseline(one) && one.ended < run->ended; });
  if (before) {
    check.evidence.push_back(in_a_line(*before, facts.now));
    check.evidence.push_back(
        fmt::format("p95 {:+.0f} % against the one before", 100 * (run->p95_ms / before->p95_ms - 1)));
  }
  if (const auto why = not_ours(facts, *run); !why.empty()) return decide(check, Decision::kInsufficient, why);
  const auto age = facts.now - run->ended;
  if (age > facts.window) {
    return decide(check, Decision::kFail,
                  fmt::format("the newest baseline is {} old; {} are allowed", in_words(age), in_words(facts.window)));
  }
  decide(check, Decision::kPass, fmt::format("taken {} ago", in_words(age)));
}

}  // namespace

const std::vector<DeclaredCheck>& monthly_checks() {
  static const std::vector<DeclaredCheck> checks{
      {"slow-queries", "Analyze slow query logs",
       "no statement of the slow query log (log_min_duration_statement) was slow ten times or more in the window",
       "EXPLAIN (ANALYZE, BUFFERS) the statement, add the index that it lacks",
       "ask the API for what PostgreSQL has to answer, and look again a minute later", slow_queries},
      {"evictions", "Review cache eviction rates", "fewer than 1 % of what was written to Redis was evicted",
       "a larger node_type, shorter TTLs, smaller values",
       "ask the API for what it keeps in the cache, by different customers", evictions},
      {"memory", "Check Lambda memory utilization",
       "of every function there are 100 REPORT lines, and their highest Max Memory Used is at most 90 % of its memory",
       "raise memory_size of those that are tight; the evidence has the size",
       "call the functions that the evidence names, or look at a longer window (--window 90d)", memory},
      {"cost", "Assess cost vs performance tradeoffs",
       "a million invocations cost at most 20 % more than in the window before, unless p95 fell by 5 % for it",
       "look at Duration and memory_size of the functions whose GB-seconds grew",
       "wait until there were two windows with traffic, or compare shorter ones (--window 7d)", cost},
      {"baselines", "Update performance baselines",
       "a valid baseline run of at least 10 users for 5 minutes is not older than the window",
       "securebase load baseline --json baseline.json", "securebase load baseline --json baseline.json", baselines}};
  return checks;
}

}  // namespace securebase::advisor
