#include "objects/objects.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/durable.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "objects/description.h"
#include "objects/shelf.h"

namespace securebase::objects {

namespace fs = std::filesystem;

namespace {

// What is going: a directory of that name is removed, also after a crash. No bucket and no upload is called so.
constexpr std::string_view kGoing = ".going-";

std::string etag_of(std::string_view md5) { return '"' + base::hex(md5) + '"'; }

bool declares(const Config& config, std::string_view bucket) {
  return std::any_of(config.buckets.begin(), config.buckets.end(),
                     [bucket](const Config::Bucket& one) { return one.name == bucket; });
}

// Older buckets have no bucket.json: what the file system knows.
Bucket bucket_of_directory(const fs::path& folder, std::string name) {
  Bucket made{std::move(name), "", {}, false, false};
  struct stat about {};
  if (::stat(folder.c_str(), &about) == 0) {
    made.created = base::TimePoint{std::chrono::seconds{about.st_ctim.tv_sec}};
  }
  return made;
}

}  // namespace

Error no_such_bucket(std::string_view bucket) {
  return {Errc::kNotFound, fmt::format("the specified bucket does not exist: {}", bucket)};
}

Error no_such_key(std::string_view bucket, std::string_view key) {
  return {Errc::kNotFound, fmt::format("the specified key does not exist: {} in bucket {}", key, bucket)};
}

Result<Done> check_key(std::string_view key) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return Error{Errc::kMalformed, fmt::format("a key has 1 to {} bytes, this one {}", kMaxKeyBytes, key.size())};
  }
  // A description says it in JSON, and has to give it back.
  std::string said;
  base::append_json_string(said, key);
  const auto again = base::Json::parse(said);
  if (again && again->string_or("") == key) return Done{};
  return Error{Errc::kMalformed, "a key is UTF-8, and this one is not"};
}

// ---- The inside

fs::path Objects::Impl::description_path(std::string_view bucket, std::string_view key) const {
  const std::string name = base::hex(base::sha256(key));
  return directory / bucket / "objects" / name.substr(0, 2) / (name + ".json");
}

std::vector<Objects::Changed> Objects::Impl::declared_but(
    const std::set<std::pair<std::string, std::string>>& kept) const {
  const std::shared_lock lock(reading);
  std::vector<Changed> found;
  for (const auto& [bucket, shelf] : shelves) {
    for (const auto& [key, entry] : shelf.objects) {
      if (entry.info->attributes.from_stack && !kept.contains({bucket, key})) found.push_back({bucket, key});
    }
  }
  return found;
}

bool Objects::Impl::has(std::string_view bucket) const {
  const std::shared_lock lock(reading);
  return shelves.contains(bucket);
}

std::optional<Entry> Objects::Impl::find(std::string_view bucket, std::string_view key) const {
  const std::shared_lock lock(reading);
  const auto shelf = shelves.find(bucket);
  if (shelf == shelves.end()) return std::nullopt;
  const auto entry = shelf->second.objects.find(key);
  if (entry == shelf->second.objects.end()) return std::nullopt;
  return entry->second;
}

