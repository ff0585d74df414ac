#include <filesystem>
#include <vector>

#include "cli/aws_program.h"
#include "cli/commands.h"
#include "platform/platform.h"

namespace {
char name_of_artillery[] = "artillery";
}

int main(int argc, char** argv) {
  if (const auto code = securebase::platform::helper_main(argc, argv)) return *code;
  // A link of that name, from the directory that `securebase env` puts in front of the PATH.
  if (argc > 0 && std::filesystem::path(argv[0]).filename() == "aws") return securebase::cli::aws_main(argc, argv);
  if (argc > 0 && std::filesystem::path(argv[0]).filename() == "artillery") {
    std::vector<char*> words = {argv[0], name_of_artillery};
    words.insert(words.end(), argv + 1, argv + argc);
    words.push_back(nullptr);
    return securebase::cli::run(argc + 1, words.data());
  }
  return securebase::cli::run(argc, argv);
}
