#include "monitoring/metrics/frame_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/descriptor.h"
#include "base/file.h"
#include "monitoring/metrics/checksum.h"
#include "monitoring/metrics/varint.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kLongestFile = std::size_t{4} << 30;
constexpr std::size_t kFrameHead = 8;

}  // namespace

Result<FrameFile::Opened> FrameFile::open(const std::filesystem::path& path,
                                          const std::function<void(std::string_view)>& payload) {
  Opened opened;
  FrameFile& made = opened.file;
  made.path_ = path;
  made.file_ = base::Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!made.file_) return system_error(errno, "open", path.native());
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
  if (opened.cut_bytes > 0 && ftruncate(made.file_.number(), static_cast<off_t>(made.bytes_)) != 0) {
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

// Half a frame in the middle would hide all that follow it, so nothing is written behind one.
Result<Done> FrameFile::cut_half_frame() {
  if (half_frame_ && ftruncate(file_.number(), static_cast<off_t>(bytes_)) != 0) {
    return system_error(errno, "ftruncate", path_.native());
  }
  half_frame_ = false;
  return Done{};
}

Result<Done> FrameFile::append(std::string_view payload) {
  if (auto cut = cut_half_frame(); !cut) return cut;
  const std::string bytes = frame(payload);
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t put = write(file_.number(), left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const int failure = errno;
      half_frame_ = true;
      if (auto cut = cut_half_frame(); !cut) return cut;
      return system_error(failure, "write", path_.native());
    }
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  bytes_ += bytes.size();
  return Done{};
}

Result<Done> FrameFile::sync() {
  if (fdatasync(file_.number()) != 0) return system_error(errno, "fdatasync", path_.native());
  return Done{};
}

}  // namespace securebase::monitoring
