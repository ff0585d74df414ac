// The map `config`, after environments, overrides and templates were applied.
#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "load/artillery/csv.h"
#include "load/artillery/reading.h"

namespace securebase::load::artillery {
namespace {

using std::chrono::milliseconds;

std::string number_text(double number) {
  if (number == std::floor(number) && std::abs(number) < 9e15)
    return fmt::format("{}", static_cast<std::int64_t>(number));
  return fmt::format("{}", number);
}

std::optional<std::uint64_t> whole(std::optional<double> number) {
  if (!number || *number >= 1e15) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<Phase> read_phase(const Node& node, const std::string& where, Reading& reading) {
  if (!reading.expect_map(node, where)) return std::nullopt;
  reading.check_keys(node, where,
                     {"duration", "arrivalRate", "rampTo", "arrivalCount", "pause", "name", "maxVusers", "mode"});
  Phase phase;
  phase.name = reading.text(node, where, "name").value_or("");
  phase.max_users = whole(reading.number(node, where, "maxVusers"));
  const Node* duration = node.find("duration");
  if (duration != nullptr)
    phase.duration = reading.as_duration(*duration, where + ".duration").value_or(phase.duration);
  const auto rate = reading.number(node, where, "arrivalRate");
  const auto count = reading.number(node, where, "arrivalCount");
  const auto ramp_to = reading.number(node, where, "rampTo");
  if (const auto mode = reading.text(node, where, "mode"); mode && *mode != "uniform") {
    reading.warn(node.find("mode")->place,
                 fmt::format("{}.mode: arrivals are uniform here; \"{}\" is not done", where, *mode));
  }
  if (const Node* pause = node.find("pause")) {
    phase.kind = Phase::Kind::kPause;
    phase.duration = reading.as_duration(*pause, where + ".pause").value_or(phase.duration);
    return phase;
  }
  if (!rate && !count) {
    if (!node.find("arrivalRate") && !node.find("arrivalCount")) {
      reading.error(node.place,
                    fmt::format("{}: expected arrivalRate (users a second), arrivalCount (users), or pause", where));
    }
    return std::nullopt;
  }
  if (duration == nullptr) {
    reading.error(node.place, fmt::format("{}: expected a duration (seconds, or \"5m\")", where));
    return std::nullopt;
  }
  if (phase.duration <= std::chrono::nanoseconds{0} && !reading.failed()) {
    reading.error(duration->place, fmt::format("{}.duration: expected more than 0", where));
  }
  if (count) {
    phase.kind = Phase::Kind::kCount;
    phase.count = whole(count).value_or(0);
    if (phase.count == 0) phase.kind = Phase::Kind::kPause;
    return phase;
  }
  phase.rate = *rate;
  phase.ramp_to = ramp_to;
  if (phase.rate == 0 && !ramp_to) phase.kind = Phase::Kind::kPause;
  return phase;
}

void read_phases(const Node& config, Reading& reading, Config& into) {
  const Node* phases = config.find("phases");
  if (phases == nullptr || phases->is_null()) {
    // One user, as Artillery does without phases.
    Phase phase;
    phase.kind = Phase::Kind::kCount;
    phase.duration = std::chrono::seconds{1};
    phase.count = 1;
    into.phases.push_back(phase);
    return;
  }
  if (!reading.expect_list(*phases, "config.phases")) return;
  for (std::size_t i = 0; i < phases->items.size(); ++i) {
    auto phase = read_phase(phases->items[i], fmt::format("config.phases[{}]", i), reading);
    if (phase) into.phases.push_back(std::move(*phase));
  }
}

void read_defaults(const Node& defaults, const std::string& where, Reading& reading, Config& into) {
  if (!reading.expect_map(defaults, where)) return;
  reading.check_keys(defaults, where, {"headers", "cookie", "strictCapture", "think"});
  if (const Node* headers = defaults.find("headers"); headers != nullptr && into.default_headers.empty()) {
    into.default_headers = reading.as_template_list(*headers, where + ".headers", true);
  }
  if (const Node* cookie = defaults.find("cookie"); cookie != nullptr && into.default_cookies.empty()) {
    into.default_cookies = reading.as_template_list(*cookie, where + ".cookie", false);
  }
  if (reading.boolean(defaults, where, "strictCapture") == false) into.strict_capture = false;
  const Node* think = defaults.find("think");
  if (think != nullptr && !think->is_map()) {
    reading.warn(think->place, fmt::format("{}.think: expected a map with jitter; this does nothing", where));
  } else if (think != nullptr) {
    if (const auto jitter = reading.text(*think, where + ".think", "jitter")) {
      into.think_jitter = parse_jitter(*jitter);
      if (!into.think_jitter) {
        reading.error(
            think->find("jitter")->place,
            fmt::format("{}.think.jitter: expected \"20%\" or milliseconds, and \"{}\" came", where, *jitter));
      }
    }
  }
}

void read_tracing(const Node& node, Reading& reading, Config& into) {
  const std::string where = "config.http.distributedTracing";
  if (node.is_scalar()) {
    if (node.scalar.bool_or(false) || node.scalar.string_or("") == "true") into.tracing = Tracing{};
    return;
  }
  reading.check_keys(node, where, {"enabled", "sampled", "traceIdPrefix"});
  if (reading.boolean(node, where, "enabled") == false) return;
  Tracing tracing;
  tracing.sampled = reading.boolean(node, where, "sampled").value_or(true);
  std::string prefix;
  for (const char c : reading.text(node, where, "traceIdPrefix").value_or("a9")) {
    if (((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) && prefix.size() < 8) prefix += c;
  }
  if (!prefix.empty()) tracing.prefix = prefix;
  into.tracing = tracing;
}

void read_http(const Node& config, Reading& reading, Config& into) {
  if (const Node* http = config.find("http");
      http != nullptr && !http->is_null() && reading.expect_map(*http, "config.http")) {
    reading.check_keys(
        *http, "config.http",
        {"timeout", "pool", "maxSockets", "extendedMetrics", "distributedTracing", "defaults", "cookieJarOptions"});
    if (const Node* timeout = http->find("timeout")) {
      if (const auto limit = reading.as_duration(*timeout, "config.http.timeout")) {
        into.timeout = std::chrono::duration_cast<milliseconds>(*limit);
      }
    }
    if (const auto pool = whole(reading.number(*http, "config.http", "pool", 1))) into.pool = *pool;
    into.extended_metrics = reading.boolean(*http, "config.http", "extendedMetrics").value_or(false);
    if (const Node* tracing = http->find("distributedTracing")) read_tracing(*tracing, reading, into);
    if (const Node* defaults = http->find("defaults")) read_defaults(*defaults, "config.http.defaults", reading, into);
  }
  if (const Node* defaults = config.find("defaults")) read_defaults(*defaults, "config.defaults", reading, into);
  if (const Node* timeout = config.find("timeout")) {
    if (const auto limit = reading.as_duration(*timeout, "config.timeout")) {
      into.timeout = std::chrono::duration_cast<milliseconds>(*limit);
    }
  }
  const Node* tls = config.find("tls");
  if (tls != nullptr && !tls->is_null() && reading.expect_map(*tls, "config.tls")) {
    reading.check_keys(*tls, "config.tls", {"rejectUnauthorized"});
    into.verify_certificates = reading.boolean(*tls, "config.tls", "rejectUnauthorized").value_or(true);
  }
}

void read_variables(const Node& config, Reading& reading, Config& into, SharedVariables& shared) {
  const Node* variables = config.find("variables");
  if (variables == nullptr || variables->is_null() || !reading.expect_map(*variables, "config.variables")) return;
  for (const auto& member : variables->members) {
    auto value = member.value.to_json();
    if (auto* choices = value.as_array()) {
      into.picked_variables.emplace_back(member.key, std::move(*choices));
    } else {
      std::erase_if(shared.values, [&](const auto& one) { return one.first == member.key; });
      shared.values.emplace_back(member.key, std::move(value));
    }
  }
}

// What a payload hands to csv-parse; it stands above the payload's own members.
void read_csv_options(const Node& node, const std::string& where, Reading& reading, CsvOptions& into) {
  if (!reading.expect_map(node, where)) return;
  const auto flag = [&](std::initializer_list<const char*> names, bool& to) {
    for (const char* name : names) {
      if (const auto said = reading.boolean(node, where, name)) to = *said;
    }
  };
  const auto count = [&](const char* name, std::size_t& to) {
    if (const auto said = reading.number(node, where, name, 1)) to = static_cast<std::size_t>(std::min(*said, 1e15));
  };
  // null and false: there is no such mark.
  const auto mark = [&](const char* name, std::string& to) {
    const Node* const said = node.find(name);
    if (said == nullptr) return;
    to = said->is_null() || said->to_json() == base::Json(false) ? "" : reading.text(node, where, name).value_or("");
  };
  reading.check_keys(node, where,
                     {"delimiter", "quote", "escape", "comment", "cast", "auto_parse", "trim", "ltrim", "rtrim",
                      "relax", "relax_column_count", "skip_empty_lines", "skip_lines_with_empty_values", "from", "to",
                      "from_line", "to_line", "bom"});
  if (node.find("delimiter") != nullptr) into.delimiters = reading.texts(node, where, "delimiter");
  mark("quote", into.quote);
  mark("escape", into.escape);
  mark("comment", into.comment);
  flag({"cast", "auto_parse"}, into.cast);
  flag({"trim", "ltrim"}, into.ltrim);
  flag({"trim", "rtrim"}, into.rtrim);
  flag({"relax"}, into.relax);
  flag({"relax_column_count"}, into.relax_column_count);
  flag({"skip_empty_lines"}, into.skip_empty_lines);
  flag({"skip_lines_with_empty_values"}, into.skip_lines_with_empty_values);
  count("from", into.from);
  count("to", into.to);
  count("from_line", into.from_line);
  count("to_line", into.to_line);
}

void read_payload(const Node& node, const std::string& where, Reading& reading, Config& into,
                  const std::filesystem::path& beside) {
  if (!reading.expect_map(node, where)) return;
  reading.check_keys(
      node, where,
      {"path", "fields", "order", "skipHeader", "delimiter", "cast", "skipEmptyLines", "loadAll", "name", "options"});
  Payload payload;
  payload.fields = reading.texts(node, where, "fields");
  payload.load_all = reading.boolean(node, where, "loadAll").value_or(false);
  payload.name = reading.text(node, where, "name").value_or("");
  const std::string order = reading.text(node, where, "order").value_or("random");
  if (order == "sequence") payload.order = Payload::Order::kSequence;
  if (order != "sequence" && order != "random") {
    reading.error(node.find("order")->place,
                  fmt::format("{}.order: expected random or sequence, and \"{}\" came", where, order));
  }
  if (payload.load_all && payload.name.empty()) {
    reading.error(node.place,
                  fmt::format("{}: with loadAll, expected a name: the variable that holds the rows", where));
  }
  if (payload.fields.empty() && !payload.load_all) {
    reading.warn(node.place, fmt::format("{}: without fields, its values have no names and cannot be used", where));
  }
  CsvOptions options;
  if (node.find("delimiter") != nullptr) options.delimiters = reading.texts(node, where, "delimiter");
  options.cast = reading.boolean(node, where, "cast").value_or(true);
  options.skip_empty_lines = reading.boolean(node, where, "skipEmptyLines").value_or(true);
  if (reading.boolean(node, where, "skipHeader").value_or(false)) options.from_line = 2;
  if (const Node* of_csv_parse = node.find("options")) {
    read_csv_options(*of_csv_parse, where + ".options", reading, options);
  }
  const auto path = reading.text(node, where, "path");
  if (!path) {
    reading.error(node.place, fmt::format("{}: expected a path, here or by --payload", where));
    return;
  }
  const auto file = std::filesystem::path(*path).is_absolute() ? std::filesystem::path(*path) : beside / *path;
  auto text = base::read_file(file, options.most_bytes);
  if (!text) return reading.error(node.find("path")->place, fmt::format("{}.path: {}", where, text.error().message));
  auto rows = read_csv(*text, options);
  if (!rows) {
    return reading.error(node.find("path")->place,
                         fmt::format("{}.path: {}: {}", where, file.native(), rows.error().message));
  }
  if (rows->empty()) {
    reading.warn(node.find("path")->place,
                 fmt::format("{}.path: {} has no rows: its variables are undefined", where, file.native()));
  }
  payload.rows = std::move(*rows);
  into.payloads.push_back(std::move(payload));
}

void read_payloads(const Node& config, Reading& reading, Config& into, const std::filesystem::path& beside) {
  const Node* payload = config.find("payload");
  if (payload == nullptr || payload->is_null()) return;
  if (!payload->is_list()) return read_payload(*payload, "config.payload", reading, into, beside);
  for (std::size_t i = 0; i < payload->items.size(); ++i) {
    read_payload(payload->items[i], fmt::format("config.payload[{}]", i), reading, into, beside);
  }
}

void read_expect_plugin(const Node& node, Reading& reading, Config& into) {
  const std::string where = "config.plugins.expect";
  ExpectPlugin plugin;
  if (node.is_map()) {
    reading.check_keys(
        node, where,
        {"formatter", "outputFormat", "expectDefault200", "reportFailuresAsErrors", "useOnlyRequestNames"});
    const auto format =
        reading.text(node, where, "formatter").value_or(reading.text(node, where, "outputFormat").value_or("pretty"));
    if (format == "json")
      plugin.format = ExpectPlugin::Format::kJson;
    else if (format == "prettyError")
      plugin.format = ExpectPlugin::Format::kPrettyError;
    else if (format == "silent")
      plugin.format = ExpectPlugin::Format::kSilent;
    else if (format != "pretty") {
      reading.error(
          node.place,
          fmt::format("{}.formatter: expected pretty, prettyError, json or silent, and \"{}\" came", where, format));
    }
    plugin.expect_default_200 = reading.boolean(node, where, "expectDefault200").value_or(false);
    plugin.failures_as_errors = reading.boolean(node, where, "reportFailuresAsErrors").value_or(false);
    plugin.only_request_names = reading.boolean(node, where, "useOnlyRequestNames").value_or(false);
  }
  into.expect = plugin;
}

void read_endpoint_plugin(const Node& node, Reading& reading, Config& into) {
  const std::string where = "config.plugins.metrics-by-endpoint";
  into.endpoints = EndpointPlugin{};
  if (!node.is_map()) return;
  reading.check_keys(node, where,
                     {"useOnlyRequestNames", "stripQueryString", "ignoreUnnamedRequests", "metricsNamespace",
                      "groupDynamicURLs", "suppressOutput"});
  into.endpoints.only_request_names = reading.boolean(node, where, "useOnlyRequestNames").value_or(false);
  into.endpoints.strip_query_string = reading.boolean(node, where, "stripQueryString").value_or(false);
  into.endpoints.ignore_unnamed = reading.boolean(node, where, "ignoreUnnamedRequests").value_or(false);
  into.endpoints.group_dynamic_urls = reading.boolean(node, where, "groupDynamicURLs").value_or(true);
  into.endpoints.suppress_output = reading.boolean(node, where, "suppressOutput").value_or(false);
  if (const auto prefix = reading.text(node, where, "metricsNamespace")) into.endpoints.prefix = *prefix;
}

void add_check(Reading& reading, Config& into, EnsureCheck check) {
  // What it names is known when the run has ended; that it parses is known now. A metric's name may hold anything, so
  // only a condition of plain names can be tried.
  if (check.expression.find("metrics-by-endpoint") == std::string::npos &&
      check.expression.find('/') == std::string::npos) {
    if (const auto parsed = Expression::parse(check.expression); !parsed) {
      return reading.error(check.place, fmt::format("ensure: \"{}\": {}", check.original, parsed.error().message));
    }
  }
  into.ensure.push_back(std::move(check));
}

void read_ensure(const Node& node, const std::string& where, Reading& reading, Config& into) {
  if (!node.is_map()) return;
  reading.check_keys(node, where, {"thresholds", "conditions", "min", "max", "median", "p95", "p99", "maxErrorRate"});
  if (const Node* thresholds = node.find("thresholds");
      thresholds != nullptr && reading.expect_list(*thresholds, where + ".thresholds")) {
    for (const auto& one : thresholds->items) {
      if (!one.is_map() || one.members.size() != 1) {
        reading.error(
            one.place,
            fmt::format("{}.thresholds: expected one metric and its limit (\"http.response_time.p95\": 250)", where));
        continue;
      }
      const auto& limit = one.members.front();
      if (const auto number = reading.as_number(limit.value, where + ".thresholds", -1e300)) {
        const std::string text = fmt::format("{} < {}", limit.key, number_text(*number));
        add_check(reading, into, {text, text, true, limit.place});
      }
    }
  }
  if (const Node* conditions = node.find("conditions");
      conditions != nullptr && reading.expect_list(*conditions, where + ".conditions")) {
    for (const auto& one : conditions->items) {
      const auto expression = one.is_map() ? reading.text(one, where + ".conditions", "expression") : std::nullopt;
      if (!expression) {
        reading.error(
            one.place,
            fmt::format("{}.conditions: expected an expression (expression: \"http.codes.500 == 0\")", where));
        continue;
      }
      reading.check_keys(one, where + ".conditions", {"expression", "strict"});
      add_check(
          reading, into,
          {*expression, *expression, reading.boolean(one, where + ".conditions", "strict").value_or(true), one.place});
    }
  }
  for (const auto& member : node.members) {
    const bool legacy = member.key == "min" || member.key == "max" || member.key == "median" || member.key == "p95" ||
                        member.key == "p99";
    if (legacy) {
      if (const auto number = reading.as_number(member.value, fmt::format("{}.{}", where, member.key), 0)) {
        const auto limit = static_cast<std::int64_t>(*number);
        add_check(reading, into,
                  {fmt::format("{} < {}", member.key, limit),
                   fmt::format("http.response_time.{} < {}", member.key, limit), true, member.place});
      }
    }
  }
  if (const auto rate = reading.number(node, where, "maxErrorRate")) {
    const std::string limit = number_text(*rate);
    into.ensure.push_back({fmt::format("maxErrorRate < {}", limit),
                           fmt::format("((vusers.created - vusers.completed) / vusers.created * 100) <= {}", limit),
                           true, node.find("maxErrorRate")->place});
  }
}

void read_apdex(const Node& node, const std::string& where, Reading& reading, Config& into) {
  into.apdex_threshold_ms = 500;
  if (!node.is_map()) return;
  reading.check_keys(node, where, {"threshold"});
  if (const auto threshold = reading.number(node, where, "threshold")) into.apdex_threshold_ms = *threshold;
}

void read_plugins(const Node& config, Reading& reading, Config& into) {
  // What Artillery adds when the script does not say anything of it.
  into.endpoints.strip_query_string = true;
  into.endpoints.suppress_output = true;
  const Node* plugins = config.find("plugins");
  if (plugins != nullptr && plugins->is_list()) {
    reading.warn(plugins->place, "config.plugins: expected a map (name: options); a list switches nothing on");
  } else if (plugins != nullptr && !plugins->is_null() && reading.expect_map(*plugins, "config.plugins")) {
    reading.check_keys(*plugins, "config.plugins",
                       {"expect", "ensure", "metrics-by-endpoint", "apdex", "fake-data", "publish-metrics", "slack",
                        "http-file-uploads"});
    if (const Node* node = plugins->find("expect")) read_expect_plugin(*node, reading, into);
    if (const Node* node = plugins->find("metrics-by-endpoint")) read_endpoint_plugin(*node, reading, into);
    if (const Node* node = plugins->find("apdex")) read_apdex(*node, "config.plugins.apdex", reading, into);
    if (const Node* node = plugins->find("ensure")) read_ensure(*node, "config.plugins.ensure", reading, into);
    for (const char* name : {"publish-metrics", "slack"}) {
      if (const Node* node = plugins->find(name)) {
        reading.warn(node->place,
                     fmt::format("config.plugins.{}: this plugin is not run here; nothing is published", name));
      }
    }
  }
  if (const Node* node = config.find("apdex")) read_apdex(*node, "config.apdex", reading, into);
  if (const Node* node = config.find("ensure"); node != nullptr && into.ensure.empty())
    read_ensure(*node, "config.ensure", reading, into);
}

void read_processor(const Node& config, Reading& reading, Config& into, const std::filesystem::path& beside) {
  const auto path = reading.text(config, "config", "processor");
  if (!path) return;
  const Place& place = config.find("processor")->place;
  auto file = std::filesystem::path(*path).is_absolute() ? std::filesystem::path(*path) : beside / *path;
  std::error_code failure;
  for (const char* extension : {"", ".js", ".mjs", ".cjs", "/index.js"}) {
    auto tried = file;
    tried += extension;
    if (!std::filesystem::is_regular_file(tried, failure)) continue;
    into.processor = tried.lexically_normal();
    break;
  }
  if (into.processor.empty()) {
    reading.error(place, fmt::format("config.processor: there is no file {}", file.lexically_normal().native()));
  } else if (into.processor.extension() == ".ts") {
    reading.error(place,
                  fmt::format("config.processor: {} is TypeScript, which is not compiled here; make JavaScript of it "
                              "first: npx esbuild {} --bundle --platform=node --outfile=processor.js",
                              *path, *path));
  }
}

}  // namespace

void read_config(const Node& config, Reading& reading, Script& script) {
  if (!reading.expect_map(config, "config")) return;
  reading.check_keys(
      config, "config",
      {"target", "phases", "http", "tls", "variables", "payload", "environments", "processor", "plugins", "ensure",
       "apdex", "defaults", "engines", "timeout", "mode", "statsInterval", "bundling", "includeFiles"});
  Config& into = script.config;
  const auto beside = script.file.parent_path();
  into.target = reading.text(config, "config", "target").value_or("");
  if (into.target.empty()) {
    reading.error(config.place,
                  "config: expected a target (http://host:port), here, in the chosen environment or by --target");
  } else if (!into.target.starts_with("http://") && !into.target.starts_with("https://")) {
    reading.error(config.find("target") != nullptr ? config.find("target")->place : config.place,
                  fmt::format("config.target: expected http:// or https://, and \"{}\" came", into.target));
  }
  if (const Node* engines = config.find("engines"); engines != nullptr && engines->is_map()) {
    for (const auto& member : engines->members) {
      if (member.key != "http") {
        reading.warn(member.place, fmt::format("config.engines.{}: only the engine http is here", member.key));
      }
    }
  }
  auto shared = std::make_shared<SharedVariables>(*script.variables);
  read_phases(config, reading, into);
  read_http(config, reading, into);
  read_variables(config, reading, into, *shared);
  read_payloads(config, reading, into, beside);
  read_plugins(config, reading, into);
  read_processor(config, reading, into, beside);
  shared->values.emplace_back("target", into.target);
  script.variables = std::move(shared);
}

}  // namespace securebase::load::artillery
