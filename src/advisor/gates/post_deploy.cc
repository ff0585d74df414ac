// After a deployment: does it keep the targets, for as long as the window asks? What fails fails at once; a pass has to
// wait until the window is full.
#include <algorithm>
#include <optional>

#include "advisor/advisor.h"
#include "advisor/gates/checks.h"

namespace securebase::advisor {

namespace {

constexpr double kColdSharePercent = 5;
constexpr double kInvocationsForShare = 100;
constexpr double kErrorsPercent = 1;
constexpr double kHitRatePercent = 70;
constexpr double kThrottledPercent = 1;
constexpr std::chrono::seconds kScalingTime{120};
constexpr std::string_view kLetItCome =
    "let visitors come, or send what they would ask for (securebase load list, securebase load record); --watch 24h "
    "waits "
    "for the window, --window 1h looks at a shorter one";

// Whole minutes, as older samples are kept: what came in the minute of the deployment may have met the one before.
base::TimePoint begin_of_watch(const Facts& facts) {
  const base::TimePoint first = std::chrono::ceil<std::chrono::minutes>(facts.deployed);
  return std::max<base::TimePoint>(facts.now - facts.window, first);
}

// "": something was seen yet.
std::string too_early(const Facts& facts) {
  if (facts.now > begin_of_watch(facts)) return "";
  return "the deployment is not a minute old, and the minute that it came in does not count";
}

void decide_over_window(const Facts& facts, Check& check, std::string reason) {
  if (facts.now - facts.deployed >= facts.window) return decide(check, Decision::kPass, std::move(reason));
  decide(check, Decision::kInsufficient,
         fmt::format("{}; watched for {} of {} so far", reason, in_words(facts.now - facts.deployed),
                     in_words(facts.window)));
}

// --- latency --------------------------------------------------------------------------------------------------------

void latency(const Facts& facts, Check& check) {
  if (auto early = too_early(facts); !early.empty()) return decide(check, Decision::kInsufficient, early);
  const auto window = std::chrono::ceil<std::chrono::seconds>(facts.now - begin_of_watch(facts));
  for (const auto& row : targets(*facts.series, facts.now, window)) {
    if (!row.name.starts_with("API p")) continue;
    if (row.value) {
      check.evidence.push_back(
          fmt::format("{}: {:.1f} ms of {} requests, {}", row.name, *row.value, row.samples, to_string(row.verdict)));
    }
    if (row.name != "API p95 latency") continue;
    check.command = row.evidence;
    if (row.verdict == Verdict::kFail) {
      decide(check, Decision::kFail, fmt::format("p95 is {:.1f} ms, {} is asked", *row.value, row.target));
    } else if (row.verdict == Verdict::kPass) {
      decide_over_window(facts, check, fmt::format("p95 is {:.1f} ms", *row.value));
    } else {
      decide(check, Decision::kInsufficient,
             fmt::format("{} requests since the deployment, {} are needed", row.samples, row.samples_needed));
    }
  }
}

// --- hit rates ------------------------------------------------------------------------------------------------------

struct HitRate {
  std::string_view what;
  std::string_view name_space;
  std::string_view dimension;
};

void hit_rates(const Facts& facts, Check& check) {
  if (auto early = too_early(facts); !early.empty()) return decide(check, Decision::kInsufficient, early);
  check.command = "securebase targets";
  constexpr std::uint64_t kLookups = 100;
  std::string low;
  std::string silent;
  const auto add = [](std::string& list, const std::string& what) { list += (list.empty() ? "" : ", ") + what; };
  for (const auto& one : {HitRate{"CloudFront", "AWS/CloudFront", "DistributionId"},
                          HitRate{"ElastiCache", "AWS/ElastiCache", "ReplicationGroupId"}}) {
    std::uint64_t lookups = 0;
    double hits = 0;
    for (const auto& of : of_each(*facts.series, one.name_space, "CacheHitRate", one.dimension, "Average",
                                  begin_of_watch(facts), facts.now)) {
      lookups += of.point.samples;
      hits += of.point.value / 100 * static_cast<double>(of.point.samples);
      check.evidence.push_back(
          fmt::format("{} {}: {:.1f} % of {} lookups", one.what, of.name, of.point.value, of.point.samples));
      if (of.point.samples >= kLookups && of.point.value <= kHitRatePercent) {
        add(low, fmt::format("{} {:.1f} %", of.name, of.point.value));
      }
    }
    const double together = lookups > 0 ? 100 * hits / static_cast<double>(lookups) : 0;
    if (lookups < kLookups) {
      add(silent, std::string(one.what));
    } else if (together <= kHitRatePercent && low.empty()) {
      add(low, fmt::format("{} together {:.1f} %", one.what, together));
    }
  }
  std::uint64_t sent = 0;
  for (const auto& run : facts.runs) {
    if (run.ended > begin_of_watch(facts)) sent += run.requests;
  }
  if (sent > 0) {
    check.evidence.push_back(
        fmt::format("{} requests of load tests are among them: what nobody may keep, like the API's health, is a miss "
                    "each time; a --window after them leaves them out",
                    sent));
  }
  if (!low.empty()) return decide(check, Decision::kFail, fmt::format("{}; above {} % is asked", low, kHitRatePercent));
  if (!silent.empty()) {
    return decide(check, Decision::kInsufficient, fmt::format("fewer than {} lookups in {}", kLookups, silent));
  }
  decide_over_window(facts, check, fmt::format("all above {} %", kHitRatePercent));
}

// --- cold starts ----------------------------------------------------------------------------------------------------

void cold_starts(const Facts& facts, Check& check) {
  if (auto early = too_early(facts); !early.empty()) return decide(check, Decision::kInsufficient, early);
  check.command =
      "aws logs insights query --log-group-name /aws/lambda/securebase-prod --query-string 'filter @type=\"REPORT\" | "
      "stats count(@initDuration), avg(@initDuration), count(*) by @log'";
  const auto from = begin_of_watch(facts);
  const auto invocations = of_each(*facts.series, "AWS/Lambda", "Invocations", "FunctionName", "Sum", from, facts.now);
  const auto starts = of_each(*facts.series, "AWS/Lambda", "InitDuration", "FunctionName", "Average", from, facts.now);
  std::string bad;
  for (const auto& start : starts) {
    double calls = 0;
    for (const auto& one : invocations) {
      if (one.name == start.name) calls = one.point.value;
    }
    const auto cold = static_cast<double>(start.point.samples);
    const double share = calls > 0 ? 100 * cold / calls : 0;
    check.evidence.push_back(fmt::format("{}: {} cold starts of {:.0f} invocations ({:.2f} %), {:.0f} ms on average",
                                         start.name, start.point.samples, calls, share, start.point.value));
    if (start.point.value >= 500) {
      bad = fmt::format("{} starts in {:.0f} ms on average; below 500 ms is asked", start.name, start.point.value);
    } else if (calls >= kInvocationsForShare && share > kColdSharePercent) {
      bad = fmt::format("{:.1f} % of {}'s invocations were cold; up to {} % are allowed", share, start.name,
                        kColdSharePercent);
    }
  }
  if (!bad.empty()) return decide(check, Decision::kFail, bad);
  if (total(invocations) < kInvocationsForShare) {
    return decide(check, Decision::kInsufficient,
                  fmt::format("{:.0f} invocations since the deployment, {:.0f} are needed", total(invocations),
                              kInvocationsForShare));
  }
  decide_over_window(facts, check, starts.empty() ? "no invocation was cold" : "cold starts are short, and seldom");
}

// --- errors ---------------------------------------------------------------------------------------------------------

void errors(const Facts& facts, Check& check) {
  if (auto early = too_early(facts); !early.empty()) return decide(check, Decision::kInsufficient, early);
  check.command = "securebase alarms; securebase traces --filter 'fault = true'";
  constexpr double kRequests = 100;  // one error more or less does not turn the verdict
  const auto from = begin_of_watch(facts);
  const auto sum = [&](std::string_view name_space, std::string_view metric, std::string_view dimension) {
    return total(of_each(*facts.series, name_space, metric, dimension, "Sum", from, facts.now));
  };
  const double requests = sum("AWS/ApiGateway", "Count", "ApiName");
  const double server = sum("AWS/ApiGateway", "5XXError", "ApiName");
  const double client = sum("AWS/ApiGateway", "4XXError", "ApiName");
  const double invocations = sum("AWS/Lambda", "Invocations", "FunctionName");
  const double failed = sum("AWS/Lambda", "Errors", "FunctionName");
  const auto percent = [](double part, double whole) { return whole > 0 ? 100 * part / whole : 0; };
  check.evidence.push_back(
      fmt::format("API: {:.0f} requests, {:.0f} answered by 5xx ({:.3f} %); by 4xx {:.0f} "
                  "({:.2f} %), which are the callers' own and do not count",
                  requests, server, percent(server, requests), client, percent(client, requests)));
  check.evidence.push_back(fmt::format("Lambda: {:.0f} of {:.0f} invocations failed ({:.3f} %)", failed, invocations,
                                       percent(failed, invocations)));
  if (requests < kRequests) {
    return decide(check, Decision::kInsufficient,
                  fmt::format("{:.0f} requests since the deployment, {:.0f} are needed", requests, kRequests));
  }
  const double rate = percent(server, requests);
  if (rate >= kErrorsPercent) {
    return decide(check, Decision::kFail, fmt::format("{:.2f} % of the requests failed; below 1 % is asked", rate));
  }
  if (invocations >= kRequests && percent(failed, invocations) >= kErrorsPercent) {
    return decide(check, Decision::kFail,
                  fmt::format("{:.2f} % of the invocations failed; below 1 % is asked", percent(failed, invocations)));
  }
  if (invocations < kRequests && failed > 0) {
    return decide(check, Decision::kInsufficient,
                  fmt::format("{:.0f} of {:.0f} invocations failed; {:.0f} are needed for a rate", failed, invocations,
                              kRequests));
  }
  decide_over_window(facts, check, fmt::format("{:.3f} % of {:.0f} requests", rate, requests));
}

// --- scaling --------------------------------------------------------------------------------------------------------

// The guide's spike: to 500 users within 10 s, p95 below 100 ms again within two minutes.
constexpr std::uint64_t kSpikeUsers = 500;
constexpr double kSpikeLimitMs = 100;
constexpr double kSpikeRiseSeconds = 10;

// Why a spike was none that says whether this scales; "": it was one.
std::string too_small(const LoadRun& spike) {
  if (spike.users < kSpikeUsers) return fmt::format("it had {} users, {} are asked", spike.users, kSpikeUsers);
  if (spike.limit_ms <= 0 || spike.limit_ms > kSpikeLimitMs) {
    return fmt::format("its limit was {:.0f} ms, at most {:.0f} are asked", spike.limit_ms, kSpikeLimitMs);
  }
  if (spike.rise_seconds > kSpikeRiseSeconds) {
    return fmt::format("its users came within {:.0f} s, {:.0f} are asked", spike.rise_seconds, kSpikeRiseSeconds);
  }
  // That latency is back is known when it stays.
  if (spike.seconds < static_cast<double>(kScalingTime.count())) {
    return fmt::format("its users stayed for {:.0f} s, {} are asked", spike.seconds, kScalingTime.count());
  }
  return "";
}

void scaling(const Facts& facts, Check& check) {
  check.command = "securebase load runs";
  const double throttles =
      total(of_each(*facts.series, "AWS/Lambda", "Throttles", "FunctionName", "Sum", begin_of_watch(facts), facts.now));
  const double invocations = total(
      of_each(*facts.series, "AWS/Lambda", "Invocations", "FunctionName", "Sum", begin_of_watch(facts), facts.now));
  check.evidence.push_back(
      fmt::format("{:.0f} invocations were throttled since the deployment, {:.0f} were not", throttles, invocations));
  if (throttles >= 10 && throttles > kThrottledPercent / 100 * (throttles + invocations)) {
    return decide(check, Decision::kFail,
                  fmt::format("{:.1f} % of the invocations were throttled: there is no concurrency left to scale into",
                              100 * throttles / (throttles + invocations)));
  }
  const auto* run = newest(facts.runs, [&facts](const LoadRun& one) {
    return one.configuration == facts.configuration && one.scenario == "spike";
  });
  if (!run) {
    return decide(check, Decision::kInsufficient, "no spike ran on this configuration, so nothing is known of scaling");
  }
  check.evidence.push_back(in_a_line(*run, facts.now));
  if (const auto why = not_ours(facts, *run); !why.empty()) return decide(check, Decision::kInsufficient, why);
  if (run->verdict == RunVerdict::kInvalid || run->verdict == RunVerdict::kInterrupted) {
    return decide(check, Decision::kInsufficient, why_undecided(*run));
  }
  if (const auto why = too_small(*run); !why.empty()) {
    return decide(check, Decision::kInsufficient, "the spike on this configuration was too small: " + why);
  }
  if (!run->scaling_seconds) {
    return decide(check, Decision::kFail, "latency did not come back below its threshold while the spike lasted");
  }
  if (*run->scaling_seconds > static_cast<double>(kScalingTime.count())) {
    return decide(check, Decision::kFail,
                  fmt::format("after {:.0f} s the spike was not taken; {} s are asked", *run->scaling_seconds,
                              kScalingTime.count()));
  }
  decide(check, Decision::kPass, fmt::format("the spike was taken after {:.1f} s", *run->scaling_seconds));
}

}  // namespace

const std::vector<DeclaredCheck>& post_deploy_checks() {
  static const std::vector<DeclaredCheck> checks{
      {"latency", "Monitor p95 latency for 24 hours",
       "the p95 of every request of the API since the deployment is below 100 ms, over the whole window",
       "securebase traces slow: where the p95 of every route went", kLetItCome, latency},
      {"hit-rates", "Verify cache hit rates > 70%",
       "hits of all lookups since the deployment, at the edge and in Redis, each above 70 %",
       "raise TTLs, look for too many things in the cache key, warm the caches", kLetItCome, hit_rates},
      {"cold-starts", "Check for Lambda cold starts",
       "per function: InitDuration below 500 ms on average, and at most 5 % of the invocations cold",
       "provisioned_concurrent_executions, less to import, more memory", kLetItCome, cold_starts},
      {"errors", "Review error rates (< 1%)",
       "5xx of all requests of the API, and errors of all invocations, each below 1 %",
       "securebase logs insights and securebase traces show which ones", kLetItCome, errors},
      {"scaling", "Validate auto-scaling behavior",
       "after a spike to 500 users or more within 10 s, who stayed for two minutes, p95 was below 100 ms again within "
       "two minutes, and at most 1 % of the invocations were throttled",
       "provisioned_concurrent_executions, a higher reserved concurrency or throttle; securebase load spike again",
       "securebase load spike, as the guide has it: 10 to 500 users in 10 s, who stay for two minutes", scaling}};
  return checks;
}

}  // namespace securebase::advisor
