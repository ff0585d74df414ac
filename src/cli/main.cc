#include <filesystem>
#include <string_view>
#include <vector>

#include "cli/aws_program.h"
#include "cli/commands.h"
#include "cli/k6_program.h"
#include "cli/script_words.h"
#include "platform/platform.h"

namespace {

char name_of_artillery[] = "artillery";
char name_of_k6[] = "k6";

// `securebase load run FILE ...`
int run_script(securebase::cli::Script script, int argc, char** argv) {
  using namespace securebase::cli;
  // Their words are the tools', from `run` on.
  if (script == Script::kK6) {
    argv[1] = name_of_k6;
    return k6_main(argc - 1, argv + 1);
  }
  argv[1] = name_of_artillery;
  return run(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace securebase::cli;
  if (const auto code = securebase::platform::helper_main(argc, argv)) return *code;
  // Links of these names are in the directory that `securebase env` puts in front of the PATH.
  const auto called = argc > 0 ? std::filesystem::path(argv[0]).filename() : std::filesystem::path();
  if (called == "aws") return aws_main(argc, argv);
  if (called == "k6") return k6_main(argc, argv);
  if (called == "artillery") {
    std::vector<char*> words = {argv[0], name_of_artillery};
    words.insert(words.end(), argv + 1, argv + argc);
    words.push_back(nullptr);
    return run(argc + 1, words.data());
  }
  // Its words are k6's, not ours: they are not parsed here.
  if (argc > 1 && std::string_view(argv[1]) == "k6") return k6_main(argc - 1, argv + 1);
  if (argc > 3 && std::string_view(argv[1]) == "load" && std::string_view(argv[2]) == "run") {
    const auto script = script_among({argv + 3, argv + argc});
    if (script != Script::kNone) return run_script(script, argc, argv);
  }
  return run(argc, argv);
}
