// Tags of objects: GetObjectTagging, PutObjectTagging, DeleteObjectTagging, and what writes say in x-amz-tagging.
#include <fmt/format.h>

#include "base/encoding.h"
#include "objects/s3.h"

namespace securebase::objects::s3 {

using aws::Answer;
using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

namespace {

// S3 User Guide, "Categorizing your storage using tags".
constexpr std::size_t kMostTags = 10;
constexpr std::size_t kMostKeyCharacters = 128;
constexpr std::size_t kMostValueCharacters = 256;

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::optional<Fault> add(Tags& tags, std::string key, std::string value) {
  const auto invalid = [](std::string message) { return Fault{"InvalidTag", std::move(message), 400, {}}; };
  if (key.empty() || characters(key) > kMostKeyCharacters) {
    return invalid(fmt::format("The TagKey you have provided is invalid: 1 to {} characters", kMostKeyCharacters));
  }
  if (characters(value) > kMostValueCharacters) {
    return invalid(
        fmt::format("The TagValue you have provided is invalid: at most {} characters", kMostValueCharacters));
  }
  if (key.starts_with("aws:")) return invalid("System tags cannot be added/updated by requester");
  if (!tags.emplace(std::move(key), std::move(value)).second) {
    return invalid("Cannot provide multiple Tags with the same key");
  }
  if (tags.size() > kMostTags) return Fault{"BadRequest", "Object tags cannot be greater than 10", 400, {}};
  return std::nullopt;
}

struct Tagged {
  std::string bucket;
  std::string key;
};

Tagged tagged_by(const Call& call) {
  return {std::string(call.input["Bucket"].string_or("")), std::string(call.input["Key"].string_or(""))};
}

Outcome get_tags(const Objects& objects, const Call& call) {
  const auto named = tagged_by(call);
  if (auto refused = refuse_settings(call.input)) return *refused;
  const auto info = objects.head(named.bucket, named.key);
  if (!info) return fault_of(objects, named.bucket, named.key, info.error());
  Value::List set;
  for (const auto& [key, value] : (*info)->attributes.tags) {
    set.push_back(Value::structure({{"Key", key}, {"Value", value}}));
  }
  return Answer(Value::structure({{"TagSet", std::move(set)}}));
}

Outcome change_tags(Objects& objects, const Call& call, Tags tags, int status) {
  const auto named = tagged_by(call);
  auto done = objects.tag(named.bucket, named.key, std::move(tags));
  if (!done) return fault_of(objects, named.bucket, named.key, done.error());
  Answer answer;
  answer.status = status;
  return answer;
}

Outcome put_tags(Objects& objects, const Call& call) {
  Value without = Value::structure({{"VersionId", call.input["VersionId"]}});
  if (auto refused = refuse_settings(without)) return *refused;
  Tags tags;
  for (const auto& tag : call.input["Tagging"]["TagSet"].elements()) {
    auto fault = add(tags, std::string(tag["Key"].string_or("")), std::string(tag["Value"].string_or("")));
    if (fault) return *fault;
  }
  return change_tags(objects, call, std::move(tags), 200);
}

Outcome delete_tags(Objects& objects, const Call& call) {
  if (auto refused = refuse_settings(call.input)) return *refused;
  return change_tags(objects, call, {}, 204);
}

}  // namespace

Result<Tags, Fault> tags_of(std::string_view text) {
  Tags tags;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    auto key = base::percent_decode(pair.substr(0, equals), base::Plus::kSpace);
    auto value = base::percent_decode(pair.substr(std::min(equals + 1, pair.size())), base::Plus::kSpace);
    if (!key || !value) {
      return invalid_argument("x-amz-tagging", pair,
                              "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
                              "parameters without tag name duplicates.");
    }
    if (auto fault = add(tags, std::move(*key), std::move(*value))) return *fault;
  }
  return tags;
}

void add_tags(aws::Operations& operations, const Room& room) {
  auto& objects = room.objects;
  operations.add("s3", "GetObjectTagging", [&objects](const Call& call) { return get_tags(objects, call); });
  operations.add("s3", "PutObjectTagging", [&objects](const Call& call) { return put_tags(objects, call); });
  operations.add("s3", "DeleteObjectTagging", [&objects](const Call& call) { return delete_tags(objects, call); });
}

}  // namespace securebase::objects::s3
