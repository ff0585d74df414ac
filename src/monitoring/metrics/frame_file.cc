#include "monitoring/metrics/frame_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/file.h"
#include "monitoring/metrics/checksum.h"
#include "monitoring/metrics/varint.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kLongestFile = std::size_t{4} << 30;
constexpr std::size_t kFrameHead = 8;

}  // namespace

FrameFile::~FrameFile() {
  if (file_ >= 0) close(file_);
}

FrameFile::FrameFile(FrameFile&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), bytes_(other.bytes_) {}

FrameFile& FrameFile::operator=(FrameFile&& other) noexcept {
  if (this == &other) return *this;
  if (file_ >= 0) close(file_);
  path_ = std::move(other.path_);
  file_ = std::exchange(other.file_, -1);
  bytes_ = other.bytes_;
  return *this;
}

Result<FrameFile::Opened> FrameFile::open(const std::filesystem::path& path,
                                          const std::function<void(std::string_view)>& payload) {
  Opened opened;
  FrameFile& made = opened.file;
  made.path_ = path;
  made.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (made.file_ < 0) return system_error(errno, "open", path.native());
  const auto content = base::read_file(path, kLongestFile);
  if (!content) return content.error();
  Cursor in(*content);
  while (!in.at_end()) {
    const auto length = in.fixed<std::uint32_t>();
    const auto expected = in.fixed<std::uint32_t>();
    const auto bytes = in.bytes(length);
    if (in.bad() || checksum(bytes) != expected) break;
    payload(bytes);
    made.bytes_ += kFrameHead + length;
  }
  opened.cut_bytes = content->size() - made.bytes_;
  if (opened.cut_bytes > 0 && ftruncate(made.file_, static_cast<off_t>(made.bytes_)) != 0) {
    return system_error(errno, "ftruncate", path.native());
  }
  return opened;
}

std::string frame(std::string_view payload) {
  std::string bytes;
  bytes.reserve(kFrameHead + payload.size());
  put_fixed(bytes, static_cast<std::uint32_t>(payload.size()));
  put_fixed(bytes, checksum(payload));
  bytes += payload;
  return bytes;
}

Result<Done> FrameFile::append(std::string_view payload) {
  const std::string bytes = frame(payload);
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t put = write(file_, left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const int failure = errno;
      // Half a frame in the middle would hide all that follow it.
      if (ftruncate(file_, static_cast<off_t>(bytes_)) != 0) return system_error(errno, "ftruncate", path_.native());
      return system_error(failure, "write", path_.native());
    }
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  bytes_ += bytes.size();
  return Done{};
}

Result<Done> FrameFile::sync() {
  if (fdatasync(file_) != 0) return system_error(errno, "fdatasync", path_.native());
  return Done{};
}

}  // namespace securebase::monitoring
