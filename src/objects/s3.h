// What the operations of S3 share: faults, attributes, conditions, and bytes on their way in. The operations themselves
// are in s3_buckets.cc, s3_lists.cc, s3_objects.cc and s3_uploads.cc, and api.cc registers them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/aws.h"
#include "objects/incoming.h"
#include "objects/objects.h"

namespace securebase::objects::s3 {

inline constexpr std::size_t kMostListed = 1000;  // S3's own, of keys, parts, uploads, and keys of DeleteObjects

struct Room {
  Objects& objects;
  net::Pool& pool;
};

// ---- Faults (S3 API reference, "Error responses"). Status and code together, for the model knows few of them.

aws::Fault no_such_bucket(std::string_view bucket);
aws::Fault no_such_key(std::string_view key);
aws::Fault invalid_argument(std::string_view name, std::string_view value, std::string_view message);
aws::Fault not_implemented(std::string_view what);
aws::Fault precondition_failed(std::string_view condition);
// What Objects answered about `bucket` and `key`.
aws::Fault fault_of(const Objects& objects, std::string_view bucket, std::string_view key, const Error& error);

// The first setting of a write that would be silently without effect here; nullopt: none.
std::optional<aws::Fault> refuse_settings(const aws::Value& input);

// ---- Attributes and checksums

// x-amz-tagging: "team=web&stage=prod", escaped as in a query.
Result<Tags, aws::Fault> tags_of(std::string_view text);
// With the tags that it says.
Result<Attributes, aws::Fault> attributes_of(const aws::Value& input);
// "CRC32", ...: that the input names, gives, or announces as a trailer; empty: none.
std::string checksum_algorithm_of(const aws::Call& call);
void put_checksum(aws::Value& output, const Checksum& checksum);

// ---- Conditions of reads (RFC 9110 §13.2.2)

enum class Verdict { kGo, kNotModified, kFailed };
struct ReadConditions {
  std::string_view if_match;
  std::string_view if_none_match;
  std::optional<base::TimePoint> if_modified_since;
  std::optional<base::TimePoint> if_unmodified_since;
};
// "If" members of GetObject and HeadObject; with the prefix "CopySource" those of copies.
ReadConditions conditions_of(const aws::Value& input, std::string_view prefix = {});
Verdict judge(const ReadConditions& conditions, const ObjectInfo& info);
// Of a write: IfMatch, IfNoneMatch.
Result<Conditions, aws::Fault> write_conditions_of(const aws::Call& call);

// "bytes=0-99" of GetObject or UploadPartCopy. nullopt: no single range; the whole is meant. An empty span: none of it
// lies within `size`.
std::optional<Span> range_of(std::string_view text, std::uint64_t size);

// ---- Bytes

// The payload into `bytes`, written and digested on the pool; then against Content-MD5 and the checksum that was sent.
// `bytes` is finished when it is kept.
net::Task<Result<Done, aws::Fault>> receive(const aws::Call& call, net::Pool& pool, Incoming& bytes);
std::optional<aws::Fault> wrong_digest(const aws::Value& input, const Incoming& bytes);

// "bucket/key", escaped, with or without its first slash, and no version but the one there is.
struct Source {
  std::string bucket;
  std::string key;
};
Result<Source, aws::Fault> source_of(const aws::Value& input);

aws::Value owner(const aws::Call& call);
// Text of a list under encoding-type=url.
std::string encoded(const aws::Value& input, std::string_view text);

// ---- Each registers its operations.

void add_buckets(aws::Operations& operations, const Room& room);
void add_lists(aws::Operations& operations, const Room& room);
void add_objects(aws::Operations& operations, const Room& room);
void add_uploads(aws::Operations& operations, const Room& room);
void add_tags(aws::Operations& operations, const Room& room);

}  // namespace securebase::objects::s3
