// An Artillery script as it will be run: every template, path, pattern and condition is compiled, every number is one,
// every file was read. Immutable after reading; shared by all threads.
#pragma once

#include <re2/re2.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "load/artillery/expression.h"
#include "load/artillery/json_path.h"
#include "load/artillery/node.h"
#include "load/artillery/template.h"
#include "load/engine/schedule.h"

namespace securebase::load::artillery {

// "2", "1.5s", "5m": read when the script is, or when its template is filled.
using Duration = std::variant<std::chrono::nanoseconds, Template>;

// A pause's spread: "20%" of it, or an absolute time in milliseconds, as Artillery has it.
struct Jitter {
  double amount = 0;
  bool percent = false;
};

struct Capture {
  enum class Kind { kJson, kRegexp, kHeader, kXpath };
  Kind kind = Kind::kJson;
  Template expression;
  // Compiled from a constant expression; else made when the expression is known.
  std::optional<JsonPath> path;
  std::shared_ptr<const re2::RE2> pattern;
  std::string as;                      // the variable; empty in a match
  std::string group;                   // of a regular expression: a number or a name
  std::string flags;                   // of a regular expression
  std::string attribute;               // of an element that an XPath finds
  bool multiple = true;                // json: one of several matches, at random; false: the only one, or a list of all
  std::optional<bool> strict;          // not said: the default
  std::optional<TemplateValue> value;  // of a match: what it has to be
};

struct Expectation {
  enum class Kind {
    kStatusCode,
    kNotStatusCode,
    kContentType,
    kHasProperty,
    kNotHasProperty,
    kEquals,
    kHasHeader,
    kHeaderEquals,
    kMatchesRegexp,
    kCdnHit,
  };
  Kind kind = Kind::kStatusCode;
  TemplateValue value;
};
std::string_view to_string(Expectation::Kind kind);

// The condition of `ifTrue`: an expression, or the name of a function of the processor.
using Condition = std::variant<Expression, std::string>;

using TemplateList = std::vector<std::pair<std::string, Template>>;

struct FormPart {
  std::string name;
  TemplateValue value;
  std::optional<Template> file;  // a path, relative to the script
  std::optional<Template> content_type;
};

struct RequestStep {
  Place place;
  base::Json source;   // as the processor's beforeRequest functions get it: not yet filled
  std::string method;  // upper case
  Template url;        // with the target before it when it is a path
  Template name;       // empty: none
  // The name under which metrics-by-endpoint keeps it when that does not depend on the values in the URL.
  std::string endpoint;
  TemplateList headers;  // names in lower case; before them stand the defaults
  TemplateList cookies;
  std::optional<TemplateValue> query;
  std::optional<TemplateValue> json;
  std::optional<TemplateValue> body;
  std::optional<TemplateValue> form;
  std::vector<FormPart> form_data;
  std::optional<std::pair<Template, Template>> auth;  // user, password
  bool follow_redirect = true;
  bool decompress = true;
  std::optional<double> probability;  // percent
  std::optional<Condition> if_true;
  std::vector<Capture> captures;
  std::vector<Capture> matches;
  std::vector<Expectation> expectations;
  std::vector<std::string> before_request;
  std::vector<std::string> after_response;
};

struct ThinkStep {
  Duration duration;
  std::optional<Jitter> jitter;
};

struct LogStep {
  TemplateValue text;
};

struct FunctionStep {
  std::string function;
};

struct Step;

struct LoopStep {
  std::vector<Step> steps;
  std::optional<Template> count;              // "10", "1-10", -1: for ever
  std::optional<base::Json::Array> elements;  // over: [a, b]
  std::string over;                           // over: the name of a variable
  std::string while_true;                     // a function of the processor
  std::string value_name = "$loopCount";
  std::string element_name = "$loopElement";
};

struct ParallelStep {
  std::vector<Step> steps;
  std::size_t limit = 100;
};

struct Step {
  std::variant<RequestStep, ThinkStep, LogStep, FunctionStep, LoopStep, ParallelStep> what;
};

struct Scenario {
  std::string name;  // or its index
  double weight = 1;
  std::vector<Step> flow;
  std::vector<std::string> before_scenario;
  std::vector<std::string> after_scenario;
  std::vector<std::string> before_request;
  std::vector<std::string> after_response;
  std::vector<std::string> on_error;
};

struct Payload {
  enum class Order { kRandom, kSequence };
  std::vector<std::string> fields;
  std::vector<base::Json::Array> rows;
  Order order = Order::kRandom;
  bool load_all = false;
  std::string name;  // of the variable, with load_all
};

struct ExpectPlugin {
  enum class Format { kPretty, kPrettyError, kJson, kSilent };
  Format format = Format::kPretty;
  bool expect_default_200 = false;
  bool failures_as_errors = false;
  bool only_request_names = false;
};

struct EndpointPlugin {
  bool only_request_names = false;
  bool strip_query_string = false;
  bool ignore_unnamed = false;
  bool group_dynamic_urls = true;
  bool suppress_output = false;
  std::string prefix = "plugins.metrics-by-endpoint";
};

struct EnsureCheck {
  std::string original;    // as it is shown
  std::string expression;  // parsed when the metrics' names are known
  bool strict = true;
  Place place;
};

struct Tracing {  // of distributedTracing
  bool sampled = true;
  std::string prefix = "a9";
};

struct Config {
  std::string target;
  std::vector<Phase> phases;
  std::chrono::milliseconds timeout{10'000};  // to the first byte
  std::optional<std::size_t> pool;            // connections to the target that all users share
  bool extended_metrics = false;
  std::optional<Tracing> tracing;
  TemplateList default_headers;  // names in lower case
  TemplateList default_cookies;
  bool strict_capture = true;
  std::optional<Jitter> think_jitter;
  bool verify_certificates = true;
  std::filesystem::path processor;  // empty: none
  std::vector<Payload> payloads;
  // A list: one of its values for each user.
  std::vector<std::pair<std::string, base::Json::Array>> picked_variables;
  std::optional<ExpectPlugin> expect;
  EndpointPlugin endpoints;  // Artillery always has it: silent, unless the script configures it
  std::optional<double> apdex_threshold_ms;
  std::vector<EnsureCheck> ensure;
};

struct Script {
  Config config;
  std::vector<Scenario> scenarios;
  std::optional<Scenario> before;
  std::optional<Scenario> after;
  std::shared_ptr<const SharedVariables> variables;  // target, $env, $testId, ... and those that are the same for all
  std::filesystem::path file;
  std::vector<std::string> warnings;
  std::optional<std::size_t> only_scenario;  // --scenario-name

  // Whether some hook, function step or condition needs the processor.
  bool needs_processor() const;
};

}  // namespace securebase::load::artillery
