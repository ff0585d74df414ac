// plan and apply.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

base::Json to_question(const platform::StackSource& source) {
  auto variables = base::Json::array();
  for (const auto& [name, value] : source.variables) variables.push_back(base::Json::array({name, value}));
  auto files = base::Json::array();
  for (const auto& file : source.variable_files) files.push_back(std::filesystem::absolute(file).native());
  auto roots = base::Json::array();
  for (const auto& root : source.file_roots) roots.push_back(std::filesystem::absolute(root).native());
  return base::Json::object({{"directory", std::filesystem::absolute(source.directory).lexically_normal().native()},
                             {"variables", variables},
                             {"variable_files", files},
                             {"file_roots", roots}});
}

bool approved() {
  if (isatty(0) != 1) {
    fmt::print(stderr, "error: nobody is here to approve the changes; say --auto-approve\n");
    return false;
  }
  fmt::print("\nApply these changes? Only \"yes\" is taken: ");
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

}  // namespace

int plan(const PlanOptions& options) {
  auto made = platform::plan(options.source, options.state);
  if (!made) return fail(made.error());
  fmt::print("{}", made->text);
  return options.detailed_exitcode && made->changes ? kChanges : kDone;
}

int apply(const ApplyOptions& options) {
  const platform::Control control(options.state);
  auto question = to_question(options.source);
  auto planned = control.ask("/plan", question);
  if (!planned) return fail(planned.error());
  fmt::print("{}", (*planned)["text"].string_or(""));
  if (!(*planned)["changes"].bool_or(false)) return kDone;
  if (!options.auto_approve && !approved()) return kFailed;
  // What is applied is what was shown, or nothing.
  question.set("fingerprint", (*planned)["fingerprint"]);
  auto applied = control.ask("/apply", question);
  if (!applied) return fail(applied.error());
  fmt::print("\n{}\n", (*applied)["text"].string_or(""));
  return kDone;
}

}  // namespace securebase::cli
