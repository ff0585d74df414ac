#include "platform/state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/file.h"
#include "platform/platform.h"

namespace securebase::platform {

namespace fs = std::filesystem;

fs::path default_state_directory() {
  // `securebase env` exports it: commands in that shell are about that platform.
  if (const char* state = std::getenv("SECUREBASE_STATE"); state && *state == '/') return state;
  if (geteuid() == 0) return "/var/lib/securebase";
  if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state == '/') return fs::path(state) / "securebase";
  if (const char* home = std::getenv("HOME"); home && *home == '/') return fs::path(home) / ".local/state/securebase";
  return fs::temp_directory_path() / fmt::format("securebase-{}", geteuid());
}

namespace {

// What one user has started another cannot go on with: what root makes in between would lock the first one out.
Result<Done> check_owner(const fs::path& file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0 || found.st_uid == geteuid()) return Done{};
  std::vector<char> buffer(16 << 10);
  passwd entry{};
  passwd* user = nullptr;
  getpwuid_r(found.st_uid, &entry, buffer.data(), buffer.size(), &user);
  return Error{Errc::kDenied, fmt::format("the state directory is user {}'s: start the platform as that user, or "
                                          "choose another with --state",
                                          user ? std::string(user->pw_name) : std::to_string(found.st_uid))};
}

}  // namespace

Result<State> State::open(fs::path directory) {
  directory = fs::absolute(directory).lexically_normal();
  // Unprivileged children of a platform that runs as root have to pass through to the folders that are theirs.
  const unsigned mode = geteuid() == 0 ? 0755 : 0700;
  auto made = base::make_directory(directory, mode);
  if (!made) return made.error().within("the state directory cannot be made (choose another with --state)");
  if (access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return system_error(errno, "access", directory.native())
        .within("the state directory has to be readable and writable (or choose another with --state)");
  }
  const fs::path file = directory / "lock";
  if (auto own = check_owner(file); !own) return own.error().within(directory.native());
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return system_error(errno, "open", file.native());
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    auto owner = base::read_file(file, 64);
    close(lock);
    return Error{Errc::kConflict,
                 fmt::format("another platform runs on {}{}; stop it, or choose another directory with --state",
                             directory.native(), owner && !owner->empty() ? " (process " + *owner + ")" : "")};
  }
  const std::string id = std::to_string(getpid());
  if (ftruncate(lock, 0) != 0 || pwrite(lock, id.data(), id.size(), 0) < 0) {
    const int failure = errno;
    close(lock);
    return system_error(failure, "write", file.native());
  }
  return State(std::move(directory), lock);
}

State::State(State&& other) noexcept : directory_(std::move(other.directory_)), lock_(std::exchange(other.lock_, -1)) {}

State::~State() {
  if (lock_ < 0) return;
  if (ftruncate(lock_, 0) != 0) {
    // The lock itself ends with the descriptor; the number in the file is for messages only.
  }
  close(lock_);
}

}  // namespace securebase::platform