Result<std::shared_ptr<const ObjectInfo>> Objects::Impl::name(std::string_view bucket, ObjectInfo info,
                                                              std::string blob, const Conditions& conditions,
                                                              std::string_view completed) {
  // The bucket may have gone while the bytes came, and another one of its name may be there: without them.
  std::error_code failure;
  if (!has(bucket) || !fs::exists(blob_path(bucket, blob), failure)) return no_such_bucket(bucket);
  const auto there = find(bucket, info.key);
  if (conditions.absent && there) {
    return Error{Errc::kConflict, fmt::format("{} is in bucket {} already", info.key, bucket)};
  }
  if (!conditions.has_etag.empty() && (!there || there->info->etag != conditions.has_etag)) {
    return Error{Errc::kConflict,
                 fmt::format("{} in bucket {} is not {} (any more)", info.key, bucket, conditions.has_etag)};
  }
  const fs::path description = description_path(bucket, info.key);
  const Description made{std::move(info), std::move(blob), std::string(completed)};
  const auto folder = description.parent_path();
  const bool new_folder = !fs::is_directory(folder, failure);
  auto written = base::make_directory(folder, 0700);
  if (written && new_folder) written = base::sync_directory(folder.parent_path());
  if (written) written = base::replace_file(description, to_text(made), 0600);
  if (!written) return written.error().within(fmt::format("putting {} into bucket {}", made.info.key, bucket));

  auto shared = std::make_shared<const ObjectInfo>(made.info);
  std::string old_blob;
  {
    const std::lock_guard lock(reading);
    auto& entry = shelves.find(bucket)->second.objects[made.info.key];
    old_blob = std::exchange(entry.blob, made.blob);
    entry.info = shared;
  }
  // Readers that opened the old bytes keep them until they close the file.
  if (!old_blob.empty() && old_blob != made.blob) ::unlink(blob_path(bucket, old_blob).c_str());
  return shared;
}

Result<Done> Objects::Impl::load_bucket(const std::string& name) {
  const fs::path folder = directory / name;
  Shelf shelf;
  shelf.info = bucket_of_directory(folder, name);
  if (auto text = base::read_file(folder / "bucket.json", kDescriptionBytes)) {
    auto read = bucket_from(*text, name);
    if (!read) return read.error().within((folder / "bucket.json").native());
    shelf.info = std::move(*read);
  }
  auto descriptions = base::files_below(folder / "objects");
  auto blobs = base::files_below(folder / "blobs");
  if (!descriptions) return descriptions.error();
  if (!blobs) return blobs.error();
  std::set<std::string> unnamed;
  for (const auto& blob : *blobs) unnamed.insert(blob.native());

  std::map<std::string, std::string> completed;  // upload -> key
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
    if (!description->upload.empty()) completed.emplace(description->upload, key);
    shelf.objects.emplace(std::move(key), Entry{std::make_shared<const ObjectInfo>(std::move(description->info)),
                                                std::move(description->blob)});
  }
  for (const auto& blob : unnamed) fs::remove(folder / "blobs" / blob);
  if (auto done = load_uploads(shelf, completed); !done) return done;
  shelves.emplace(name, std::move(shelf));
  return Done{};
}

// ---- Buckets

std::size_t Objects::Impl::beside_the_stack(const Shelf& shelf) {
  return static_cast<std::size_t>(std::count_if(shelf.objects.begin(), shelf.objects.end(), [](const auto& one) {
    return !one.second.info->attributes.from_stack;
  }));
}

Result<Done> Objects::Impl::describe(Bucket bucket) {
  auto written = base::replace_file(directory / bucket.name / "bucket.json", to_text(bucket), 0600);
  if (!written) return written.error().within("the bucket " + bucket.name);
  const std::lock_guard index(reading);
  auto& kept = shelves.find(bucket.name)->second.info;
  kept = std::move(bucket);
  return Done{};
}

Result<fs::path> Objects::Impl::take_away(std::string_view bucket) {
  const fs::path folder = directory / bucket;
  fs::path going = directory / (std::string(kGoing) + base::random_hex(16));
  if (::rename(folder.c_str(), going.c_str()) != 0) return system_error(errno, "rename", folder.native());
  if (auto synced = base::sync_directory(directory); !synced) return synced.error();
  const std::lock_guard index(reading);
  shelves.erase(shelves.find(bucket));
  return going;
}

