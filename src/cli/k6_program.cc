#include "cli/k6_program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "cli/commands.h"
#include "cli/terminal.h"

namespace securebase::cli {

int k6_main(int argc, char** argv) {
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const auto program = self.parent_path() / "securebase-k6";
  std::vector<char*> words{argv, argv + argc};
  words.push_back(nullptr);
  execv(program.c_str(), words.data());
  if (errno == ENOENT) {
    return fail(Error{Errc::kNotFound, fmt::format("{} is not there: expected it beside {}; build it with `make build`",
                                                   program.native(), self.native())});
  }
  return fail(system_error(errno, "execute", program.native()));
}

}  // namespace securebase::cli
