// The door of objects: buckets and the objects in them, as S3 knows them, in files of the state directory.
//
// An object is two files: its bytes under a random name, and a small description that names them. The description is
// replaced as a whole, so that after a crash an object is the old one or the new one, never a mixture. Keys are not
// file names: the description's file is named after the key's hash, so that no key can lead out of the bucket. Threads:
// everything may be called from any thread. get() awaits on a worker; what blocks says so. docs/objects.md says which
// operations of S3 are answered, and how they differ.
#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/event.h"
#include "net/http/message.h"
#include "net/task.h"
#include "stack/stack.h"

namespace securebase::aws {
class Operations;
}

namespace securebase::objects {

class Incoming;  // incoming.h

using Tags = std::map<std::string, std::string>;

// What a writer says about an object (S3 API, PutObject).
struct Attributes {
  std::string content_type = "binary/octet-stream";  // S3's own default
  std::string cache_control;
  std::string content_encoding;
  std::string content_disposition;
  std::string content_language;
  std::map<std::string, std::string> metadata;  // x-amz-meta-<name>, names in lower case
  std::string expires;                          // an HTTP date, or empty
  Tags tags;
  bool from_stack = false;  // the stack declares it, and nobody put another in its place since
  bool operator==(const Attributes&) const = default;
};

// A checksum that the writer asked for, as x-amz-checksum-* says it.
struct Checksum {
  std::string algorithm;  // "CRC32", "CRC32C", "SHA1", "SHA256"; empty: none
  std::string value;      // base64; of an object in N parts with "-N" behind it
  bool operator==(const Checksum&) const = default;
};

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  // with its quotes: the MD5 of the bytes, in hex; of an object in parts "<MD5 of MD5s>-<count>"
  base::TimePoint last_modified;
  Attributes attributes;
  Checksum checksum;
};

// A part of an object's bytes.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t length = std::numeric_limits<std::uint64_t>::max();  // as much as there is
};

struct Bucket {
  std::string name;
  std::string region;  // "" of an old one: the platform's
  base::TimePoint created;
  bool from_stack = false;     // the stack declares it, so it goes when the stack does not any more
  bool force_destroy = false;  // with what is in it
};

// What has to be so for a write to be done; else kConflict, and nothing was done.
struct Conditions {
  bool absent = false;   // If-None-Match: *
  std::string has_etag;  // If-Match; empty: whatever it is
};

struct Listing {
  std::vector<std::shared_ptr<const ObjectInfo>> objects;
  std::vector<std::string> prefixes;  // common ones, up to the delimiter
  std::string last;                   // the key or prefix behind which the next page begins
  bool truncated = false;
};

// An upload in parts that is not complete yet.
struct Part {
  int number = 0;
  std::uint64_t size = 0;
  std::string etag;  // with its quotes
  base::TimePoint last_modified;
  Checksum checksum;
};
struct UploadInfo {
  std::string id;
  std::string key;
  base::TimePoint initiated;
  Attributes attributes;
  std::string checksum_algorithm;  // of its parts; empty: none
};

struct Object {
  std::shared_ptr<const ObjectInfo> info;
  http::Body body;  // small ones whole, larger ones as a stream of known length
};

// What the stack asks for.
struct Config {
  struct Bucket {
    std::string name;
    std::string region;
    bool force_destroy = false;  // it may go with what is in it
  };
  struct Upload {
    std::string address;  // of the resource, for messages
    std::string bucket;
    std::string key;
    std::filesystem::path source;  // a file, or empty: `content` is it
    std::string content;
    Attributes attributes;
  };
  std::vector<Bucket> buckets;
  std::vector<Upload> uploads;
};

// aws_s3_bucket and aws_s3_object.
void declare(stack::Catalogue& catalogue);
// An error names the resource and the file: a bucket that does not exist, a source that cannot be read.
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

// "portal.s3.us-east-1.amazonaws.com", "portal.s3.amazonaws.com", "portal.s3-website-...": the bucket's name; else
// nullopt (S3 User Guide, "Virtual hosting of buckets").
std::optional<std::string> bucket_of_host(std::string_view host);

// S3 User Guide, "Bucket naming rules": 3 to 63 lower-case letters, digits, dots and hyphens.
Result<Done> check_bucket_name(std::string_view name);

class Objects {
 public:
  // Reads the descriptions of everything below `directory`, and drops bytes that none names (a put that a crash cut
  // short). Blocking. `pool` and `clock` outlive it.
  static Result<std::unique_ptr<Objects>> open(std::filesystem::path directory, net::Pool& pool,
                                               const base::Clock& clock);
  ~Objects();
  Objects(const Objects&) = delete;
  Objects& operator=(const Objects&) = delete;