Result<Done> Objects::Impl::let_go(const std::string& bucket, Occasion occasion) {
  fs::path going;
  {
    const std::lock_guard lock(writing);
    const Shelf* shelf = nullptr;
    {
      const std::shared_lock index(reading);
      shelf = &shelves.find(bucket)->second;
    }
    Bucket info = shelf->info;
    const bool forced = info.force_destroy && occasion == Occasion::kApply;
    if (!forced && !shelf->objects.empty()) {
      base::log(base::Level::kWarning, "objects",
                "the bucket {} is not in the files any more and stays, for it holds {} objects beside the stack's: "
                "`aws s3 rb --force s3://{}` removes it",
                bucket, shelf->objects.size(), bucket);
      info.from_stack = false;
      return describe(std::move(info));
    }
    auto taken = take_away(bucket);
    if (!taken) return taken.error();
    going = std::move(*taken);
  }
  std::error_code left_for_the_next_start;
  fs::remove_all(going, left_for_the_next_start);
  return Done{};
}

Objects::Objects(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Objects::~Objects() = default;

Result<std::unique_ptr<Objects>> Objects::open(fs::path directory, net::Pool& pool, const base::Clock& clock) {
  auto made = base::make_directory(directory, 0700);
  if (!made) return made.error().within("the objects' directory");
  std::unique_ptr<Impl> impl(new Impl{std::move(directory), pool, clock, {}, {}, {}});
  std::error_code failure;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(impl->directory, failure)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  if (failure) return system_error(failure.value(), "list", impl->directory.native());
  for (const auto& folder : folders) {
    if (folder.filename().native().starts_with(kGoing)) {
      fs::remove_all(folder, failure);
      continue;
    }
    auto loaded = impl->load_bucket(folder.filename().native());
    if (!loaded) return loaded.error().within("reading a bucket");
  }
  return std::unique_ptr<Objects>(new Objects(std::move(impl)));
}

bool Objects::has_bucket(std::string_view bucket) const { return impl_->has(bucket); }

std::vector<std::string> Objects::buckets() const {
  std::vector<std::string> names;
  for (auto& bucket : list_buckets()) names.push_back(std::move(bucket.name));
  return names;
}

std::vector<Bucket> Objects::list_buckets() const {
  const std::shared_lock lock(impl_->reading);
  std::vector<Bucket> found;
  for (const auto& [name, shelf] : impl_->shelves) found.push_back(shelf.info);
  return found;
}

std::optional<Bucket> Objects::bucket(std::string_view name) const {
  const std::shared_lock lock(impl_->reading);
  const auto shelf = impl_->shelves.find(name);
  return shelf == impl_->shelves.end() ? std::nullopt : std::optional(shelf->second.info);
}

Result<Done> Objects::create_bucket(std::string_view bucket, std::string_view region) {
  if (auto valid = check_bucket_name(bucket); !valid) return valid;
  const std::lock_guard lock(impl_->writing);
  if (has_bucket(bucket)) return Error{Errc::kConflict, fmt::format("bucket {} exists already", bucket)};
  const fs::path folder = impl_->directory / bucket;
  for (const char* part : {"objects", "blobs", "uploads"}) {
    auto made = base::make_directory(folder / part, 0700);
    if (!made) return made.error().within("making a bucket");
  }
  Shelf shelf;
  shelf.info = {std::string(bucket), std::string(region), impl_->clock.now(), false, false};
  auto written = base::replace_file(folder / "bucket.json", to_text(shelf.info), 0600);
  if (written) written = base::sync_directory(impl_->directory);
  if (!written) return written.error().within("making a bucket");
  const std::lock_guard index(impl_->reading);
  impl_->shelves.emplace(std::string(bucket), std::move(shelf));
  return Done{};
}

Result<Done> Objects::delete_bucket(std::string_view bucket) {
  fs::path going;
  {
    const std::lock_guard lock(impl_->writing);
    {
      const std::shared_lock index(impl_->reading);
      const auto shelf = impl_->shelves.find(bucket);
      if (shelf == impl_->shelves.end()) return no_such_bucket(bucket);
      if (!shelf->second.objects.empty()) {
        return Error{Errc::kConflict,
                     fmt::format("bucket {} is not empty: it has {} objects", bucket, shelf->second.objects.size())};
      }
    }
    auto taken = impl_->take_away(bucket);
    if (!taken) return taken.error();
    going = std::move(*taken);
  }
  std::error_code left_for_the_next_start;
  fs::remove_all(going, left_for_the_next_start);
  return Done{};
}

// ---- Objects

Result<std::shared_ptr<const ObjectInfo>> Objects::head(std::string_view bucket, std::string_view key) const {
  const auto entry = impl_->find(bucket, key);
  if (entry) return entry->info;
  return has_bucket(bucket) ? no_such_key(bucket, key) : no_such_bucket(bucket);
}

Result<std::unique_ptr<Incoming>> Objects::begin(std::string_view bucket, std::string_view checksum_algorithm) {
  if (!has_bucket(bucket)) return no_such_bucket(bucket);
  return Incoming::create(impl_->blob_path(bucket, base::random_hex(32)), checksum_algorithm);
}

Result<std::shared_ptr<const ObjectInfo>> Objects::keep(std::string_view bucket, std::string_view key,
                                                        std::unique_ptr<Incoming> bytes, Attributes attributes,
                                                        const Conditions& conditions) {
  if (auto valid = check_key(key); !valid) return valid.error();
  if (auto finished = bytes->finish(); !finished) return finished.error();
  ObjectInfo info{std::string(key),   bytes->size(),         etag_of(bytes->md5()),
                  impl_->clock.now(), std::move(attributes), bytes->checksum()};
  const std::lock_guard lock(impl_->writing);
  auto named = impl_->name(bucket, std::move(info), bytes->path().filename().native(), conditions, {});
  if (named) bytes->stays();
  return named;
}

Result<std::shared_ptr<const ObjectInfo>> Objects::put(std::string_view bucket, std::string_view key,
                                                       std::string_view bytes, Attributes attributes) {
  if (auto valid = check_key(key); !valid) return valid.error();
  if (bytes.size() > kMaxPutBytes) {
    return Error{Errc::kLimit,
                 fmt::format("an object of {} bytes, at most {} are taken at once", bytes.size(), kMaxPutBytes)};
  }
  auto incoming = begin(bucket);
  if (!incoming) return incoming.error();
  if (auto written = (*incoming)->append(bytes); !written) return written.error();
  return keep(bucket, key, std::move(*incoming), std::move(attributes));
}

Result<Done> Objects::remove(std::string_view bucket, std::string_view key) {
  const std::lock_guard lock(impl_->writing);
  if (!has_bucket(bucket)) return no_such_bucket(bucket);
  const auto entry = impl_->find(bucket, key);
  if (!entry) return Done{};
  const fs::path description = impl_->description_path(bucket, key);
  if (::unlink(description.c_str()) != 0 && errno != ENOENT) return system_error(errno, "unlink", description.native());
  if (auto synced = base::sync_directory(description.parent_path()); !synced) return synced;
  ::unlink(impl_->blob_path(bucket, entry->blob).c_str());
  const std::lock_guard index(impl_->reading);
  auto& keys = impl_->shelves.find(bucket)->second.objects;
  keys.erase(keys.find(key));
  return Done{};
}

Result<Done> Objects::tag(std::string_view bucket, std::string_view key, Tags tags) {
  const std::lock_guard lock(impl_->writing);
  const auto entry = impl_->find(bucket, key);
  if (!entry) return has_bucket(bucket) ? no_such_key(bucket, key) : no_such_bucket(bucket);
  ObjectInfo info = *entry->info;
  info.attributes.tags = std::move(tags);
  auto named = impl_->name(bucket, std::move(info), entry->blob, {}, {});
  if (!named) return named.error();
  return Done{};
}

Result<std::shared_ptr<const ObjectInfo>> Objects::copy(std::string_view from_bucket, std::string_view from_key,
                                                        std::string_view source_etag, std::string_view bucket,
                                                        std::string_view key, const Attributes* attributes) {
  if (auto valid = check_key(key); !valid) return valid.error();
  if (!has_bucket(bucket)) return no_such_bucket(bucket);
  const std::lock_guard lock(impl_->writing);
  const auto source = impl_->find(from_bucket, from_key);
  if (!source) return has_bucket(from_bucket) ? no_such_key(from_bucket, from_key) : no_such_bucket(from_bucket);
  if (source->info->etag != source_etag) {
    return Error{Errc::kConflict, fmt::format("{} in bucket {} changed meanwhile", from_key, from_bucket)};
  }
  // Bytes do not change once they have a name: the same file under another one will do.
  const std::string blob = base::random_hex(32);
  const fs::path made = impl_->blob_path(bucket, blob);
  if (::link(impl_->blob_path(from_bucket, source->blob).c_str(), made.c_str()) != 0) {
    return system_error(errno, "link", made.native());
  }
  auto synced = base::sync_directory(made.parent_path());
  ObjectInfo info = *source->info;
  info.key = key;
  info.last_modified = impl_->clock.now();
  if (attributes) info.attributes = *attributes;
  info.attributes.from_stack = false;
  auto named = synced ? impl_->name(bucket, std::move(info), blob, {}, {})
                      : Result<std::shared_ptr<const ObjectInfo>>(synced.error());
  if (!named) ::unlink(made.c_str());
  return named;
}

Result<std::vector<Objects::Changed>> Objects::apply(const Config& config, Occasion occasion) {
  for (const auto& bucket : config.buckets) {
    if (!has_bucket(bucket.name)) {
      if (auto made = create_bucket(bucket.name, bucket.region); !made) return made.error();
    }
    const std::lock_guard lock(impl_->writing);
    auto info = this->bucket(bucket.name);
    if (!info || (info->from_stack && info->force_destroy == bucket.force_destroy)) continue;
    info->from_stack = true;
    info->force_destroy = bucket.force_destroy;
    if (auto described = impl_->describe(std::move(*info)); !described) return described.error();
  }
  std::vector<Changed> changed;
  std::set<std::pair<std::string, std::string>> declared;
  for (const auto& upload : config.uploads) {
    declared.emplace(upload.bucket, upload.key);
    std::string from_file;
    if (!upload.source.empty()) {
      auto read = base::read_file(upload.source, kMaxPutBytes);
      if (!read) return read.error().within(upload.address);
      from_file = std::move(*read);
    }
    const std::string_view bytes = upload.source.empty() ? std::string_view(upload.content) : from_file;
    Attributes attributes = upload.attributes;
    attributes.from_stack = true;
    const auto entry = impl_->find(upload.bucket, upload.key);
    const bool same =
        entry && entry->info->attributes == attributes && entry->info->etag == '"' + base::hex(base::md5(bytes)) + '"';
    if (same) continue;
    auto put_there = put(upload.bucket, upload.key, bytes, std::move(attributes));
    if (!put_there) return put_there.error().within(upload.address);
    changed.push_back({upload.bucket, upload.key});
  }
  for (auto& gone : impl_->declared_but(declared)) {
    if (auto removed = remove(gone.bucket, gone.key); !removed) return removed.error();
    changed.push_back(std::move(gone));
  }
  for (const auto& bucket : list_buckets()) {
    if (!bucket.from_stack || declares(config, bucket.name)) continue;
    if (auto gone = impl_->let_go(bucket.name, occasion); !gone) return gone.error();
  }
  return changed;
}

Result<Done> Objects::may_apply(const Config& next) const {
  const std::shared_lock lock(impl_->reading);
  for (const auto& [name, shelf] : impl_->shelves) {
    if (!shelf.info.from_stack || shelf.info.force_destroy || declares(next, name)) continue;
    const std::size_t held = Impl::beside_the_stack(shelf);
    if (held == 0) continue;
    return Error{
        Errc::kConflict,
        fmt::format("the bucket {} is not empty (BucketNotEmpty): it holds {} objects beside the stack's. Remove "
                    "them (aws s3 rm --recursive s3://{}), or set force_destroy = true and apply that, before "
                    "the bucket is removed from the files",
                    name, held, name)};
  }
  return Done{};
}

}  // namespace securebase::objects
