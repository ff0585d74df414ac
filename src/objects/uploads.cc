// Uploads in parts (S3 User Guide, "Uploading and copying objects using multipart upload"). A part is a file of the
// upload's directory, and its name says all about it: number, MD5, checksum. Completing puts the parts together into
// one file of blobs/ and names that, with the upload's id in the description: whatever a crash then leaves of the
// upload is known to be over. Uploads that nobody ends stay, are listed, and survive restarts.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <tuple>

#include "base/check.h"
#include "base/durable.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "objects/description.h"
#include "objects/shelf.h"

namespace securebase::objects {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kDescription = "upload.json";
constexpr std::string_view kPart = ".part";

Error no_such_upload(std::string_view id) {
  return {Errc::kNotFound, fmt::format("the specified upload does not exist: {}", id)};
}

// "00007-{md5}-{checksum}.part", digests in hex.
std::string file_name(int number, const std::string& md5, const std::string& checksum) {
  return fmt::format("{:05}-{}{}{}{}", number, base::hex(md5), checksum.empty() ? "" : "-", base::hex(checksum), kPart);
}

std::optional<Upload::Kept> part_from(const fs::path& file, const std::string& algorithm) {
  const std::string name = file.filename().native();
  struct stat about {};
  if (!name.ends_with(kPart) || name.size() < 6 + 32 || ::stat(file.c_str(), &about) != 0) return std::nullopt;
  Upload::Kept kept;
  kept.file = file;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + 5, kept.part.number);
  const auto md5 = std::string_view(name).substr(6, 32);
  if (failure != std::errc{} || end != name.data() + 5 || !base::from_hex(md5)) return std::nullopt;
  kept.part.size = static_cast<std::uint64_t>(about.st_size);
  kept.part.etag = '"' + std::string(md5) + '"';
  kept.part.last_modified = base::TimePoint{std::chrono::seconds{about.st_mtim.tv_sec} +
                                            std::chrono::microseconds{about.st_mtim.tv_nsec / 1000}};
  const auto rest = std::string_view(name).substr(38, name.size() - 38 - kPart.size());
  if (rest.starts_with('-')) {
    const auto checksum = base::from_hex(rest.substr(1));
    if (!checksum) return std::nullopt;
    kept.part.checksum = {algorithm, base::base64(*checksum)};
  }
  return kept;
}

}  // namespace

Result<Upload*> Objects::Impl::find_upload(std::string_view bucket, std::string_view key, std::string_view id) {
  const auto shelf = shelves.find(bucket);
  if (shelf == shelves.end()) return no_such_bucket(bucket);
  const auto found = shelf->second.uploads.find(id);
  if (found == shelf->second.uploads.end() || found->second.info.key != key) return no_such_upload(id);
  return &found->second;
}

Result<Done> Objects::Impl::load_uploads(Shelf& shelf, const std::map<std::string, std::string>& completed) {
  const fs::path folder = directory / shelf.info.name / "uploads";
  if (auto made = base::make_directory(folder, 0700); !made) return made;
  std::error_code failure;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, failure)) found.push_back(entry.path());
  if (failure) return system_error(failure.value(), "list", folder.native());
  for (const auto& each : found) {
    const std::string id = each.filename().native();
    auto text = base::read_file(each / kDescription, kDescriptionBytes);
    // Completed, aborted, or never begun: what a crash left.
    if (completed.contains(id) || !text) {
      fs::remove_all(each, failure);
      continue;
    }
    Upload upload;
    auto info = upload_from(*text, id);
    if (!info) return info.error().within((each / kDescription).native());
    upload.info = std::move(*info);
    for (const auto& file : fs::directory_iterator(each, failure)) {
      if (file.path().filename() == kDescription) continue;
      auto kept = part_from(file.path(), upload.info.checksum_algorithm);
      if (!kept) {  // its bytes did not all come
        fs::remove(file.path(), failure);
        continue;
      }
      auto& place = upload.parts[kept->part.number];
      const bool newer = place.file.empty() || place.part.last_modified <= kept->part.last_modified;
      const auto older = newer ? place.file : kept->file;
      if (newer) place = std::move(*kept);
      if (!older.empty()) fs::remove(older, failure);
    }
    shelf.uploads.emplace(id, std::move(upload));
  }
  return Done{};
}

