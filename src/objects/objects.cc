#include "objects/objects.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "objects/description.h"

namespace securebase::objects {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKeyBytes = 1024;                     // S3's own
constexpr std::size_t kWholeBytes = 256 << 10;                 // up to this an object is read at once
constexpr std::size_t kMaxObjectBytes = std::size_t{5} << 30;  // S3's limit of a single PutObject
constexpr std::size_t kDescriptionBytes = 64 << 10;

struct Entry {
  std::shared_ptr<const ObjectInfo> info;
  std::string blob;
};

using Index = std::map<std::string, Entry, std::less<>>;

// Reads a file on the pool, a piece at a time.
class FileBody final : public http::BodyReader {
 public:
  FileBody(int descriptor, net::Pool& pool) : descriptor_(descriptor), pool_(pool) {}
  ~FileBody() override { close(descriptor_); }

  net::Task<Result<std::string_view>> next() override {
    auto got = co_await pool_.run([this] { return read_piece(); });
    if (!got) co_return got.error();
    if (*got < 0) co_return system_error(errno_, "read", "an object's bytes");
    co_return std::string_view(buffer_.data(), static_cast<std::size_t>(*got));
  }

 private:
  ssize_t read_piece() {
    buffer_.resize(kWholeBytes);
    for (;;) {
      const ssize_t got = read(descriptor_, buffer_.data(), buffer_.size());
      if (got >= 0 || errno != EINTR) {
        errno_ = errno;
        return got;
      }
    }
  }

  const int descriptor_;
  net::Pool& pool_;
  std::string buffer_;
  int errno_ = 0;
};

Error no_such_bucket(std::string_view bucket) {
  return {Errc::kNotFound, fmt::format("the specified bucket does not exist: {}", bucket)};
}

Error no_such_key(std::string_view bucket, std::string_view key) {
  return {Errc::kNotFound, fmt::format("the specified key does not exist: {} in bucket {}", key, bucket)};
}

}  // namespace

struct Objects::Impl {
  // Constant after construction.
  const fs::path directory;
  net::Pool& pool;
  const base::Clock& clock;
  // One writer at a time goes to disk; readers look into the index only.
  std::mutex writing;
  // Guarded by `reading`.
  mutable std::shared_mutex reading;
  std::map<std::string, Index, std::less<>> buckets;

  fs::path blob_path(std::string_view bucket, std::string_view blob) const {
    return directory / bucket / "blobs" / blob;
  }
  fs::path description_path(std::string_view bucket, std::string_view key) const {
    const std::string name = base::hex(base::sha256(key));
    return directory / bucket / "objects" / name.substr(0, 2) / (name + ".json");
  }

  std::optional<Entry> find(std::string_view bucket, std::string_view key) const {
    const std::shared_lock lock(reading);
    const auto index = buckets.find(bucket);
    if (index == buckets.end()) return std::nullopt;
    const auto entry = index->second.find(key);
    if (entry == index->second.end()) return std::nullopt;
    return entry->second;
  }

  Result<Done> load_bucket(const std::string& name);
};

Result<Done> Objects::Impl::load_bucket(const std::string& name) {
  const fs::path folder = directory / name;
  auto descriptions = base::files_below(folder / "objects");
  auto blobs = base::files_below(folder / "blobs");
  if (!descriptions) return descriptions.error();
  if (!blobs) return blobs.error();
  std::set<std::string> unnamed;
  for (const auto& blob : *blobs) unnamed.insert(blob.native());

  Index index;
  for (const auto& file : *descriptions) {
    const fs::path path = folder / "objects" / file;
    if (file.extension() != ".json") {  // a replacement that a crash cut short
      fs::remove(path);
      continue;
    }
    auto text = base::read_file(path, kDescriptionBytes);
    if (!text) return text.error();
    auto description = description_from(*text);
    if (!description) return description.error().within(path.native());
    if (unnamed.erase(description->blob) == 0) {
      return Error{Errc::kIo, fmt::format("{} names the bytes {}, which are not there: the state directory was changed "
                                          "by hand; put the object again or remove this file",
                                          path.native(), description->blob)};
    }
    std::string key = description->info.key;
    index.emplace(std::move(key), Entry{std::make_shared<const ObjectInfo>(std::move(description->info)),
                                        std::move(description->blob)});
  }
  for (const auto& blob : unnamed) fs::remove(folder / "blobs" / blob);
  buckets.emplace(name, std::move(index));
  return Done{};
}

