#include "cli/commands.h"
#include "platform/platform.h"

int main(int argc, char** argv) {
  if (const auto code = securebase::platform::helper_main(argc, argv)) return *code;
  return securebase::cli::run(argc, argv);
}
