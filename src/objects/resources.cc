// aws_s3_bucket and aws_s3_object. What the provider splits off a bucket into resources of its own (versioning,
// encryption, public access blocks, policies) is known to the reader and not acted on.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "objects/objects.h"
#include "stack/declare.h"

namespace securebase::objects {

namespace {

using stack::Context;

struct BucketResource {
  std::optional<std::string> bucket;
  std::optional<std::string> bucket_prefix;
  std::optional<bool> force_destroy;
  std::map<std::string, std::string> tags;
};

struct ObjectResource {
  std::string bucket;
  std::string key;
  std::optional<std::string> source;
  std::optional<std::string> content;
  std::optional<std::string> content_base64;
  std::string content_type;
  std::string cache_control;
  std::string content_encoding;
  std::string content_disposition;
  std::string content_language;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> tags;
  std::optional<std::string> etag;
};

// A bucket without a name of its own gets one from its address, the same at every start.
std::string name_of(const BucketResource& bucket, const Context& context) {
  if (bucket.bucket) return *bucket.bucket;
  const std::string suffix = base::hex(base::sha256(context.address)).substr(0, 12);
  return bucket.bucket_prefix.value_or("terraform-") + suffix;
}

int sources_of(const ObjectResource& object) {
  return int{object.source.has_value()} + int{object.content.has_value()} + int{object.content_base64.has_value()};
}

const auto& bucket_declaration() {
  static const auto made =
      stack::resource<BucketResource>("aws_s3_bucket", "objects", "A bucket: objects under keys.")
          .attribute("bucket", &BucketResource::bucket, std::nullopt, "Its name; made from the address when not set.")
          .replaces()
          .attribute("bucket_prefix", &BucketResource::bucket_prefix, std::nullopt, "What the made name begins with.")
          .replaces()
          .attribute("force_destroy", &BucketResource::force_destroy, std::nullopt,
                     "Whether a bucket that still has objects may be destroyed.")
          .attribute("tags", &BucketResource::tags, {}, "Labels.")
          .computed("id", [](const BucketResource& b, const Context& c) { return name_of(b, c); })
          .computed("bucket", [](const BucketResource& b, const Context& c) { return name_of(b, c); })
          .computed("arn", [](const BucketResource& b, const Context& c) { return "arn:aws:s3:::" + name_of(b, c); })
          .computed("region", [](const BucketResource&, const Context& c) { return c.region; })
          .computed("hosted_zone_id", [](const BucketResource&) { return "Z3AQBSTGFYJSTF"; })
          .computed("bucket_domain_name",
                    [](const BucketResource& b, const Context& c) { return name_of(b, c) + ".s3.amazonaws.com"; })
          .computed("bucket_regional_domain_name", [](const BucketResource& b, const Context& c) {
            return fmt::format("{}.s3.{}.amazonaws.com", name_of(b, c), c.region);
          });
  return made;
}

const auto& object_declaration() {
  static const auto made =
      stack::resource<ObjectResource>("aws_s3_object", "objects", "An object, put when it differs.")
          .required("bucket", &ObjectResource::bucket, "The bucket's name.")
          .replaces()
          .required("key", &ObjectResource::key, stack::length(1, 1024), "The object's key.")
          .replaces()
          .attribute("source", &ObjectResource::source, std::nullopt, "The file with its bytes.")
          .attribute("content", &ObjectResource::content, std::nullopt, "Its bytes, as text.")
          .attribute("content_base64", &ObjectResource::content_base64, std::nullopt, "Its bytes, in base64.")
          .attribute("content_type", &ObjectResource::content_type, "binary/octet-stream", "Its media type.")
          .effect("replaces the object's description; the edge keeps what it has until it is invalidated")
          .attribute("cache_control", &ObjectResource::cache_control, "", "Cache-Control of its responses.")
          .attribute("content_encoding", &ObjectResource::content_encoding, "", "Content-Encoding of its responses.")
          .attribute("content_disposition", &ObjectResource::content_disposition, "", "Content-Disposition.")
          .attribute("content_language", &ObjectResource::content_language, "", "Content-Language.")
          .attribute("metadata", &ObjectResource::metadata, {}, "x-amz-meta-* of its responses.")
          .attribute("etag", &ObjectResource::etag, std::nullopt, "What makes Terraform see that the bytes changed.")
          .known("source_hash", "the bytes themselves are compared")
          .known("force_destroy")
          .attribute("tags", &ObjectResource::tags, {}, "Its tags.")
          .known("acl", "who may read is the distribution's")
          .known("storage_class", "one machine has one class of storage")
          .known("server_side_encryption")
          .known("bucket_key_enabled")
          .known("kms_key_id")
          .known("website_redirect")
          .known("checksum_algorithm")
          .computed("id", [](const ObjectResource& o) { return o.key; })
          .computed("arn", [](const ObjectResource& o) { return fmt::format("arn:aws:s3:::{}/{}", o.bucket, o.key); })
          .computed("version_id", [](const ObjectResource&) { return "null"; })
          .rule("Only one of source, content and content_base64 is set.",
                [](const ObjectResource& o) { return sources_of(o) <= 1; });
  return made;
}

}  // namespace

void declare(stack::Catalogue& catalogue) {
  catalogue.add(bucket_declaration());
  catalogue.add(object_declaration());
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  Config config;
  stack::Diagnostics problems;
  const auto problem = [&](const stack::Resource& resource, std::string summary, std::string detail) {
    problems.error(std::move(summary), std::move(detail), resource.range());
  };

  for (const auto& found : stack.all<BucketResource>("aws_s3_bucket")) {
    const std::string& name = found.resource.attributes["bucket"].string();
    if (auto valid = check_bucket_name(name); !valid)
      problem(found.resource, "Invalid bucket name", valid.error().message);
    config.buckets.push_back({name, stack.region, found.value.force_destroy.value_or(false)});
  }
  for (const auto& found : stack.all<ObjectResource>("aws_s3_object")) {
    const ObjectResource& object = found.value;
    Config::Upload upload{found.resource.address,
                          object.bucket,
                          object.key,
                          {},
                          object.content.value_or(""),
                          {object.content_type, object.cache_control, object.content_encoding,
                           object.content_disposition, object.content_language, object.metadata, "", object.tags}};
    const auto has = [&](const Config::Bucket& bucket) { return bucket.name == object.bucket; };
    if (std::none_of(config.buckets.begin(), config.buckets.end(), has)) {
      problem(
          found.resource, "Missing bucket",
          fmt::format("{} puts \"{}\" into the bucket \"{}\", which no aws_s3_bucket of this stack makes. Add one, or "
                      "refer to it: bucket = aws_s3_bucket.NAME.id",
                      found.resource.address, object.key, object.bucket));
    }
    if (object.source) {
      upload.source = std::filesystem::path(*object.source);
      // As Terraform: relative to where it runs, which is the root module's directory.
      if (upload.source.is_relative()) upload.source = stack.directory / upload.source;
      std::error_code failure;
      if (!std::filesystem::is_regular_file(upload.source, failure)) {
        problem(
            found.resource, "Missing file",
            fmt::format("{}: there is no file {}", found.resource.address, upload.source.lexically_normal().native()));
      }
    }
    if (object.content_base64) {
      auto bytes = base::from_base64(*object.content_base64);
      if (!bytes) problem(found.resource, "Invalid base64", "content_base64 is not base64 (RFC 4648 §4)");
      upload.content = bytes.value_or("");
    }
    config.uploads.push_back(std::move(upload));
  }
  if (!problems.empty()) return problems;
  return std::make_shared<const Config>(std::move(config));
}

}  // namespace securebase::objects
