#include "cli/load_declared.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "cli/k6_program.h"
#include "cli/options.h"
#include "cli/script_words.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

using base::Json;

// A test that is a script of Artillery's or k6's.
constexpr std::string_view kScriptKind = "script";
// Members that are no options, and options that no stack has a say in.
constexpr std::array<std::string_view, 4> kOwnMembers{"kind", "url", "file", "description"};
constexpr std::array<std::string_view, 4> kNotDeclared{"state", "help", "token-file", "target-pid"};

struct Declared {
  Json scenarios;                   // an object
  std::filesystem::path directory;  // of the stack, which relative paths of files begin at
};

Result<Declared> declared_scenarios(const std::filesystem::path& state) {
  auto answer = platform::Control(state).ask("/load/runs", Json::object({{"what", "scenarios"}}));
  if (!answer) return answer.error();
  Declared declared{(*answer)["scenarios"], (*answer)["directory"].string_or("")};
  if (!declared.scenarios.as_object()) {
    return Error{Errc::kMalformed, "the stack's output securebase_load is a map of load tests by their names"};
  }
  return declared;
}

Result<std::string> address_of_platform(const std::filesystem::path& state) {
  auto status = platform::Control(state).ask("/status");
  if (!status) return status.error();
  return std::string((*status)["addresses"]["http"].string_or(""));
}

// As it would be typed; nullopt: neither text, number nor truth value.
std::optional<std::string> as_typed(const Json& value) {
  if (const auto* text = value.as_string()) return *text;
  if (value.is_bool()) return std::string(value.bool_or(false) ? "true" : "false");
  if (value.is_number()) return value.dump();
  return std::nullopt;
}

// "warm_up" is --warm-up; "thresholds" and "headers" are what --threshold and --header repeat.
CLI::Option* option_for(CLI::App& command, std::string member) {
  std::replace(member.begin(), member.end(), '_', '-');
  if (std::find(kNotDeclared.begin(), kNotDeclared.end(), member) != kNotDeclared.end()) return nullptr;
  if (auto* option = command.get_option_no_throw("--" + member)) return option;
  if (!member.ends_with('s')) return nullptr;
  member.pop_back();
  return command.get_option_no_throw("--" + member);
}

Result<Done> set_option(CLI::Option& option, const Json& value) {
  std::vector<std::string> words;
  const Json::Array one{value};
  const auto* list = value.as_array();
  for (const auto& each : list ? *list : one) {
    auto word = as_typed(each);
    if (!word) return Error{Errc::kMalformed, "a text, a number or a list of them is expected"};
    words.push_back(std::move(*word));
  }
  if (words.empty()) return Done{};
  try {
    for (auto& word : words) option.add_result(std::move(word));
    option.run_callback();
  } catch (const CLI::Error& wrong) {
    return Error{Errc::kMalformed, wrong.what()};
  }
  return Done{};
}

std::string settings_text(const Json& scenario) {
  std::string text;
  for (const auto& [member, value] : *scenario.as_object()) {
    // Headers and bodies hold credentials.
    const bool secret = member.starts_with("header") || member == "body";
    if (value.is_null() || std::find(kOwnMembers.begin(), kOwnMembers.end(), member) != kOwnMembers.end()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", member,
                        secret ? "..." : as_typed(value).value_or(value.dump()));
  }
  return text;
}

int list_declared(const std::filesystem::path& state, bool as_json) {
  auto declared = declared_scenarios(state);
  if (!declared) return fail(declared.error());
  if (as_json) {
    fmt::print("{}\n", declared->scenarios.dump(2));
    return kDone;
  }
  if (declared->scenarios.as_object()->empty()) {
    fmt::print(stderr,
               "the stack declares no load test; an output \"securebase_load\" does (docs/load.md), or ask at once: "
               "securebase load run /api/v1/health --criteria guide\n");
    return kDone;
  }
  Table table({"NAME", "KIND", "URL OR FILE", "SETTINGS", "DESCRIPTION"});
  for (const auto& [name, scenario] : *declared->scenarios.as_object()) {
    if (!scenario.as_object()) continue;
    const auto* file = scenario["file"].as_string();
    table.add({{name, Style::kBold},
               {std::string(scenario["kind"].string_or("run")), Style::kPlain},
               {file ? *file : std::string(scenario["url"].string_or("/api/v1/health")), Style::kPlain},
               {settings_text(scenario), Style::kPlain},
               {std::string(scenario["description"].string_or("")), Style::kDim}});
  }
  fmt::print("{}", table.text());
  return kDone;
}

int run_words(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  if (words.at(1) == "k6") return k6_main(static_cast<int>(arguments.size()) - 1, arguments.data() + 1);
  return run(static_cast<int>(arguments.size()), arguments.data());
}

// As `securebase load KIND NAME ...` would.
int run_declared(const std::string& name, const std::vector<std::string>& more, const std::filesystem::path& state) {
  auto declared = declared_scenarios(state);
  if (!declared) return fail(declared.error().within(fmt::format("\"{}\" is no command, and as a load test", name)));
  const auto& scenario = declared->scenarios[name];
  if (scenario["kind"].string_or("") == kScriptKind) {
    auto address = address_of_platform(state);
    if (!address) return fail(address.error());
    auto words = words_of_script(name, scenario, declared->directory, *address);
    if (!words) {
      fail(words.error());
      return kUsage;
    }
    words->insert(words->end(), more.begin(), more.end());
    // Its run is the platform's of this state directory.
    ::setenv("SECUREBASE_STATE", std::filesystem::absolute(state).c_str(), 1);
    return run_words(std::move(*words));
  }
  std::vector<std::string> words{"securebase", "load",    std::string(scenario["kind"].string_or("run")),
                                 name,         "--state", state.native()};
  words.insert(words.end(), more.begin(), more.end());
  return run_words(std::move(words));
}
}  // namespace

