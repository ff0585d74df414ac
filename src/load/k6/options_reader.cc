// options_from(): the members of the exported `options`, of a --config file, of the command line put into JSON.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <set>

#include "k6/options.h"
#include "net/http/syntax.h"

namespace securebase::k6 {

namespace {

constexpr std::size_t kMostScenarios = 1000;
constexpr std::int64_t kMostNumber = 1'000'000'000'000;
constexpr std::size_t kMostThresholds = 1000;

Error bad_option(std::string_view where, std::string_view what) {
  return Error{Errc::kMalformed, fmt::format("options.{}: {}", where, what)};
}

Result<std::vector<std::string>> texts_from(const base::Json& value, std::string_view where) {
  std::vector<std::string> texts;
  if (const auto* one = value.as_string()) {
    std::string_view rest = *one;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      texts.emplace_back(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return texts;
  }
  const auto* list = value.as_array();
  if (!list) return bad_option(where, fmt::format("expected a list of texts, found {}", value.dump().substr(0, 80)));
  for (const auto& element : *list) {
    if (!element.is_string()) return bad_option(where, "expected a list of texts");
    texts.push_back(*element.as_string());
  }
  return texts;
}

Result<std::vector<MetricThresholds>> thresholds_from(const base::Json& value) {
  const auto* object = value.as_object();
  if (!object) return bad_option("thresholds", "expected an object: {\"metric\": [\"p(95)<100\"]}");
  if (object->size() > kMostThresholds) return bad_option("thresholds", "more than 1000 metrics");
  std::vector<MetricThresholds> all;
  for (const auto& [name, list] : *object) {
    const std::string where = fmt::format("thresholds['{}']", name);
    auto selector = parse_selector(name);
    if (!selector) return bad_option(where, selector.error().message);
    MetricThresholds of_metric{std::move(*selector), name, {}};
    const base::Json::Array one{list};
    const auto* entries = list.as_array() ? list.as_array() : &one;
    for (std::size_t i = 0; i < entries->size(); ++i) {
      const base::Json& entry = (*entries)[i];
      const base::Json& text = entry.is_object() ? entry["threshold"] : entry;
      const auto at = fmt::format("{}[{}]", where, i);
      if (!text.is_string()) {
        return bad_option(at,
                          fmt::format("expected a text like 'p(95)<100' or {{threshold, abortOnFail, delayAbortEval}}, "
                                      "found {}",
                                      entry.dump().substr(0, 80)));
      }
      auto threshold = parse_threshold(*text.as_string());
      if (!threshold) return bad_option(at, threshold.error().message);
      if (entry.is_object()) {
        threshold->abort_on_fail = entry["abortOnFail"].bool_or(false);
        if (const auto* delay = entry.find("delayAbortEval"); delay && !delay->is_null()) {
          auto parsed = duration_from(*delay);
          if (!parsed) return bad_option(at + ".delayAbortEval", parsed.error().message);
          threshold->delay_abort = *parsed;
        }
      }
      of_metric.thresholds.push_back(std::move(*threshold));
    }
    all.push_back(std::move(of_metric));
  }
  return all;
}

Result<std::vector<Scenario>> scenarios_from(const base::Json& value) {
  const auto* object = value.as_object();
  if (!object) return bad_option("scenarios", "expected an object of scenarios by name");
  if (object->size() > kMostScenarios) return bad_option("scenarios", "more than 1000 scenarios");
  std::vector<Scenario> scenarios;
  for (const auto& [name, one] : *object) {
    auto scenario = scenario_from(name, one);
    if (!scenario) return Error{scenario.error().code, "options." + scenario.error().message};
    scenarios.push_back(std::move(*scenario));
  }
  return scenarios;
}

Result<std::vector<ClientCertificate>> certificates_from(const base::Json& value) {
  const auto* list = value.as_array();
  if (!list) return bad_option("tlsAuth", "expected a list of {domains, cert, key}");
  std::vector<ClientCertificate> certificates;
  for (const auto& one : *list) {
    ClientCertificate certificate{std::string(one["cert"].string_or("")),
                                  std::string(one["key"].string_or("")),
                                  std::string(one["password"].string_or("")),
                                  {}};
    if (certificate.certificate_pem.empty() || certificate.key_pem.empty()) {
      return bad_option("tlsAuth", "each needs cert and key, as PEM texts: open('client.crt')");
    }
    if (const auto* domains = one.find("domains"); domains && !domains->is_null()) {
      auto texts = texts_from(*domains, "tlsAuth.domains");
      if (!texts) return texts.error();
      certificate.domains = std::move(*texts);
    }
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

// Reads options out of one JSON object.
class OptionsReader {
 public:
  explicit OptionsReader(const base::Json& value) : value_(value) {}

  Result<Options> run(std::vector<std::string>* unknown) {
    Options out;
    integer("vus", out.vus);
    duration("duration", out.duration);
    integer("iterations", out.iterations);
    part("stages", out.stages, [](const base::Json& v) -> Result<std::vector<Stage>> {
      if (v.as_array() && v.as_array()->empty()) return std::vector<Stage>{};
      return stages_from(v, "options.stages");
    });
    part("scenarios", out.scenarios, scenarios_from);
    part("thresholds", out.thresholds, thresholds_from);
    texts("tags", out.tags);
    texts("hosts", out.hosts);
    duration("setupTimeout", out.setup_timeout);
    duration("teardownTimeout", out.teardown_timeout);
    duration("handleSummaryTimeout", out.handle_summary_timeout);
    duration("minIterationDuration", out.min_iteration_duration);
    list("summaryTrendStats", out.summary_trend_stats);
    text("summaryTimeUnit", out.summary_time_unit);
    list("systemTags", out.system_tags);
    text("userAgent", out.user_agent);
    if (out.user_agent && !http::is_field_value(*out.user_agent)) {
      fail("userAgent", "it has a character that no header field may have, such as a line's end");
    }
    text("httpDebug", out.http_debug);
    dns(out);
    tls_version(out);
    list("tlsCipherSuites", out.tls_cipher_suites);
    part("tlsAuth", out.tls_auth, certificates_from);
    list("blacklistIPs", out.blacklist_ips);
    list("blockHostnames", out.block_hostnames);
    flag("insecureSkipTLSVerify", out.insecure_skip_tls_verify);
    flag("noConnectionReuse", out.no_connection_reuse);
    flag("noVUConnectionReuse", out.no_vu_connection_reuse);
    flag("discardResponseBodies", out.discard_response_bodies);
    flag("throw", out.throw_errors);
    flag("noCookiesReset", out.no_cookies_reset);
    flag("noSetup", out.no_setup);
    flag("noTeardown", out.no_teardown);
    integer("maxRedirects", out.max_redirects);
    integer("batch", out.batch);
    integer("batchPerHost", out.batch_per_host);
    if (const auto* rps = take("rps")) {
      if (rps->is_number() && rps->number_or(-1) >= 0) {
        out.rps = rps->number_or(0);
      } else {
        fail("rps", fmt::format("expected a number from 0 on, found {}", rps->dump()));
      }
    }
    refuse();
    // Of k6's own services and inner workings: they mean nothing here.
    for (const char* ignored : {"ext", "cloud", "metricSamplesBufferSize", "linger", "noUsageReport", "features"}) {
      take(ignored);
    }
    check_statistics(out);
    if (error_) return *error_;
    if (unknown && value_.as_object()) {
      for (const auto& [name, member] : *value_.as_object()) {
        if (!taken_.contains(name)) unknown->push_back(name);
      }
    }
    return out;
  }

 private:
  const base::Json* take(const char* name) {
    taken_.insert(name);
    const auto* found = value_.find(name);
    return found && !found->is_null() ? found : nullptr;
  }
  void fail(std::string_view where, std::string_view what) {
    if (!error_) error_ = bad_option(where, what);
  }
  template <class T, class Read>
  void part(const char* name, std::optional<T>& into, Read read) {
    const auto* found = take(name);
    if (!found || error_) return;
    auto parsed = read(*found);
    if (parsed) {
      into = std::move(*parsed);
    } else {
      error_ = parsed.error();
    }
  }
  void integer(const char* name, std::optional<std::int64_t>& into) {
    const auto* found = take(name);
    if (!found) return;
    const auto number = found->integer_or(-1);
    if (number < 0 || number > kMostNumber) {
      return fail(name, fmt::format("expected a whole number from 0 to {}, found {}", kMostNumber, found->dump()));
    }
    into = number;
  }
  void duration(const char* name, std::optional<Nanoseconds>& into) {
    const auto* found = take(name);
    if (!found) return;
    auto parsed = duration_from(*found);
    if (!parsed) return fail(name, parsed.error().message);
    into = *parsed;
  }
  void flag(const char* name, std::optional<bool>& into) {
    const auto* found = take(name);
    if (!found) return;
    if (!found->is_bool()) return fail(name, fmt::format("expected true or false, found {}", found->dump()));
    into = found->bool_or(false);
  }
  void text(const char* name, std::optional<std::string>& into) {
    const auto* found = take(name);
    if (!found) return;
    if (!found->is_string()) return fail(name, fmt::format("expected a text, found {}", found->dump()));
    if (!found->as_string()->empty()) into = *found->as_string();
  }
  void list(const char* name, std::optional<std::vector<std::string>>& into) {
    part(name, into, [name](const base::Json& v) { return texts_from(v, name); });
  }
  void refuse() {
    if (const auto* paused = take("paused"); paused && paused->bool_or(true)) {
      fail("paused", "a run cannot wait for `k6 resume`, there is no API for it: start it when it should begin");
    }
    for (const char* name : {"executionSegment", "executionSegmentSequence"}) {
      if (take(name)) {
        fail(name, "segments of a run are not supported: give each machine its share of the users or of the rate");
      }
    }
  }
  void texts(const char* name, std::map<std::string, std::string>& into) {
    const auto* found = take(name);
    if (!found) return;
    const auto* object = found->as_object();
    if (!object) return fail(name, "expected an object of texts");
    for (const auto& [key, value] : *object) into[key] = value.as_string() ? *value.as_string() : value.dump();
  }
  // {ttl: "5m", select: "random", policy: "preferIPv4"}, or the same as "ttl=5m,select=random,policy=preferIPv4".
  void dns(Options& out) {
    const auto* found = take("dns");
    if (!found) return;
    std::map<std::string, std::string> parts;
    if (const auto* object = found->as_object()) {
      for (const auto& [name, value] : *object) {
        if (!value.is_null()) parts[name] = value.as_string() ? *value.as_string() : value.dump();
      }
    } else if (auto pairs = texts_from(*found, "dns"); pairs) {
      for (const auto& pair : *pairs) {
        const auto equals = std::min(pair.find('='), pair.size());
        parts[pair.substr(0, equals)] = pair.substr(std::min(equals + 1, pair.size()));
      }
    } else {
      return fail("dns", "expected {ttl, select, policy}, or a text like ttl=5m,select=random,policy=preferIPv4");
    }
    for (const auto& [name, value] : parts) {
      if (name == "policy") {
        one_of("dns.policy", value, {"preferIPv4", "preferIPv6", "onlyIPv4", "onlyIPv6", "any"}, out.dns);
      } else if (name == "select") {
        one_of("dns.select", value, {"first", "random", "roundRobin"}, out.dns_select);
      } else if (name == "ttl") {
        auto ttl = value == "inf" ? Result<Nanoseconds>(Nanoseconds::max()) : parse_duration(value);
        if (!ttl) return fail("dns.ttl", fmt::format("{}, or inf", ttl.error().message));
        out.dns_ttl = *ttl;
      } else {
        fail("dns", fmt::format("expected ttl, select or policy, found '{}'", name));
      }
    }
  }
  void one_of(const char* name, const std::string& value, std::initializer_list<std::string_view> known,
              std::optional<std::string>& into) {
    if (std::find(known.begin(), known.end(), value) != known.end()) {
      into = value;
      return;
    }
    std::string all;
    for (const auto one : known) all += fmt::format("{}{}", all.empty() ? "" : ", ", one);
    fail(name, fmt::format("expected one of {}; found '{}'", all, value));
  }
  void tls_version(Options& out) {
    const auto* found = take("tlsVersion");
    if (!found) return;
    static const std::set<std::string_view> kVersions = {"ssl3.0", "tls1.0", "tls1.1", "tls1.2", "tls1.3"};
    const auto version = [&](const base::Json& value, std::optional<std::string>& into) {
      if (value.is_null()) return;
      if (!kVersions.contains(value.string_or(""))) {
        return fail("tlsVersion", fmt::format("expected tls1.0, tls1.1, tls1.2 or tls1.3, found {}", value.dump()));
      }
      into = *value.as_string();
    };
    if (found->is_object()) {
      version((*found)["min"], out.tls_min);
      version((*found)["max"], out.tls_max);
    } else {
      version(*found, out.tls_min);
      out.tls_max = out.tls_min;
    }
  }
  void check_statistics(const Options& out) {
    if (out.summary_trend_stats) {
      for (const auto& name : *out.summary_trend_stats) {
        if (auto known = trend_statistic(load::Value{}, name); !known) fail("summaryTrendStats", known.error().message);
      }
    }
    if (out.summary_time_unit && *out.summary_time_unit != "s" && *out.summary_time_unit != "ms" &&
        *out.summary_time_unit != "us") {
      fail("summaryTimeUnit", fmt::format("expected s, ms or us, found '{}'", *out.summary_time_unit));
    }
  }

  const base::Json& value_;
  std::set<std::string> taken_;
  std::optional<Error> error_;
};

}  // namespace

Result<Options> options_from(const base::Json& value, std::vector<std::string>* unknown) {
  if (value.is_null()) return Options{};
  if (!value.is_object()) return Error{Errc::kMalformed, "options: expected an object"};
  return OptionsReader(value).run(unknown);
}

}  // namespace securebase::k6
