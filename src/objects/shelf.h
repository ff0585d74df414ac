// The inside of Objects: what is in memory of every bucket, and where on disk the rest lies.
//
//   {directory}/{bucket}/bucket.json          region and birth
//                       /objects/ab/{sha256 of the key}.json   a description: what names the bytes
//                       /blobs/{random}        bytes
//                       /uploads/{id}/upload.json, {number}-{md5}[-{checksum}].part
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>

#include "objects/incoming.h"
#include "objects/objects.h"

namespace securebase::objects {

struct Entry {
  std::shared_ptr<const ObjectInfo> info;
  std::string blob;
};

struct Upload {
  struct Kept {
    Part part;
    std::filesystem::path file;
  };
  UploadInfo info;
  std::map<int, Kept> parts;
  bool completing = false;
};

struct Shelf {
  Bucket info;
  std::map<std::string, Entry, std::less<>> objects;
  std::map<std::string, Upload, std::less<>> uploads;  // by id
};

struct Objects::Impl {
  // Constant after construction.
  const std::filesystem::path directory;
  net::Pool& pool;
  const base::Clock& clock;
  // One writer at a time changes what names the bytes; the bytes themselves are written before, without it.
  std::mutex writing;
  // Guarded by `reading`.
  mutable std::shared_mutex reading;
  std::map<std::string, Shelf, std::less<>> shelves;

  std::filesystem::path blob_path(std::string_view bucket, std::string_view blob) const {
    return directory / bucket / "blobs" / blob;
  }
  std::filesystem::path description_path(std::string_view bucket, std::string_view key) const;
  std::filesystem::path upload_path(std::string_view bucket, std::string_view id) const {
    return directory / bucket / "uploads" / id;
  }

  std::optional<Entry> find(std::string_view bucket, std::string_view key) const;
  bool has(std::string_view bucket) const;
  // What a stack declared, without those.
  std::vector<Changed> declared_but(const std::set<std::pair<std::string, std::string>>& kept) const;
  // kNotFound, if there is no such upload of that key; under `reading`.
  Result<Upload*> find_upload(std::string_view bucket, std::string_view key, std::string_view id);

  // How many objects are in the bucket that no stack declares.
  static std::size_t beside_the_stack(const Shelf& shelf);
  // Replaces bucket.json. Under `writing`.
  Result<Done> describe(Bucket bucket);
  // A bucket leaves the stack: it goes, or is nobody's from now on.
  Result<Done> let_go(const std::string& bucket, Occasion occasion);
  // Gone with whatever is in it, under `writing`; a crash in between is finished by the next open(). The caller removes
  // what it gives, without the lock.
  Result<std::filesystem::path> take_away(std::string_view bucket);

  // Makes bytes that lie in blobs/ the object; `completed` is the upload that they come from. Under `writing`.
  Result<std::shared_ptr<const ObjectInfo>> name(std::string_view bucket, ObjectInfo info, std::string blob,
                                                 const Conditions& conditions, std::string_view completed);

  Result<Done> load_bucket(const std::string& name);
  Result<Done> load_uploads(Shelf& shelf, const std::map<std::string, std::string>& completed);
};

// ---- Limits

inline constexpr std::size_t kMaxKeyBytes = 1024;           // S3's own
inline constexpr std::uint64_t kMaxPutBytes = 5ULL << 30;   // S3's limit of a single PutObject or part
inline constexpr std::size_t kWholeBytes = 256 << 10;       // up to this an object is read at once
inline constexpr std::size_t kDescriptionBytes = 64 << 10;  // of an object, an upload or a bucket
inline constexpr std::size_t kMaxUploads = 10'000;          // unfinished ones of a bucket
inline constexpr int kMaxParts = 10'000;                    // S3's own

Error no_such_bucket(std::string_view bucket);
Error no_such_key(std::string_view bucket, std::string_view key);
Result<Done> check_key(std::string_view key);

}  // namespace securebase::objects
