// The door of objects: buckets and the objects in them, as S3 knows them, in files of the state directory.
//
// An object is two files: its bytes under a random name, and a small description that names them. The description is
// replaced as a whole, so that after a crash an object is the old one or the new one, never a mixture. Keys are not
// file names: the description's file is named after the key's hash, so that no key can lead out of the bucket. Threads:
// everything may be called from any thread. get() awaits on a worker; what blocks says so.
#pragma once

#include <filesystem>
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

namespace securebase::objects {

// What a writer says about an object (S3 API, PutObject).
struct Attributes {
  std::string content_type = "binary/octet-stream";  // S3's own default
  std::string cache_control;
  std::string content_encoding;
  std::string content_disposition;
  std::string content_language;
  std::map<std::string, std::string> metadata;  // x-amz-meta-<name>, names in lower case
  bool operator==(const Attributes&) const = default;
};

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  // with its quotes: the MD5 of the bytes, in hex
  base::TimePoint last_modified;
  Attributes attributes;
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

  // Makes buckets and puts objects that are not there as the stack has them; what is there beside them stays. Returns
  // the buckets and keys that changed. Blocking.
  struct Changed {
    std::string bucket;
    std::string key;
  };
  Result<std::vector<Changed>> apply(const Config& config);

  bool has_bucket(std::string_view bucket) const;
  std::vector<std::string> buckets() const;
  Result<Done> create_bucket(std::string_view bucket);  // kConflict: there is one. Blocking.

  // kNotFound: no such bucket or no such key.
  Result<std::shared_ptr<const ObjectInfo>> head(std::string_view bucket, std::string_view key) const;
  net::Task<Result<Object>> get(std::string bucket, std::string key);
  // Keys with that prefix in the order of their bytes, from behind `after`.
  std::vector<std::shared_ptr<const ObjectInfo>> list(std::string_view bucket, std::string_view prefix,
                                                      std::string_view after, std::size_t limit) const;

  // Acknowledged means on disk. Keys have 1 to 1024 bytes. Blocking.
  Result<std::shared_ptr<const ObjectInfo>> put(std::string_view bucket, std::string_view key, std::string_view bytes,
                                                Attributes attributes);
  // No error if there is none. Blocking.
  Result<Done> remove(std::string_view bucket, std::string_view key);

 private:
  struct Impl;
  explicit Objects(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace securebase::objects
