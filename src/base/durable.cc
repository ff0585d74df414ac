#include "base/durable.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/descriptor.h"
#include "base/random.h"

namespace securebase::base {

Result<Done> write_all(int file, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(errno, "write", path.native());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Done{};
}

namespace {

// A directory whose names can be synced; nothing where it may not be read.
struct Directory {
  std::string path;
  Descriptor open;

  Result<Done> sync() const {
    if (open && ::fsync(open.number()) != 0) return system_error(errno, "fsync", path);
    return Done{};
  }
};

Result<Directory> open_directory(const std::filesystem::path& directory) {
  Directory made{directory.empty() ? "." : directory.native(), Descriptor()};
  made.open = Descriptor(::open(made.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!made.open && errno != EACCES) return system_error(errno, "open", made.path);
  return made;
}

}  // namespace

Result<Done> sync_directory(const std::filesystem::path& directory) {
  const auto open = open_directory(directory);
  return open ? open->sync() : Result<Done>(open.error());
}

Result<Done> remove_file(const std::filesystem::path& path) {
  // One that is gone already may be so by a call before this one whose sync failed.
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(errno, "remove", path.native());
  return sync_directory(path.parent_path());
}

namespace {

Result<Done> write_new(const std::string& path, unsigned mode,
                       const std::function<Result<Done>(const TakePiece&)>& write) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return system_error(errno, "create", path);
  auto written = write([&](std::string_view piece) { return write_all(file.number(), piece, path); });
  if (written && ::fchmod(file.number(), mode) != 0) written = system_error(errno, "chmod", path);
  if (written && ::fsync(file.number()) != 0) written = system_error(errno, "fsync", path);
  return written;
}

}  // namespace

Result<Done> replace_file_by_pieces(const std::filesystem::path& path,
                                    const std::function<Result<Done>(const TakePiece&)>& write, unsigned mode) {
  // Before anything is done: out of descriptors after the rename would be an error of what has happened.
  const auto directory = open_directory(path.parent_path());
  if (!directory) return directory.error().within("writing " + path.native());
  const std::string beside = path.native() + ".new-" + random_hex(8);
  auto written = write_new(beside, mode, write);
  if (written && ::rename(beside.c_str(), path.c_str()) != 0) written = system_error(errno, "rename to", path.native());
  if (!written) {
    ::unlink(beside.c_str());
    return written;
  }
  return directory->sync();
}

}  // namespace securebase::base