  // Makes buckets and puts objects that are not there as the stack has them, and removes objects and buckets that an
  // earlier stack declared and this one does not; what is there beside them stays. A bucket that may not go with what
  // is in it stays too, as one that nobody declares: at a start, which nobody was asked about, whatever its
  // force_destroy says. Returns the buckets and keys that changed. Blocking.
  enum class Occasion { kStart, kApply };
  struct Changed {
    std::string bucket;
    std::string key;
  };
  Result<std::vector<Changed>> apply(const Config& config, Occasion occasion = Occasion::kApply);
  // kConflict: `next` has no bucket any more that holds more than the stack's own objects and may not go with them
  // (force_destroy), as S3 says BucketNotEmpty.
  Result<Done> may_apply(const Config& next) const;

  bool has_bucket(std::string_view bucket) const;
  std::vector<std::string> buckets() const;
  std::vector<Bucket> list_buckets() const;  // by name
  std::optional<Bucket> bucket(std::string_view name) const;
  // kConflict: there is one. Blocking.
  Result<Done> create_bucket(std::string_view bucket, std::string_view region = {});
  // kConflict: it still has objects. Unfinished uploads go with it. Blocking.
  Result<Done> delete_bucket(std::string_view bucket);

  // kNotFound: no such bucket or no such key.
  Result<std::shared_ptr<const ObjectInfo>> head(std::string_view bucket, std::string_view key) const;
  // As it is at one moment: what is put or removed meanwhile does not change the bytes that come. Of a span only what
  // lies within the object comes.
  net::Task<Result<Object>> get(std::string bucket, std::string key, Span span = {});
  // Keys with that prefix in the order of their bytes, from behind `after`.
  std::vector<std::shared_ptr<const ObjectInfo>> list(std::string_view bucket, std::string_view prefix,
                                                      std::string_view after, std::size_t limit) const;
  // The same in pages, with what lies behind `delimiter` put together. An `after` that is such a prefix skips all of
  // it.
  Listing list_page(std::string_view bucket, std::string_view prefix, std::string_view delimiter,
                    std::string_view after, std::size_t limit) const;

  // Acknowledged means on disk. Keys have 1 to 1024 bytes. Blocking.
  Result<std::shared_ptr<const ObjectInfo>> put(std::string_view bucket, std::string_view key, std::string_view bytes,
                                                Attributes attributes);
  // The same for bytes that come in pieces: a file that nothing names yet, and its becoming the object. Blocking.
  Result<std::unique_ptr<Incoming>> begin(std::string_view bucket, std::string_view checksum_algorithm = {});
  Result<std::shared_ptr<const ObjectInfo>> keep(std::string_view bucket, std::string_view key,
                                                 std::unique_ptr<Incoming> bytes, Attributes attributes,
                                                 const Conditions& conditions = {});
  // No error if there is none. Blocking.
  Result<Done> remove(std::string_view bucket, std::string_view key);
  // Other tags for an object that stays the same otherwise, its time too. Blocking.
  Result<Done> tag(std::string_view bucket, std::string_view key, Tags tags);
  // `attributes`: null to take those of the source. kConflict: the source's ETag is not `source_etag` any more.
  Result<std::shared_ptr<const ObjectInfo>> copy(std::string_view from_bucket, std::string_view from_key,
                                                 std::string_view source_etag, std::string_view bucket,
                                                 std::string_view key, const Attributes* attributes);

  // ---- Uploads in parts (uploads.cc). kNotFound: no such bucket, or no such upload of that key. All are blocking but
  // those that list.
  Result<UploadInfo> begin_upload(std::string_view bucket, std::string_view key, Attributes attributes,
                                  std::string_view checksum_algorithm);
  Result<UploadInfo> upload(std::string_view bucket, std::string_view key, std::string_view id) const;
  Result<Part> keep_part(std::string_view bucket, std::string_view key, std::string_view id, int number,
                         std::unique_ptr<Incoming> bytes);
  // By number.
  Result<std::vector<Part>> parts(std::string_view bucket, std::string_view key, std::string_view id) const;
  // By key, then by time.
  Result<std::vector<UploadInfo>> uploads(std::string_view bucket) const;
  // `numbers`: of its parts, in order, as the caller has checked them. kConflict: `conditions`, or somebody else
  // completes it.
  Result<std::shared_ptr<const ObjectInfo>> complete_upload(std::string_view bucket, std::string_view key,
                                                            std::string_view id, const std::vector<int>& numbers,
                                                            const Conditions& conditions);
  Result<Done> abort_upload(std::string_view bucket, std::string_view key, std::string_view id);
  // Bytes of an object as a part, without their way over the wire.
  Result<std::unique_ptr<Incoming>> read_into_part(std::string_view from_bucket, std::string_view from_key, Span span,
                                                   std::string_view bucket, std::string_view checksum_algorithm);

 private:
  struct Impl;
  explicit Objects(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Answers S3 (api.cc). `objects` and `pool` outlive the operations.
void add_operations(aws::Operations& operations, Objects& objects, net::Pool& pool);

}  // namespace securebase::objects