Result<UploadInfo> Objects::begin_upload(std::string_view bucket, std::string_view key, Attributes attributes,
                                         std::string_view checksum_algorithm) {
  if (auto valid = check_key(key); !valid) return valid.error();
  if (!checksum_algorithm.empty() && !Digest::make(checksum_algorithm)) {
    return Error{Errc::kUnsupported, fmt::format("the checksum {} is not to be had here", checksum_algorithm)};
  }
  Upload upload;
  upload.info = {base::random_hex(64), std::string(key), impl_->clock.now(), std::move(attributes),
                 std::string(checksum_algorithm)};
  const std::lock_guard lock(impl_->writing);
  {
    const std::shared_lock index(impl_->reading);
    const auto shelf = impl_->shelves.find(bucket);
    if (shelf == impl_->shelves.end()) return no_such_bucket(bucket);
    if (shelf->second.uploads.size() >= kMaxUploads) {
      return Error{Errc::kLimit,
                   fmt::format("bucket {} has {} unfinished uploads: complete or abort some", bucket, kMaxUploads)};
    }
  }
  const fs::path folder = impl_->upload_path(bucket, upload.info.id);
  auto made = base::make_directory(folder, 0700);
  if (made) made = base::replace_file(folder / kDescription, to_text(upload.info), 0600);
  if (made) made = base::sync_directory(folder.parent_path());
  if (!made) return made.error().within("beginning an upload");
  const UploadInfo info = upload.info;
  const std::lock_guard index(impl_->reading);
  impl_->shelves.find(bucket)->second.uploads.emplace(info.id, std::move(upload));
  return info;
}

Result<UploadInfo> Objects::upload(std::string_view bucket, std::string_view key, std::string_view id) const {
  const std::shared_lock lock(impl_->reading);
  auto found = impl_->find_upload(bucket, key, id);
  if (!found) return found.error();
  return (*found)->info;
}

Result<Part> Objects::keep_part(std::string_view bucket, std::string_view key, std::string_view id, int number,
                                std::unique_ptr<Incoming> bytes) {
  check(number >= 1 && number <= kMaxParts, "the caller has looked at the part's number");
  if (auto finished = bytes->finish(); !finished) return finished.error();
  const auto checksum = base::from_base64(bytes->checksum().value);
  const fs::path file = impl_->upload_path(bucket, id) / file_name(number, bytes->md5(), checksum.value_or(""));
  const auto now = impl_->clock.now();
  const Part part{number, bytes->size(), '"' + base::hex(bytes->md5()) + '"', now, bytes->checksum()};

  const std::lock_guard lock(impl_->writing);
  fs::path replaced;
  {
    const std::lock_guard index(impl_->reading);
    auto found = impl_->find_upload(bucket, key, id);
    if (!found) return found.error();
    if ((*found)->completing) return Error{Errc::kConflict, fmt::format("the upload {} is being completed", id)};
  }
  // After a restart the file's own time is when the part came.
  const auto since = now.time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);
  const timespec stamp{whole.count(), std::chrono::nanoseconds(since - whole).count()};
  const timespec stamps[2] = {stamp, stamp};
  if (::utimensat(AT_FDCWD, bytes->path().c_str(), stamps, 0) != 0 ||
      ::rename(bytes->path().c_str(), file.c_str()) != 0) {
    return system_error(errno, "rename to", file.native());
  }
  bytes->stays();
  if (auto synced = base::sync_directory(file.parent_path()); !synced) return synced.error();
  {
    const std::lock_guard index(impl_->reading);
    auto& place = (*impl_->find_upload(bucket, key, id))->parts[number];
    if (place.file != file) replaced = place.file;
    place = {part, file};
  }
  if (!replaced.empty()) ::unlink(replaced.c_str());
  return part;
}

Result<std::vector<Part>> Objects::parts(std::string_view bucket, std::string_view key, std::string_view id) const {
  const std::shared_lock lock(impl_->reading);
  auto found = impl_->find_upload(bucket, key, id);
  if (!found) return found.error();
  std::vector<Part> all;
  for (const auto& [number, kept] : (*found)->parts) all.push_back(kept.part);
  return all;
}

Result<std::vector<UploadInfo>> Objects::uploads(std::string_view bucket) const {
  std::vector<UploadInfo> all;
  {
    const std::shared_lock lock(impl_->reading);
    const auto shelf = impl_->shelves.find(bucket);
    if (shelf == impl_->shelves.end()) return no_such_bucket(bucket);
    for (const auto& [id, upload] : shelf->second.uploads) all.push_back(upload.info);
  }
  std::sort(all.begin(), all.end(), [](const UploadInfo& a, const UploadInfo& b) {
    return std::tie(a.key, a.initiated, a.id) < std::tie(b.key, b.initiated, b.id);
  });
  return all;
}