Result<std::vector<std::string>> words_of_script(std::string_view name, const Json& scenario,
                                                 const std::filesystem::path& directory, const std::string& address) {
  const auto wrong = [name](std::string_view why) {
    return Error{Errc::kMalformed, fmt::format("securebase_load.{}: {}", name, why)};
  };
  const auto* file = scenario["file"].as_string();
  if (!file || file->empty()) return wrong("a script has a file, as seen from the stack's directory");
  for (const auto& [member, value] : *scenario.as_object()) {
    if (value.is_null() || std::find(kOwnMembers.begin(), kOwnMembers.end(), member) != kOwnMembers.end()) continue;
    return wrong(
        fmt::format("{} is no member of a script, which has file, url and description; its options are "
                    "typed behind its name, or stand in it",
                    member));
  }
  std::string url(scenario["url"].string_or(""));
  if (url.empty() || url.starts_with('/')) url = address + url;
  std::string path = (directory / *file).lexically_normal().native();
  char* const word = path.data();
  switch (script_among({&word, 1})) {
    case Script::kArtillery:
      return std::vector<std::string>{"securebase", "artillery", "run", path, "--target", url};
    case Script::kK6:
      return std::vector<std::string>{"securebase", "k6", "run", path, "-e", "TARGET=" + url};
    case Script::kNone:
      break;
  }
  return wrong(
      fmt::format("{} is no script by its name: .js, .mjs and .ts are k6's, .yml and .yaml Artillery's", *file));
}

Result<Done> apply_declared(CLI::App& command, const Json& scenarios, std::string_view name, std::string_view kind,
                            std::string& url) {
  const auto* found = scenarios.find(name);
  if (!found || !found->as_object()) {
    std::string names;
    for (const auto& [each, scenario] : *scenarios.as_object()) names += (names.empty() ? "" : ", ") + each;
    return Error{
        Errc::kMalformed,
        fmt::format("\"{}\" is neither a URL nor a load test of the stack's output securebase_load, which has {}", name,
                    names.empty() ? "none" : names)};
  }
  const auto declared_kind = (*found)["kind"].string_or("run");
  if (declared_kind == kScriptKind) {
    return Error{Errc::kMalformed, fmt::format("{0} is declared as a script: securebase load {0}", name)};
  }
  if (declared_kind != kind) {
    return Error{Errc::kMalformed, fmt::format("{0} is declared as {1}: securebase load {1} {0}", name, declared_kind)};
  }
  for (const auto& [member, value] : *found->as_object()) {
    if (value.is_null() || std::find(kOwnMembers.begin(), kOwnMembers.end(), member) != kOwnMembers.end()) continue;
    auto* option = option_for(command, member);
    if (!option) {
      return Error{Errc::kMalformed, fmt::format("securebase_load.{}: {} is no setting of a {}; see securebase load {} "
                                                 "--help",
                                                 name, member, kind, kind)};
    }
    if (option->count() > 0) continue;  // what was typed counts
    auto set = set_option(*option, value);
    if (!set) return set.error().within(fmt::format("securebase_load.{}: {}", name, member));
  }
  url = (*found)["url"].string_or("");
  return Done{};
}

Result<std::string> take_declared(CLI::App& command, std::string& word, std::string_view kind,
                                  const std::filesystem::path& state) {
  if (word.empty() || word.find("://") != std::string::npos) return std::string();
  std::string name;
  if (!word.starts_with('/')) {
    name = word;
    auto declared = declared_scenarios(state);
    if (!declared) return declared.error().within(fmt::format("\"{}\" is no URL, and as a name", name));
    if (auto applied = apply_declared(command, declared->scenarios, name, kind, word); !applied) return applied.error();
  }
  if (word.starts_with('/')) {
    auto address = address_of_platform(state);
    if (!address) return address.error();
    word = *address + word;
  }
  return name;
}

void add_declared_commands(CLI::App& load, std::filesystem::path& state, Chosen& chosen) {
  auto as_json = std::make_shared<bool>(false);
  auto* list = load.add_subcommand("list", "The load tests that the running stack declares (output securebase_load)");
  list->add_flag("--json", *as_json, "As JSON");
  add_state_option(*list, state);
  list->callback([as_json, &state, &chosen] { chosen = [as_json, &state] { return list_declared(state, *as_json); }; });

  auto name = std::make_shared<std::string>();
  load.add_option("name", *name, "A load test that the stack declares; options of its kind may follow")
      ->type_name("NAME");
  add_state_option(load, state);
  load.allow_extras();
  load.callback([&load, name, &state, &chosen] {
    if (!load.get_subcommands().empty()) return;
    if (name->empty()) throw CLI::RequiredError("A command, or the name of a load test of the stack");
    chosen = [&load, name, &state] { return run_declared(*name, load.remaining(), state); };
  });
}

}  // namespace securebase::cli
