// Bytes out of a bucket: small ones at once, the others a piece at a time, read on the pool.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "objects/shelf.h"

namespace securebase::objects {

namespace {

// What a call on the pool came to; `failure` is errno, which is the pool thread's own.
struct Got {
  ssize_t count = 0;
  int failure = 0;
};

Got read_at(int descriptor, char* into, std::size_t count, std::uint64_t at) {
  std::size_t done = 0;
  while (done < count) {
    const auto got = ::pread(descriptor, into + done, count - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {-1, errno};
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return {static_cast<ssize_t>(done), 0};
}

class FileBody final : public http::BodyReader {
 public:
  FileBody(int descriptor, Span span, net::Pool& pool)
      : descriptor_(descriptor), at_(span.first), left_(span.length), pool_(pool) {}
  ~FileBody() override { ::close(descriptor_); }

  net::Task<Result<std::string_view>> next() override {
    if (left_ == 0) co_return std::string_view();
    buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left_, kWholeBytes)));
    auto got = co_await pool_.run([this] { return read_at(descriptor_, buffer_.data(), buffer_.size(), at_); });
    if (!got) co_return got.error();
    if (got->count < 0) co_return system_error(got->failure, "read", "an object's bytes");
    at_ += static_cast<std::uint64_t>(got->count);
    left_ -= static_cast<std::uint64_t>(got->count);
    co_return std::string_view(buffer_.data(), static_cast<std::size_t>(got->count));
  }

 private:
  const int descriptor_;
  std::uint64_t at_;
  std::uint64_t left_;
  net::Pool& pool_;
  std::string buffer_;
};

// On the pool: the file, and if little is wanted, what is in it.
struct Opened {
  int descriptor = -1;
  std::string bytes;
  int failure = 0;
};

Opened open_file(const std::filesystem::path& path, Span span) {
  Opened opened;
  opened.descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened.descriptor < 0) {
    opened.failure = errno;
    return opened;
  }
  if (span.length > kWholeBytes) return opened;
  opened.bytes.resize(static_cast<std::size_t>(span.length));
  const auto got = read_at(opened.descriptor, opened.bytes.data(), opened.bytes.size(), span.first);
  opened.failure = got.failure;
  if (got.count >= 0) opened.bytes.resize(static_cast<std::size_t>(got.count));
  ::close(std::exchange(opened.descriptor, -1));
  return opened;
}

}  // namespace

net::Task<Result<Object>> Objects::get(std::string bucket, std::string key, Span span) {
  // An object that is replaced between the look and the opening is looked for again; one that is replaced all the time
  // is found in the end, since each turn begins with the newest.
  constexpr int kMostTurns = 100;
  for (int turn = 0;; ++turn) {
    const auto entry = impl_->find(bucket, key);
    if (!entry) co_return has_bucket(bucket) ? no_such_key(bucket, key) : no_such_bucket(bucket);
    Span within;
    within.first = std::min(span.first, entry->info->size);
    within.length = std::min(span.length, entry->info->size - within.first);
    const auto path = impl_->blob_path(bucket, entry->blob);
    auto opened = co_await impl_->pool.run([&path, within] { return open_file(path, within); });
    if (!opened) co_return opened.error();
    if (opened->failure == ENOENT && turn < kMostTurns) continue;
    if (opened->failure != 0) co_return system_error(opened->failure, "open", path.native());
    Object object;
    object.info = entry->info;
    if (opened->descriptor < 0) {
      object.body = http::Body(std::move(opened->bytes));
    } else {
      object.body = http::Body(std::make_unique<FileBody>(opened->descriptor, within, impl_->pool), within.length);
    }
    co_return object;
  }
}

}  // namespace securebase::objects
