#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/descriptor.h"
#include "base/durable.h"

namespace securebase::base {

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error(errno, "open", path.native());
  std::string bytes;
  char buffer[64 << 10];
  for (;;) {
    const ssize_t got = read(file.number(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read", path.native());
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
    if (bytes.size() > limit_bytes) {
      return Error{Errc::kLimit, fmt::format("{} is larger than {} bytes", path.native(), limit_bytes)};
    }
  }
}

Result<Done> replace_file(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
  return replace_file_by_pieces(
      path, [bytes](const TakePiece& take) { return take(bytes); }, mode);
}

Result<Done> make_directory(const std::filesystem::path& path, unsigned mode) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return Done{};
  if (path.has_parent_path() && path.parent_path() != path) {
    if (auto made = make_directory(path.parent_path(), 0755); !made) return made;
  }
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return system_error(errno, "mkdir", path.native());
  if (!std::filesystem::is_directory(path, failure)) return system_error(ENOTDIR, "mkdir", path.native());
  return Done{};
}

Result<std::vector<std::filesystem::path>> files_below(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  std::filesystem::recursive_directory_iterator entries(directory, failure);
  for (; !failure && entries != std::filesystem::recursive_directory_iterator{}; entries.increment(failure)) {
    if (entries->is_regular_file() && !entries->is_symlink()) {
      files.push_back(entries->path().lexically_relative(directory));
    }
  }
  if (failure) return system_error(failure.value(), "list", directory.native());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace securebase::base
