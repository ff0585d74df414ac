#include "logs/store/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace securebase::logs {

Result<Done> write_fully(int file, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "write", path.native());
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Done{};
}

Result<Done> sync_directory(const std::filesystem::path& directory) {
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return system_error(errno, "open", directory.native());
  const int failed = fsync(file) != 0 ? errno : 0;
  ::close(file);
  if (failed != 0) return system_error(failed, "fsync", directory.native());
  return Done{};
}

}  // namespace securebase::logs
