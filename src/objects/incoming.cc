#include "objects/incoming.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/durable.h"
#include "base/encoding.h"

namespace securebase::objects {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kCopiedAtOnce = 1 << 20;

}  // namespace

Result<std::unique_ptr<Incoming>> Incoming::create(fs::path path, std::string_view checksum_algorithm) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return system_error(errno, "create", path.native());
  std::unique_ptr<Incoming> made(new Incoming(std::move(path), descriptor));
  if (!checksum_algorithm.empty()) {
    made->checksum_digest_ = Digest::make(checksum_algorithm);
    if (!made->checksum_digest_) {
      return Error{Errc::kUnsupported, "the checksum " + std::string(checksum_algorithm) + " is not to be had here"};
    }
    made->checksum_.algorithm = checksum_algorithm;
  }
  return made;
}

Incoming::~Incoming() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

Error Incoming::failure(const char* call) const { return system_error(errno, call, path_.native()); }

Result<Done> Incoming::append(std::string_view bytes) {
  if (digested_) {
    md5_digest_->update(bytes);
    if (checksum_digest_) checksum_digest_->update(bytes);
  }
  size_ += bytes.size();
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Done{};
}

Result<Done> Incoming::append_file(const fs::path& source, Span span) {
  const int from = ::open(source.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) return system_error(errno, "open", source.native());
  struct Closing {
    int descriptor;
    ~Closing() { ::close(descriptor); }
  } closing{from};
  auto at = static_cast<off_t>(span.first);
  std::uint64_t left = span.length;
  while (left > 0 && !digested_) {
    const auto copied = ::copy_file_range(from, &at, descriptor_, nullptr, std::min<std::uint64_t>(left, 1U << 30), 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0) break;  // a file system that cannot: as below
    if (copied == 0) return Done{};
    left -= static_cast<std::uint64_t>(copied);
    size_ += static_cast<std::uint64_t>(copied);
  }
  std::vector<char> buffer(kCopiedAtOnce);
  while (left > 0) {
    const auto got = ::pread(from, buffer.data(), std::min<std::uint64_t>(left, buffer.size()), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read", source.native());
    if (got == 0) return Done{};
    if (auto done = append({buffer.data(), static_cast<std::size_t>(got)}); !done) return done;
    at += got;
    left -= static_cast<std::uint64_t>(got);
  }
  return Done{};
}

Result<Done> Incoming::finish() {
  if (descriptor_ < 0) return Done{};
  if (::fsync(descriptor_) != 0) return failure("fsync");
  ::close(std::exchange(descriptor_, -1));
  md5_ = md5_digest_->finish();
  if (checksum_digest_) checksum_.value = base::base64(checksum_digest_->finish());
  return base::sync_directory(path_.parent_path());
}

}  // namespace securebase::objects
