// What `up` says to type in another shell. It must work there as it stands: the shell may know neither where this
// program is nor which state directory it was started on.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kProgramName = "securebase";

// The name where the PATH leads to this very file, else its whole path.
std::string this_program() {
  std::error_code failure;
  const auto self = fs::read_symlink("/proc/self/exe", failure);
  if (failure) return std::string(kProgramName);
  const char* const path = std::getenv("PATH");
  std::string_view rest = path ? path : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    // The first that is found is the one that the shell would run.
    const auto found = fs::path(rest.substr(0, end)) / kProgramName;
    if (fs::exists(found, failure))
      return fs::equivalent(found, self, failure) ? std::string(kProgramName) : self.native();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return self.native();
}

}  // namespace

std::string command_for_credentials(const fs::path& state) {
  std::error_code failure;
  const auto whole = fs::weakly_canonical(state, failure);
  const bool usual = whole == fs::weakly_canonical(platform::default_state_directory(), failure);
  return fmt::format("eval \"$({} env{})\"", shell_word(this_program()),
                     usual && !std::getenv("SECUREBASE_STATE") ? "" : " --state " + shell_word(whole.native()));
}

}  // namespace securebase::cli
