#include "objects/description.h"

#include <fmt/format.h>

#include "base/json.h"

namespace securebase::objects {

namespace {

using base::Json;

constexpr std::int64_t kFormat = 1;

void add(Json& json, const Attributes& attributes) {
  auto metadata = Json::object();
  for (const auto& [name, value] : attributes.metadata) metadata.set(name, value);
  json.set("content_type", attributes.content_type);
  json.set("cache_control", attributes.cache_control);
  json.set("content_encoding", attributes.content_encoding);
  json.set("content_disposition", attributes.content_disposition);
  json.set("content_language", attributes.content_language);
  json.set("expires", attributes.expires);
  json.set("metadata", metadata);
  if (attributes.from_stack) json.set("from_stack", true);
  if (attributes.tags.empty()) return;
  auto tags = Json::object();
  for (const auto& [key, value] : attributes.tags) tags.set(key, value);
  json.set("tags", tags);
}

Attributes attributes_from(const Json& json) {
  Attributes attributes;
  attributes.content_type = json["content_type"].string_or("");
  attributes.cache_control = json["cache_control"].string_or("");
  attributes.content_encoding = json["content_encoding"].string_or("");
  attributes.content_disposition = json["content_disposition"].string_or("");
  attributes.content_language = json["content_language"].string_or("");
  attributes.expires = json["expires"].string_or("");
  attributes.from_stack = json["from_stack"].bool_or(false);
  if (const auto* metadata = json["metadata"].as_object()) {
    for (const auto& [name, value] : *metadata) attributes.metadata[name] = value.string_or("");
  }
  if (const auto* tags = json["tags"].as_object()) {
    for (const auto& [key, value] : *tags) attributes.tags[key] = value.string_or("");
  }
  return attributes;
}

std::int64_t micros(base::TimePoint time) { return time.time_since_epoch().count(); }
base::TimePoint time_from(const Json& json) { return base::TimePoint{std::chrono::microseconds{json.integer_or(0)}}; }

Result<Json> parse(std::string_view text) {
  auto parsed = Json::parse(text);
  if (!parsed) return parsed.error();
  if ((*parsed)["format"].integer_or(0) == kFormat) return parsed;
  return Error{Errc::kMalformed, fmt::format("a description of format {}, this version reads format {}",
                                             (*parsed)["format"].dump(), kFormat)};
}

}  // namespace

std::string to_text(const Description& description) {
  const ObjectInfo& info = description.info;
  auto json = Json::object({{"format", kFormat},
                            {"key", info.key},
                            {"blob", description.blob},
                            {"size", info.size},
                            {"etag", info.etag},
                            {"last_modified_us", micros(info.last_modified)}});
  add(json, info.attributes);
  if (!info.checksum.algorithm.empty()) {
    json.set("checksum_algorithm", info.checksum.algorithm);
    json.set("checksum", info.checksum.value);
  }
  if (!description.upload.empty()) json.set("upload", description.upload);
  return json.dump(1);
}

Result<Description> description_from(std::string_view text) {
  auto parsed = parse(text);
  if (!parsed) return parsed.error();
  const Json& json = *parsed;
  Description made;
  made.blob = json["blob"].string_or("");
  made.upload = json["upload"].string_or("");
  made.info.key = json["key"].string_or("");
  made.info.size = static_cast<std::uint64_t>(json["size"].integer_or(0));
  made.info.etag = json["etag"].string_or("");
  made.info.last_modified = time_from(json["last_modified_us"]);
  made.info.attributes = attributes_from(json);
  made.info.checksum.algorithm = json["checksum_algorithm"].string_or("");
  made.info.checksum.value = json["checksum"].string_or("");
  // The blob's name becomes a path: nothing but what put() makes may stand there.
  if (made.info.key.empty() || made.blob.empty() ||
      made.blob.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Error{Errc::kMalformed, "an object description without key or blob"};
  }
  return made;
}

std::string to_text(const UploadInfo& upload) {
  auto json = Json::object({{"format", kFormat},
                            {"key", upload.key},
                            {"initiated_us", micros(upload.initiated)},
                            {"checksum_algorithm", upload.checksum_algorithm}});
  add(json, upload.attributes);
  return json.dump(1);
}

Result<UploadInfo> upload_from(std::string_view text, std::string id) {
  auto parsed = parse(text);
  if (!parsed) return parsed.error();
  UploadInfo made;
  made.id = std::move(id);
  made.key = (*parsed)["key"].string_or("");
  made.initiated = time_from((*parsed)["initiated_us"]);
  made.checksum_algorithm = (*parsed)["checksum_algorithm"].string_or("");
  made.attributes = attributes_from(*parsed);
  if (made.key.empty()) return Error{Errc::kMalformed, "an upload without a key"};
  return made;
}

std::string to_text(const Bucket& bucket) {
  auto json = Json::object({{"format", kFormat}, {"region", bucket.region}, {"created_us", micros(bucket.created)}});
  if (bucket.from_stack) json.set("from_stack", true);
  if (bucket.force_destroy) json.set("force_destroy", true);
  return json.dump(1);
}

Result<Bucket> bucket_from(std::string_view text, std::string name) {
  auto parsed = parse(text);
  if (!parsed) return parsed.error();
  return Bucket{std::move(name), std::string((*parsed)["region"].string_or("")), time_from((*parsed)["created_us"]),
                (*parsed)["from_stack"].bool_or(false), (*parsed)["force_destroy"].bool_or(false)};
}

}  // namespace securebase::objects