Objects::Objects(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Objects::~Objects() = default;

Result<std::unique_ptr<Objects>> Objects::open(fs::path directory, net::Pool& pool, const base::Clock& clock) {
  auto made = base::make_directory(directory, 0700);
  if (!made) return made.error().within("the objects' directory");
  std::unique_ptr<Impl> impl(new Impl{std::move(directory), pool, clock, {}, {}, {}});
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(impl->directory, failure)) {
    if (!entry.is_directory()) continue;
    auto loaded = impl->load_bucket(entry.path().filename().native());
    if (!loaded) return loaded.error().within("reading a bucket");
  }
  if (failure) return system_error(failure.value(), "list", impl->directory.native());
  return std::unique_ptr<Objects>(new Objects(std::move(impl)));
}

bool Objects::has_bucket(std::string_view bucket) const {
  const std::shared_lock lock(impl_->reading);
  return impl_->buckets.contains(bucket);
}

std::vector<std::string> Objects::buckets() const {
  const std::shared_lock lock(impl_->reading);
  std::vector<std::string> names;
  for (const auto& [name, index] : impl_->buckets) names.push_back(name);
  return names;
}

Result<Done> Objects::create_bucket(std::string_view bucket) {
  if (auto valid = check_bucket_name(bucket); !valid) return valid;
  const std::lock_guard lock(impl_->writing);
  if (has_bucket(bucket)) return Error{Errc::kConflict, fmt::format("bucket {} exists already", bucket)};
  for (const char* part : {"objects", "blobs"}) {
    auto made = base::make_directory(impl_->directory / bucket / part, 0700);
    if (!made) return made.error().within("making a bucket");
  }
  const std::lock_guard index(impl_->reading);
  impl_->buckets.emplace(std::string(bucket), Index{});
  return Done{};
}

Result<std::shared_ptr<const ObjectInfo>> Objects::head(std::string_view bucket, std::string_view key) const {
  const auto entry = impl_->find(bucket, key);
  if (entry) return entry->info;
  return has_bucket(bucket) ? no_such_key(bucket, key) : no_such_bucket(bucket);
}

