#include "cli/load_declared.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

using base::Json;

// Members that are no options, and options that no stack has a say in.
constexpr std::array<std::string_view, 3> kOwnMembers{"kind", "url", "description"};
constexpr std::array<std::string_view, 4> kNotDeclared{"state", "help", "token-file", "target-pid"};

Result<Json> declared_scenarios(const std::filesystem::path& state) {
  auto answer = platform::Control(state).ask("/load/runs", Json::object({{"what", "scenarios"}}));
  if (!answer) return answer.error();
  auto scenarios = (*answer)["scenarios"];
  if (!scenarios.as_object()) {
    return Error{Errc::kMalformed, "the stack's output securebase_load is a map of load tests by their names"};
  }
  return scenarios;
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
  auto scenarios = declared_scenarios(state);
  if (!scenarios) return fail(scenarios.error());
  if (as_json) {
    fmt::print("{}\n", scenarios->dump(2));
    return kDone;
  }
  Table table({"NAME", "KIND", "URL", "SETTINGS", "DESCRIPTION"});
  for (const auto& [name, scenario] : *scenarios->as_object()) {
    if (!scenario.as_object()) continue;
    table.add({{name, Style::kBold},
               {std::string(scenario["kind"].string_or("run")), Style::kPlain},
               {std::string(scenario["url"].string_or("/api/v1/health")), Style::kPlain},
               {settings_text(scenario), Style::kPlain},
               {std::string(scenario["description"].string_or("")), Style::kDim}});
  }
  fmt::print("{}", table.text());
  return kDone;
}

// As `securebase load KIND NAME ...` would.
int run_declared(const std::string& name, const std::vector<std::string>& more, const std::filesystem::path& state) {
  auto scenarios = declared_scenarios(state);
  if (!scenarios) return fail(scenarios.error().within(fmt::format("\"{}\" is no command, and as a load test", name)));
  std::vector<std::string> words{"securebase", "load",    std::string((*scenarios)[name]["kind"].string_or("run")),
                                 name,         "--state", state.native()};
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  return run(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

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
    auto scenarios = declared_scenarios(state);
    if (!scenarios) return scenarios.error().within(fmt::format("\"{}\" is no URL, and as a name", name));
    if (auto applied = apply_declared(command, *scenarios, name, kind, word); !applied) return applied.error();
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
