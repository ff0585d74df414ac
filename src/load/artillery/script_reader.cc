#include "load/artillery/script_reader.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/file.h"
#include "load/artillery/reading.h"
#include "load/artillery/spelling.h"

namespace securebase::load::artillery {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostScriptBytes = std::size_t{8} << 20;

// Where a path leads from here; unlike std::filesystem's, it never throws, and nothing is here.
fs::path whole_path(const fs::path& path) {
  std::error_code failure;
  const auto here = fs::current_path(failure);
  return (here / path).lexically_normal();
}

Result<Node> read_file_tree(const fs::path& path) {
  const std::string extension = path.extension().native();
  if (extension != ".yml" && extension != ".yaml" && extension != ".json") {
    const bool code = extension == ".js" || extension == ".ts" || extension == ".mjs" || extension == ".cjs";
    return Error{
        Errc::kUnsupported,
        fmt::format("{}: expected a script in YAML (.yml, .yaml) or JSON (.json){}", path.native(),
                    code ? "; a script that is a program cannot be run here (processors can: config.processor)" : "")};
  }
  auto text = base::read_file(path, kMostScriptBytes);
  if (!text) return text.error();
  return read_tree(*text, path.native());
}

Result<Node> parse_option(const std::string& text, const char* option) {
  auto json = base::Json::parse(text);
  if (!json) return json.error().within(fmt::format("reading {}, which is a JSON object", option));
  if (!json->is_object())
    return Error{Errc::kMalformed, fmt::format("{}: expected a JSON object, like '{{\"a\": 1}}'", option)};
  return Node::from_json(*json, Place{});
}

// Steps of making one tree out of all that says something, in Artillery's order.
class Assembly {
 public:
  Assembly(Node tree, const ScriptOptions& options, fs::path file, Reading& reading)
      : tree_(std::move(tree)), options_(options), file_(std::move(file)), reading_(reading) {}

  Result<Node> make() {
    if (tree_.is_null()) return Error{Errc::kMalformed, fmt::format("{}: the script is empty", file_.native())};
    if (!tree_.is_map()) {
      return Error{Errc::kMalformed, fmt::format("{}: expected a map with config and scenarios, and {} came",
                                                 tree_.place.text(), tree_.what())};
    }
    if (tree_.find("config") == nullptr) tree_.set("config", Node::map(tree_.place));
    if (!config().is_map()) {
      return Error{Errc::kMalformed,
                   fmt::format("{}: config: expected a map, and {} came", config().place.text(), config().what())};
    }
    if (auto done = choose_environment(); !done) return done.error();
    if (!options_.target.empty()) config().set("target", Node(options_.target, Place{}));
    if (options_.insecure) {
      if (config().find("tls") == nullptr) config().set("tls", Node::map(Place{}));
      if (config().find("tls")->is_map()) config().find("tls")->set("rejectUnauthorized", Node(false, Place{}));
    }
    place_payloads();
    if (!options_.overrides.empty()) {
      auto overrides = parse_option(options_.overrides, "--overrides");
      if (!overrides) return overrides.error();
      lay_over(tree_, *overrides, Lists::kReplaced);
    }
    if (!options_.variables.empty()) {
      auto variables = parse_option(options_.variables, "--variables");
      if (!variables) return variables.error();
      if (config().find("variables") == nullptr) config().set("variables", Node::map(Place{}));
      for (const auto& member : variables->members) config().find("variables")->set(member.key, member.value);
    }
    if (options_.solo) config().set("phases", Node());
    return std::move(tree_);
  }

 private:
  Node& config() { return *tree_.find("config"); }

  Result<Done> choose_environment() {
    if (options_.environment.empty()) return Done{};
    const Node* environments = config().find("environments");
    const Node* chosen = environments != nullptr ? environments->find(options_.environment) : nullptr;
    if (chosen == nullptr || !chosen->is_map()) {
      std::vector<std::string_view> known;
      if (environments != nullptr) {
        for (const auto& member : environments->members) known.push_back(member.key);
      }
      reading_.warn(environments != nullptr ? environments->place : config().place,
                    fmt::format("environment {} is set but is not defined in the script{}", options_.environment,
                                did_you_mean(options_.environment, known)));
      return Done{};
    }
    const Node over = *chosen;
    lay_over(config(), over, Lists::kByIndex);
    return Done{};
  }

  // --payload names the file of a payload that has no path; an absolute path does not depend on where the script is.
  void place_payloads() {
    Node* payload = config().find("payload");
    if (options_.payload.empty()) return;
    const Node path(whole_path(options_.payload).native(), Place{});
    if (payload == nullptr || !payload->is_map()) {
      reading_.warn(config().place, "--payload is given, and config.payload is no map that says its fields");
      return;
    }
    if (payload->find("path") != nullptr) {
      reading_.warn(payload->place,
                    "both --payload and config.payload.path are set, config.payload.path will be ignored");
    }
    payload->set("path", path);
  }

