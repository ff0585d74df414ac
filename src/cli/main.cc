#include <filesystem>

#include "cli/aws_program.h"
#include "cli/commands.h"
#include "platform/platform.h"

int main(int argc, char** argv) {
  if (const auto code = securebase::platform::helper_main(argc, argv)) return *code;
  // A link of that name, from the directory that `securebase env` puts in front of the PATH.
  if (argc > 0 && std::filesystem::path(argv[0]).filename() == "aws") return securebase::cli::aws_main(argc, argv);
  return securebase::cli::run(argc, argv);
}