net::Task<Result<Object>> Objects::get(std::string bucket, std::string key) {
  const auto entry = impl_->find(bucket, key);
  if (!entry) co_return has_bucket(bucket) ? no_such_key(bucket, key) : no_such_bucket(bucket);
  const fs::path path = impl_->blob_path(bucket, entry->blob);
  if (entry->info->size <= kWholeBytes) {
    auto bytes = co_await impl_->pool.run([&path] { return base::read_file(path, kWholeBytes); });
    if (!bytes) co_return bytes.error();
    if (!*bytes) co_return bytes->error();
    co_return Object{entry->info, http::Body(std::move(**bytes))};
  }
  auto descriptor = co_await impl_->pool.run([&path] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (!descriptor) co_return descriptor.error();
  if (*descriptor < 0) co_return system_error(errno, "open", path.native());
  co_return Object{entry->info, http::Body(std::make_unique<FileBody>(*descriptor, impl_->pool), entry->info->size)};
}

std::vector<std::shared_ptr<const ObjectInfo>> Objects::list(std::string_view bucket, std::string_view prefix,
                                                             std::string_view after, std::size_t limit) const {
  std::vector<std::shared_ptr<const ObjectInfo>> found;
  const std::shared_lock lock(impl_->reading);
  const auto index = impl_->buckets.find(bucket);
  if (index == impl_->buckets.end()) return found;
  auto at = after < prefix ? index->second.lower_bound(prefix) : index->second.upper_bound(after);
  for (; at != index->second.end() && at->first.starts_with(prefix) && found.size() < limit; ++at) {
    found.push_back(at->second.info);
  }
  return found;
}

Result<std::shared_ptr<const ObjectInfo>> Objects::put(std::string_view bucket, std::string_view key,
                                                       std::string_view bytes, Attributes attributes) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return Error{Errc::kMalformed, fmt::format("a key has 1 to {} bytes, this one {}", kMaxKeyBytes, key.size())};
  }
  if (bytes.size() > kMaxObjectBytes) {
    return Error{Errc::kLimit,
                 fmt::format("an object of {} bytes, at most {} are taken at once", bytes.size(), kMaxObjectBytes)};
  }
  const std::lock_guard lock(impl_->writing);
  if (!has_bucket(bucket)) return no_such_bucket(bucket);

  Description made;
  made.blob = base::random_hex(32);
  made.info = ObjectInfo{std::string(key), bytes.size(), '"' + base::hex(base::md5(bytes)) + '"', impl_->clock.now(),
                         std::move(attributes)};
  const fs::path description = impl_->description_path(bucket, key);
  auto written = base::replace_file(impl_->blob_path(bucket, made.blob), bytes, 0600);
  if (written) written = base::make_directory(description.parent_path(), 0700);
  if (written) written = base::replace_file(description, to_text(made), 0600);
  if (!written) {
    fs::path blob = impl_->blob_path(bucket, made.blob);
    ::unlink(blob.c_str());
    return written.error().within(fmt::format("putting {} into bucket {}", key, bucket));
  }

  auto info = std::make_shared<const ObjectInfo>(std::move(made.info));
  std::string old_blob;
  {
    const std::lock_guard index(impl_->reading);
    auto& entry = impl_->buckets.find(bucket)->second[std::string(key)];
    old_blob = std::exchange(entry.blob, std::move(made.blob));
    entry.info = info;
  }
  // Readers that opened the old bytes keep them until they close the file.
  if (!old_blob.empty()) ::unlink(impl_->blob_path(bucket, old_blob).c_str());
  return info;
}

Result<Done> Objects::remove(std::string_view bucket, std::string_view key) {
  const std::lock_guard lock(impl_->writing);
  if (!has_bucket(bucket)) return no_such_bucket(bucket);
  const auto entry = impl_->find(bucket, key);
  if (!entry) return Done{};
  const fs::path description = impl_->description_path(bucket, key);
  if (::unlink(description.c_str()) != 0 && errno != ENOENT) return system_error(errno, "unlink", description.native());
  ::unlink(impl_->blob_path(bucket, entry->blob).c_str());
  const std::lock_guard index(impl_->reading);
  auto& keys = impl_->buckets.find(bucket)->second;
  keys.erase(keys.find(key));
  return Done{};
}

Result<std::vector<Objects::Changed>> Objects::apply(const Config& config) {
  for (const auto& bucket : config.buckets) {
    if (has_bucket(bucket.name)) continue;
    auto made = create_bucket(bucket.name);
    if (!made) return made.error();
  }
  std::vector<Changed> changed;
  for (const auto& upload : config.uploads) {
    std::string from_file;
    if (!upload.source.empty()) {
      auto read = base::read_file(upload.source, kMaxObjectBytes);
      if (!read) return read.error().within(upload.address);
      from_file = std::move(*read);
    }
    const std::string_view bytes = upload.source.empty() ? std::string_view(upload.content) : from_file;
    const auto entry = impl_->find(upload.bucket, upload.key);
    const bool same = entry && entry->info->attributes == upload.attributes &&
                      entry->info->etag == '"' + base::hex(base::md5(bytes)) + '"';
    if (same) continue;
    auto put_there = put(upload.bucket, upload.key, bytes, upload.attributes);
    if (!put_there) return put_there.error().within(upload.address);
    changed.push_back({upload.bucket, upload.key});
  }
  return changed;
}

}  // namespace securebase::objects
