#include "objects/description.h"

#include <fmt/format.h>

#include "base/json.h"

namespace securebase::objects {

namespace {

constexpr std::int64_t kFormat = 1;

}  // namespace

std::string to_text(const Description& description) {
  const ObjectInfo& info = description.info;
  auto metadata = base::Json::object();
  for (const auto& [name, value] : info.attributes.metadata) metadata.set(name, value);
  return base::Json::object({{"format", kFormat},
                             {"key", info.key},
                             {"blob", description.blob},
                             {"size", info.size},
                             {"etag", info.etag},
                             {"last_modified_us", info.last_modified.time_since_epoch().count()},
                             {"content_type", info.attributes.content_type},
                             {"cache_control", info.attributes.cache_control},
                             {"content_encoding", info.attributes.content_encoding},
                             {"content_disposition", info.attributes.content_disposition},
                             {"content_language", info.attributes.content_language},
                             {"metadata", metadata}})
      .dump(1);
}

Result<Description> description_from(std::string_view text) {
  auto parsed = base::Json::parse(text);
  if (!parsed) return parsed.error();
  const base::Json& json = *parsed;
  if (json["format"].integer_or(0) != kFormat) {
    return Error{Errc::kMalformed, fmt::format("an object description of format {}, this version reads format {}",
                                               json["format"].dump(), kFormat)};
  }
  Description made;
  made.blob = json["blob"].string_or("");
  made.info.key = json["key"].string_or("");
  made.info.size = static_cast<std::uint64_t>(json["size"].integer_or(0));
  made.info.etag = json["etag"].string_or("");
  made.info.last_modified = base::TimePoint{std::chrono::microseconds{json["last_modified_us"].integer_or(0)}};
  auto& attributes = made.info.attributes;
  attributes.content_type = json["content_type"].string_or("");
  attributes.cache_control = json["cache_control"].string_or("");
  attributes.content_encoding = json["content_encoding"].string_or("");
  attributes.content_disposition = json["content_disposition"].string_or("");
  attributes.content_language = json["content_language"].string_or("");
  if (const auto* metadata = json["metadata"].as_object()) {
    for (const auto& [name, value] : *metadata) attributes.metadata[name] = value.string_or("");
  }
  // The blob's name becomes a path: nothing but what put() makes may stand there.
  if (made.info.key.empty() || made.blob.empty() ||
      made.blob.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Error{Errc::kMalformed, "an object description without key or blob"};
  }
  return made;
}

}  // namespace securebase::objects
