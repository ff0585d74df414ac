#include "k6/options.h"

#include <fmt/format.h>

namespace securebase::k6 {

namespace {

template <class T>
void take_over(std::optional<T>& mine, const std::optional<T>& higher) {
  if (higher) mine = higher;
}

}  // namespace

void Options::apply(const Options& higher) {
  if (higher.duration || higher.iterations || higher.stages || higher.scenarios) {
    duration.reset();
    iterations.reset();
    stages.reset();
    scenarios.reset();
  }
  take_over(vus, higher.vus);
  take_over(duration, higher.duration);
  take_over(iterations, higher.iterations);
  take_over(stages, higher.stages);
  take_over(scenarios, higher.scenarios);
  take_over(thresholds, higher.thresholds);
  if (!higher.tags.empty()) tags = higher.tags;
  if (!higher.hosts.empty()) hosts = higher.hosts;
  take_over(setup_timeout, higher.setup_timeout);
  take_over(teardown_timeout, higher.teardown_timeout);
  take_over(handle_summary_timeout, higher.handle_summary_timeout);
  take_over(min_iteration_duration, higher.min_iteration_duration);
  take_over(summary_trend_stats, higher.summary_trend_stats);
  take_over(summary_time_unit, higher.summary_time_unit);
  take_over(system_tags, higher.system_tags);
  take_over(user_agent, higher.user_agent);
  take_over(http_debug, higher.http_debug);
  take_over(dns, higher.dns);
  take_over(dns_select, higher.dns_select);
  take_over(dns_ttl, higher.dns_ttl);
  if (higher.tls_min || higher.tls_max) {  // one option, tlsVersion
    tls_min = higher.tls_min;
    tls_max = higher.tls_max;
  }
  take_over(tls_cipher_suites, higher.tls_cipher_suites);
  take_over(tls_auth, higher.tls_auth);
  take_over(blacklist_ips, higher.blacklist_ips);
  take_over(block_hostnames, higher.block_hostnames);
  take_over(insecure_skip_tls_verify, higher.insecure_skip_tls_verify);
  take_over(no_connection_reuse, higher.no_connection_reuse);
  take_over(no_vu_connection_reuse, higher.no_vu_connection_reuse);
  take_over(discard_response_bodies, higher.discard_response_bodies);
  take_over(throw_errors, higher.throw_errors);
  take_over(no_cookies_reset, higher.no_cookies_reset);
  take_over(no_setup, higher.no_setup);
  take_over(no_teardown, higher.no_teardown);
  take_over(max_redirects, higher.max_redirects);
  take_over(batch, higher.batch);
  take_over(batch_per_host, higher.batch_per_host);
  take_over(rps, higher.rps);
}

Result<std::vector<Scenario>> scenarios_of(const Options& options, std::vector<std::string>& warnings) {
  if (options.scenarios && !options.scenarios->empty()) return *options.scenarios;
  Scenario scenario;
  scenario.name = "default";
  const bool staged = options.stages && !options.stages->empty();
  if (staged && (options.duration || options.iterations)) {
    return Error{Errc::kMalformed, "options: stages cannot be together with duration or iterations; keep one of them"};
  }
  if (options.iterations) {
    scenario.executor = Executor::kSharedIterations;
    scenario.iterations = *options.iterations;
    scenario.vus = options.vus.value_or(1);
    scenario.duration = options.duration.value_or(std::chrono::minutes{10});
  } else if (staged) {
    scenario.executor = Executor::kRampingVus;
    scenario.start_vus = options.vus.value_or(1);
    scenario.stages = *options.stages;
  } else if (options.duration) {
    scenario.executor = Executor::kConstantVus;
    scenario.vus = options.vus.value_or(1);
    scenario.duration = *options.duration;
  } else {
    if (options.vus.value_or(1) > 1) {
      warnings.push_back(fmt::format(
          "vus={} has no effect without iterations, duration or stages: one iteration is made", *options.vus));
    }
    scenario.executor = Executor::kPerVuIterations;
    scenario.duration = std::chrono::minutes{10};
  }
  if (auto valid = validate(scenario); !valid) return valid.error();
  return std::vector<Scenario>{std::move(scenario)};
}

}  // namespace securebase::k6