  Node tree_;
  const ScriptOptions& options_;
  const fs::path file_;
  Reading& reading_;
};

// Fills the templates of `config` that name what is known before the run; others are left for the users.
void fill_templates(Node& node, const Variables& known, Reading& reading) {
  for (auto& item : node.items) fill_templates(item, known, reading);
  for (auto& member : node.members) fill_templates(member.value, known, reading);
  const auto* text = node.is_scalar() ? node.scalar.as_string() : nullptr;
  if (text == nullptr || text->find("{{") == std::string::npos) return;
  const auto compiled = Template::compile(*text);
  if (!compiled || compiled->constant()) return;  // who reads the key complains
  for (const auto name : compiled->names()) {
    if (known.find(parse_path(name)) != nullptr) continue;
    const bool environment = name.starts_with("$env.") || name.starts_with("$processEnvironment.");
    if (!environment) return;
    reading.warn(node.place, fmt::format("{} is not set in the environment", name.substr(name.find('.') + 1)));
  }
  node = Node(compiled->value(known), node.place);
}

// Environment variables that requests will miss: they would be sent as "undefined".
void warn_of_missing(const Node& node, const Variables& known, Reading& reading) {
  for (const auto& item : node.items) warn_of_missing(item, known, reading);
  for (const auto& member : node.members) warn_of_missing(member.value, known, reading);
  const auto* text = node.is_scalar() ? node.scalar.as_string() : nullptr;
  if (text == nullptr || text->find("{{") == std::string::npos) return;
  const auto compiled = Template::compile(*text);
  if (!compiled) return;
  for (const auto name : compiled->names()) {
    if (!name.starts_with("$env.") && !name.starts_with("$processEnvironment.")) continue;
    if (known.find(parse_path(name)) == nullptr) {
      reading.warn(node.place, fmt::format("{} is not set in the environment, and is sent as \"undefined\"",
                                           name.substr(name.find('.') + 1)));
    }
  }
}

std::shared_ptr<SharedVariables> first_variables(const ScriptOptions& options, const fs::path& file) {
  auto shared = std::make_shared<SharedVariables>();
  base::Json::Object environment;
  for (const auto& [name, value] : options.environment_variables) environment.emplace_back(name, value);
  const fs::path beside = whole_path(options.config ? *options.config : file).parent_path();
  shared->values.emplace_back("$environment",
                              options.environment.empty() ? base::Json() : base::Json(options.environment));
  shared->values.emplace_back("$testId", options.test_id);
  shared->values.emplace_back("$dirname", beside.native());
  shared->values.emplace_back("$scenarioFile", whole_path(file).native());
  shared->values.emplace_back("$env", environment);
  shared->values.emplace_back("$processEnvironment", std::move(environment));
  return shared;
}

Result<Done> choose_scenario(const std::string& wanted, Script& script) {
  if (wanted.empty()) return Done{};
  const re2::RE2 pattern(wanted, re2::RE2::Quiet);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < script.scenarios.size(); ++i) {
    const auto& name = script.scenarios[i].name;
    if (name == wanted || (pattern.ok() && re2::RE2::PartialMatch(name, pattern))) found.push_back(i);
  }
  if (found.empty()) {
    return Error{Errc::kNotFound,
                 fmt::format("Scenario {} not found in script. Make sure your chosen scenario matches the "
                             "one in your script exactly.",
                             wanted)};
  }
  if (found.size() > 1) {
    return Error{Errc::kConflict,
                 fmt::format("Multiple scenarios for {} found in script. Make sure you give unique names "
                             "to your scenarios in your script.",
                             wanted)};
  }
  script.only_scenario = found.front();
  return Done{};
}

void read_scenarios(const Node& tree, Reading& reading, Script& script) {
  const Node* scenarios = tree.find("scenarios");
  if (scenarios == nullptr) return reading.error(tree.place, "expected scenarios: the list of what users do");
  if (!reading.expect_list(*scenarios, "scenarios")) return;
  if (scenarios->items.empty()) return reading.error(scenarios->place, "scenarios: expected at least one");
  for (std::size_t i = 0; i < scenarios->items.size(); ++i) {
    script.scenarios.push_back(
        read_scenario(scenarios->items[i], fmt::format("scenarios[{}]", i), i, reading, script.config));
  }
  for (const char* hook : {"before", "after"}) {
    const Node* node = tree.find(hook);
    if (node == nullptr || node->is_null()) continue;
    (std::string_view(hook) == "before" ? script.before : script.after) =
        read_scenario(*node, hook, 0, reading, script.config);
  }
}

// Without the plugin nobody looks at expectations, in Artillery too, and a test that checks nothing passes.
bool any_expectation(const std::vector<Step>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const Step& step) {
    if (const auto* loop = std::get_if<LoopStep>(&step.what)) return any_expectation(loop->steps);
    if (const auto* parallel = std::get_if<ParallelStep>(&step.what)) return any_expectation(parallel->steps);
    const auto* request = std::get_if<RequestStep>(&step.what);
    return request != nullptr && !request->expectations.empty();
  });
}