Result<std::shared_ptr<const ObjectInfo>> Objects::complete_upload(std::string_view bucket, std::string_view key,
                                                                   std::string_view id, const std::vector<int>& numbers,
                                                                   const Conditions& conditions) {
  std::vector<Upload::Kept> chosen;
  UploadInfo upload;
  {
    const std::lock_guard index(impl_->reading);
    auto found = impl_->find_upload(bucket, key, id);
    if (!found) return found.error();
    if ((*found)->completing) return Error{Errc::kConflict, fmt::format("the upload {} is being completed", id)};
    for (const int number : numbers) {
      const auto part = (*found)->parts.find(number);
      check(part != (*found)->parts.end(), "the caller has looked for the parts");
      chosen.push_back(part->second);
    }
    upload = (*found)->info;
    (*found)->completing = true;
  }
  // From here on nobody changes its parts. The long work is done without the writers' lock.
  struct Completing {
    Impl& impl;
    const std::string bucket, key, id;
    ~Completing() {
      const std::lock_guard index(impl.reading);
      if (auto found = impl.find_upload(bucket, key, id)) (*found)->completing = false;
    }
  } completing{*impl_, std::string(bucket), std::string(key), std::string(id)};

  auto bytes = begin(bucket);
  if (!bytes) return bytes.error();
  (*bytes)->without_digests();
  std::string md5s, checksums;
  for (const auto& [part, file] : chosen) {
    if (auto done = (*bytes)->append_file(file); !done) return done.error();
    md5s += *base::from_hex(std::string_view(part.etag).substr(1, 32));
    checksums += base::from_base64(part.checksum.value).value_or("");
  }
  if (auto finished = (*bytes)->finish(); !finished) return finished.error();
  ObjectInfo info;
  info.key = key;
  info.size = (*bytes)->size();
  info.etag = fmt::format("\"{}-{}\"", base::hex(base::md5(md5s)), chosen.size());
  info.last_modified = impl_->clock.now();
  info.attributes = upload.attributes;
  if (auto digest = Digest::make(upload.checksum_algorithm); digest && !checksums.empty()) {
    digest->update(checksums);
    info.checksum = {upload.checksum_algorithm, fmt::format("{}-{}", base::base64(digest->finish()), chosen.size())};
  }

  const std::lock_guard lock(impl_->writing);
  auto named = impl_->name(bucket, std::move(info), (*bytes)->path().filename().native(), conditions, id);
  if (!named) return named;
  (*bytes)->stays();
  {
    const std::lock_guard index(impl_->reading);
    auto& uploads = impl_->shelves.find(bucket)->second.uploads;
    uploads.erase(uploads.find(id));
  }
  const fs::path folder = impl_->upload_path(bucket, id);
  ::unlink((folder / kDescription).c_str());  // first: without it, it is no upload any more
  std::error_code left_for_the_next_start;
  fs::remove_all(folder, left_for_the_next_start);
  return named;
}

Result<Done> Objects::abort_upload(std::string_view bucket, std::string_view key, std::string_view id) {
  const std::lock_guard lock(impl_->writing);
  {
    const std::lock_guard index(impl_->reading);
    auto found = impl_->find_upload(bucket, key, id);
    if (!found) return found.error();
    if ((*found)->completing) return Error{Errc::kConflict, fmt::format("the upload {} is being completed", id)};
  }
  const fs::path folder = impl_->upload_path(bucket, id);
  // Without its description it is no upload any more, whatever else is still there.
  if (::unlink((folder / kDescription).c_str()) != 0) return system_error(errno, "unlink", folder.native());
  if (auto synced = base::sync_directory(folder); !synced) return synced;
  {
    const std::lock_guard index(impl_->reading);
    auto& uploads = impl_->shelves.find(bucket)->second.uploads;
    uploads.erase(uploads.find(id));
  }
  std::error_code left_for_the_next_start;
  fs::remove_all(folder, left_for_the_next_start);
  return Done{};
}

Result<std::unique_ptr<Incoming>> Objects::read_into_part(std::string_view from_bucket, std::string_view from_key,
                                                          Span span, std::string_view bucket,
                                                          std::string_view checksum_algorithm) {
  auto bytes = begin(bucket, checksum_algorithm);
  if (!bytes) return bytes;
  const auto source = impl_->find(from_bucket, from_key);
  if (!source) return has_bucket(from_bucket) ? no_such_key(from_bucket, from_key) : no_such_bucket(from_bucket);
  if (auto done = (*bytes)->append_file(impl_->blob_path(from_bucket, source->blob), span); !done) return done.error();
  return bytes;
}

}  // namespace securebase::objects
