// external: a program is asked by a JSON object of strings on its standard input, and answers with one on its standard
// output (registry.terraform.io/providers/hashicorp/external). It runs only where whoever starts the platform allows
// programs: all else that a stack can do is kept inside its directory, and this is not.
#include <fmt/format.h>

#include <algorithm>

#include "stack/builtin/builtin.h"
#include "stack/builtin/program.h"

namespace securebase::stack {

namespace {

constexpr std::size_t kMostShownBytes = 2000;  // of what a program says

std::string shown_text(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.size() > kMostShownBytes) text = text.substr(0, kMostShownBytes) + "...";
  return text;
}

// What the provider does with a member that is null is to leave it out.
std::optional<std::string> query_of(const Value& query) {
  auto json = base::Json::object();
  if (query.is_map()) {
    for (const auto& [name, value] : query.members()) {
      if (value.is_null()) continue;
      auto text = value.to_text();
      if (!text) return std::nullopt;
      json.set(name, std::move(*text));
    }
  }
  return json.dump();
}

std::optional<Value::Map> strings_of(const std::string& output, std::string& wrong) {
  const auto json = base::Json::parse(output);
  const auto* members = json ? json->as_object() : nullptr;
  if (!members) {
    wrong = json ? "it is no object" : json.error().message;
    return std::nullopt;
  }
  Value::Map made;
  for (const auto& [name, value] : *members) {
    const auto* text = value.as_string();
    if (!text) {
      wrong = fmt::format("the member {} is no string, and all must be", in_quotes(name));
      return std::nullopt;
    }
    made.insert_or_assign(name, *text);
  }
  return made;
}

}  // namespace

std::optional<Value::Map> external(const BuiltinCall& call) {
  const Body& body = call.resource.body;
  ProgramCall program;
  if (body["program"].is_sequence()) {
    for (const auto& word : body["program"].elements()) {
      if (!word.is_null()) program.command.push_back(word.to_text().value_or(""));
    }
  }
  if (program.command.empty() || program.command[0].empty()) {
    return call.fail("External Program Missing",
                     "\"program\" is a list whose first element is the program to run, and the others its arguments.");
  }
  if (!call.functions.programs) {
    return call.fail(
        "Program not allowed",
        fmt::format("Reading this stack would run \"{}\" with the rights of the platform. When you trust the stack, "
                    "--allow-programs allows it.",
                    program.command[0]));
  }
  auto query = query_of(body["query"]);
  if (!query) return call.fail("Invalid Query", "\"query\" is a map of strings.");
  program.input = std::move(*query);
  program.directory = call.functions.root / body["working_dir"].to_text().value_or("");
  if (call.functions.files) {
    // A script of the stack belongs to its files, and a change of it is a change of the stack.
    for (const auto& word : program.command) {
      std::error_code failure;
      const auto path = readable_path(call.functions, word);
      if (path && std::filesystem::is_regular_file(*path, failure)) call.functions.files->push_back(path->string());
    }
  }
  const auto ended = run_program(program);
  constexpr std::string_view kSummary = "External Program Execution Failed";
  if (!ended) return call.fail(std::string(kSummary), ended.error().message + ".");
  if (ended->status != 0) {
    const std::string said = shown_text(ended->complaints);
    return call.fail(std::string(kSummary),
                     fmt::format("\"{}\" ended with status {}{}", program.command[0], ended->status,
                                 said.empty() ? " and said nothing." : ":\n" + said));
  }
  std::string wrong;
  auto result = strings_of(ended->output, wrong);
  if (!result) {
    return call.fail("Unexpected External Program Results",
                     fmt::format("\"{}\" must answer with a JSON object of strings on its standard output: {}. It "
                                 "answered: {}",
                                 program.command[0], wrong, shown_text(ended->output)));
  }
  return Value::Map{{"id", "-"}, {"result", std::move(*result)}};
}

}  // namespace securebase::stack
