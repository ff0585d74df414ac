// The options of a run: what the script exports, the environment (K6_...) and the command line say, one over the other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "k6/scenario.h"
#include "k6/threshold.h"

namespace securebase::k6 {

struct MetricThresholds {
  MetricSelector selector;
  std::string name;  // as written: with its tags
  std::vector<Threshold> thresholds;
};

struct ClientCertificate {
  std::string certificate_pem;
  std::string key_pem;
  std::string password;
  std::vector<std::string> domains;  // none: all
};

// Empty members were not said.
struct Options {
  std::optional<std::int64_t> vus;
  std::optional<Nanoseconds> duration;
  std::optional<std::int64_t> iterations;
  std::optional<std::vector<Stage>> stages;
  std::optional<std::vector<Scenario>> scenarios;
  std::optional<std::vector<MetricThresholds>> thresholds;

  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> hosts;  // "name" or "name:port" or "*.name" to "address" or "address:port"
  std::optional<Nanoseconds> setup_timeout;
  std::optional<Nanoseconds> teardown_timeout;
  std::optional<Nanoseconds> handle_summary_timeout;
  std::optional<Nanoseconds> min_iteration_duration;
  std::optional<std::vector<std::string>> summary_trend_stats;
  std::optional<std::string> summary_time_unit;  // "s", "ms", "us"
  std::optional<std::vector<std::string>> system_tags;
  std::optional<std::string> user_agent;
  std::optional<std::string> http_debug;  // "headers" or "full"
  std::optional<std::string> dns;         // policy: preferIPv4, preferIPv6, onlyIPv4, onlyIPv6, any
  std::optional<std::string> dns_select;  // of several addresses: first, random, roundRobin
  std::optional<Nanoseconds> dns_ttl;     // how long addresses are kept; the largest: for ever
  std::optional<std::string> tls_min;     // "tls1.0" to "tls1.3"
  std::optional<std::string> tls_max;
  std::optional<std::vector<std::string>> tls_cipher_suites;
  std::optional<std::vector<ClientCertificate>> tls_auth;
  std::optional<std::vector<std::string>> blacklist_ips;
  std::optional<std::vector<std::string>> block_hostnames;
  std::optional<bool> insecure_skip_tls_verify;
  std::optional<bool> no_connection_reuse;
  std::optional<bool> no_vu_connection_reuse;
  std::optional<bool> discard_response_bodies;
  std::optional<bool> throw_errors;
  std::optional<bool> no_cookies_reset;
  std::optional<bool> no_setup;
  std::optional<bool> no_teardown;
  std::optional<std::int64_t> max_redirects;
  std::optional<std::int64_t> batch;
  std::optional<std::int64_t> batch_per_host;
  std::optional<double> rps;

  // Members of `higher` win; duration, iterations, stages or scenarios in it replace all four here.
  void apply(const Options& higher);
};

inline constexpr const char* kDefaultTrendStats[] = {"avg", "min", "med", "max", "p(90)", "p(95)"};

// From JSON, as the script's `options` is. `unknown` gets the names that k6 does not have, for a warning. Errors begin
// with the option's path. Bodies are stated to be below kMost... limits: 1000 thresholds, 1000 scenarios.
Result<Options> options_from(const base::Json& value, std::vector<std::string>* unknown = nullptr);
// K6_VUS and its sisters. `get` gives the variable, or null.
Result<Options> options_from_environment(const char* (*get)(const char*));

// The scenarios that the options come to: shortcuts become a scenario called "default". `warnings` are for people.
Result<std::vector<Scenario>> scenarios_of(const Options& options, std::vector<std::string>& warnings);

// What scripts read at exec.test.options and --inspect prints.
base::Json to_json(const Options& options, const std::vector<Scenario>& scenarios);

}  // namespace securebase::k6
