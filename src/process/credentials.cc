// Whom children run as, and the directories and files that are theirs.
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/file.h"
#include "process/process.h"

namespace securebase::process {

namespace {

// A supplementary group does not count, since children have none.
bool may_pass(const struct stat& directory, const Credentials& who) {
  if (who.user == 0) return true;
  if (directory.st_uid == who.user) return (directory.st_mode & S_IXUSR) != 0;
  if (directory.st_gid == who.group) return (directory.st_mode & S_IXGRP) != 0;
  return (directory.st_mode & S_IXOTH) != 0;
}

Result<Done> own(const std::filesystem::path& path, const Credentials& owner, unsigned mode) {
  if (geteuid() == 0 && lchown(path.c_str(), owner.user, owner.group) != 0) {
    return system_error(errno, "chown", path.native());
  }
  if (chmod(path.c_str(), mode) != 0) return system_error(errno, "chmod", path.native());
  return Done{};
}

}  // namespace

Result<Credentials> unprivileged(const std::string& user_name) {
  std::vector<char> buffer(16 << 10);
  passwd entry{};
  passwd* found = nullptr;
  if (geteuid() != 0) {
    getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
    return Credentials{geteuid(), getegid(), found != nullptr ? found->pw_name : std::to_string(geteuid())};
  }
  getpwnam_r(user_name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return Error{Errc::kNotFound,
                 fmt::format("there is no user {}: make one (useradd --system {}) or choose another by the setting",
                             user_name, user_name)};
  }
  if (found->pw_uid == 0) {
    return Error{Errc::kDenied,
                 fmt::format("user {} is root, and servers do not run as root: choose another", user_name)};
  }
  return Credentials{found->pw_uid, found->pw_gid, user_name};
}

Result<Done> private_directory(const std::filesystem::path& path, const Credentials& owner, unsigned mode) {
  if (auto made = base::make_directory(path, mode); !made) return made;
  std::filesystem::path above = "/";
  for (const auto& step : std::filesystem::absolute(path).parent_path().relative_path()) {
    above /= step;
    struct stat found {};
    if (stat(above.c_str(), &found) != 0) return system_error(errno, "stat", above.native());
    if (!may_pass(found, owner)) {
      return Error{Errc::kDenied,
                   fmt::format("user {} cannot reach {}: {} has mode {:o}; let others pass it (chmod o+x {}) or choose "
                               "a state directory elsewhere",
                               owner.name, path.native(), above.native(), found.st_mode & 07777, above.native())};
    }
  }
  return own(path, owner, mode);
}

Result<Done> private_file(const std::filesystem::path& path, std::string_view bytes, const Credentials& owner,
                          unsigned mode) {
  if (auto written = base::replace_file(path, bytes, 0600); !written) return written;
  return own(path, owner, mode);
}

}  // namespace securebase::process