void check_functions(const Script& script, Reading& reading, const Node& tree) {
  if (script.needs_processor() && script.config.processor.empty()) {
    const Node* scenarios = tree.find("scenarios");
    reading.warn(scenarios != nullptr ? scenarios->place : tree.place,
                 "the scenarios name JavaScript functions, and config.processor does not say where they are: they are "
                 "not called");
  }
}

Result<Script> read_assembled(Node tree, const fs::path& file, const ScriptOptions& options) {
  Reading reading;
  auto assembled = Assembly(std::move(tree), options, file, reading).make();
  if (!assembled) return assembled.error();
  Script script;
  script.file = whole_path(file);
  auto first = first_variables(options, file);
  // --variables are known to the templates of config, too.
  auto with_options = std::make_shared<SharedVariables>(*first);
  if (!options.variables.empty()) {
    const auto given = base::Json::parse(options.variables);
    if (given && given->is_object()) {
      with_options->values.insert(with_options->values.end(), given->as_object()->begin(), given->as_object()->end());
    }
  }
  const Variables known(with_options);
  Node& config = *assembled->find("config");
  std::erase_if(config.members, [](const auto& member) { return member.key == "environments"; });
  fill_templates(config, known, reading);
  if (const Node* processor = config.find("processor"); processor != nullptr && options.config) {
    const auto text = reading.text(config, "config", "processor");
    if (text)
      config.set("processor", Node((whole_path(*options.config).parent_path() / *text).native(), processor->place));
  }
  reading.check_keys(*assembled, "the script", {"config", "scenarios", "before", "after"});
  script.variables = std::move(first);
  read_config(config, reading, script);
  read_scenarios(*assembled, reading, script);
  for (const char* part : {"scenarios", "before", "after"}) {
    if (const Node* node = assembled->find(part)) warn_of_missing(*node, known, reading);
  }
  check_functions(script, reading, *assembled);
  const bool expects = std::any_of(script.scenarios.begin(), script.scenarios.end(),
                                   [](const Scenario& scenario) { return any_expectation(scenario.flow); });
  if (expects && !script.config.expect) {
    reading.warn(config.place, "requests have expect, and config.plugins has no expect: nothing is checked");
  }
  if (reading.failed()) return reading.failure();
  if (auto chosen = choose_scenario(options.scenario_name, script); !chosen) return chosen.error();
  script.warnings = reading.warnings();
  return script;
}

bool any_function(const std::vector<Step>& steps) {
  for (const auto& step : steps) {
    if (std::holds_alternative<FunctionStep>(step.what)) return true;
    if (const auto* loop = std::get_if<LoopStep>(&step.what)) {
      if (!loop->while_true.empty() || any_function(loop->steps)) return true;
    }
    if (const auto* parallel = std::get_if<ParallelStep>(&step.what);
        parallel != nullptr && any_function(parallel->steps))
      return true;
    if (const auto* request = std::get_if<RequestStep>(&step.what)) {
      if (!request->before_request.empty() || !request->after_response.empty()) return true;
    }
  }
  return false;
}

bool any_function(const Scenario& scenario) {
  return !scenario.before_scenario.empty() || !scenario.after_scenario.empty() || !scenario.before_request.empty() ||
         !scenario.after_response.empty() || !scenario.on_error.empty() || any_function(scenario.flow);
}

}  // namespace

bool Script::needs_processor() const {
  for (const auto& scenario : scenarios) {
    if (any_function(scenario)) return true;
  }
  return (before && any_function(*before)) || (after && any_function(*after));
}

Result<Script> read_script(const ScriptOptions& options) {
  if (options.files.empty()) return Error{Errc::kMalformed, "expected a script"};
  std::optional<Node> tree;
  std::vector<fs::path> files = options.files;
  if (options.config) files.push_back(*options.config);
  for (const auto& file : files) {
    auto read = read_file_tree(file);
    if (!read) return read.error();
    if (tree) {
      lay_over(*tree, *read, Lists::kByIndex);
    } else {
      tree = std::move(*read);
    }
  }
  return read_assembled(std::move(*tree), options.files.front(), options);
}

Result<Script> read_script(std::string_view text, const fs::path& file, const ScriptOptions& options) {
  auto tree = read_tree(text, file.native());
  if (!tree) return tree.error();
  return read_assembled(std::move(*tree), file, options);
}

void read_dotenv(std::string_view text, std::map<std::string, std::string>& into) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const auto trim = [](std::string_view part) {
      while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) part.remove_prefix(1);
      while (!part.empty() && (part.back() == ' ' || part.back() == '\t' || part.back() == '\r')) part.remove_suffix(1);
      return part;
    };
    line = trim(line);
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    if (line.empty() || line.front() == '#' || equals == std::string_view::npos) continue;
    const std::string name(trim(line.substr(0, equals)));
    std::string_view value = trim(line.substr(equals + 1));
    const char quote = value.empty() ? '\0' : value.front();
    if ((quote == '"' || quote == '\'') && value.find(quote, 1) != std::string_view::npos) {
      value = value.substr(1, value.find(quote, 1) - 1);
    } else {
      value = trim(value.substr(0, value.find(" #")));
    }
    if (!name.empty()) into.emplace(name, std::string(value));
  }
}

}  // namespace securebase::load::artillery
