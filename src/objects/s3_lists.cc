// Lists of keys: ListObjectsV2 and ListObjects.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "objects/s3.h"

namespace securebase::objects::s3 {

using aws::Answer;
using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

namespace {

// A token is opaque to its client; it stays valid whatever is put or removed meanwhile.
constexpr std::string_view kToken = "1:";

std::string token_of(std::string_view last) { return base::base64url(fmt::format("{}{}", kToken, last)); }

std::optional<std::string> last_of(std::string_view token) {
  auto text = base::from_base64url(token);
  if (!text || !text->starts_with(kToken)) return std::nullopt;
  return text->substr(kToken.size());
}

Value contents_of(const Listing& page, const Call& call, bool with_owner) {
  Value::List contents;
  for (const auto& info : page.objects) {
    auto one = Value::structure({{"Key", encoded(call.input, info->key)},
                                 {"LastModified", info->last_modified},
                                 {"ETag", info->etag},
                                 {"Size", info->size},
                                 {"StorageClass", "STANDARD"}});
    if (!info->checksum.algorithm.empty()) one.set("ChecksumAlgorithm", Value::list({info->checksum.algorithm}));
    if (with_owner) one.set("Owner", owner(call));
    contents.push_back(std::move(one));
  }
  return contents.empty() ? Value() : Value(std::move(contents));
}

Value prefixes_of(const Listing& page, const Call& call) {
  Value::List prefixes;
  for (const auto& prefix : page.prefixes) {
    prefixes.push_back(Value::structure({{"Prefix", encoded(call.input, prefix)}}));
  }
  return prefixes.empty() ? Value() : Value(std::move(prefixes));
}

// What both versions say alike.
struct Asked {
  std::string_view bucket, prefix, delimiter;
  std::int64_t limit = 0;
};

Result<Asked, Fault> read(const Objects& objects, const Call& call) {
  const auto& input = call.input;
  Asked asked{input["Bucket"].string_or(""), input["Prefix"].string_or(""), input["Delimiter"].string_or(""),
              input["MaxKeys"].integer_or(kMostListed)};
  if (!objects.has_bucket(asked.bucket)) return no_such_bucket(asked.bucket);
  if (asked.limit < 0) {
    return invalid_argument("maxKeys", std::to_string(asked.limit),
                            "Argument maxKeys must be an integer between 0 and 2147483647");
  }
  const auto encoding = input["EncodingType"].string_or("url");
  if (encoding != "url")
    return invalid_argument("encoding-type", encoding, "Invalid Encoding Method specified in Request");
  asked.limit = std::min<std::int64_t>(asked.limit, kMostListed);
  return asked;
}

Value answer_to(const Asked& asked, const Listing& page, const Call& call, bool with_owner) {
  const auto& input = call.input;
  auto output = Value::structure({{"Name", asked.bucket},
                                  {"Prefix", encoded(input, asked.prefix)},
                                  {"MaxKeys", asked.limit},
                                  {"IsTruncated", page.truncated},
                                  {"Contents", contents_of(page, call, with_owner)},
                                  {"CommonPrefixes", prefixes_of(page, call)}});
  if (!asked.delimiter.empty()) output.set("Delimiter", encoded(input, asked.delimiter));
  if (!input["EncodingType"].is_null()) output.set("EncodingType", input["EncodingType"]);
  return output;
}

Outcome list_objects_v2(Objects& objects, const Call& call) {
  auto asked = read(objects, call);
  if (!asked) return asked.error();
  const auto& input = call.input;
  std::string after(input["StartAfter"].string_or(""));
  const auto* token = input["ContinuationToken"].as_string();
  if (token) {
    auto last = last_of(*token);
    if (!last) return invalid_argument("continuation-token", *token, "The continuation token provided is incorrect");
    after = std::move(*last);
  }
  const auto page =
      objects.list_page(asked->bucket, asked->prefix, asked->delimiter, after, static_cast<std::size_t>(asked->limit));
  auto output = answer_to(*asked, page, call, input["FetchOwner"].bool_or(false));
  output.set("KeyCount", page.objects.size() + page.prefixes.size());
  if (!input["StartAfter"].is_null()) output.set("StartAfter", encoded(input, input["StartAfter"].string_or("")));
  if (token) output.set("ContinuationToken", *token);
  if (page.truncated) output.set("NextContinuationToken", token_of(page.last));
  return Answer(std::move(output));
}

Outcome list_objects(Objects& objects, const Call& call) {
  auto asked = read(objects, call);
  if (!asked) return asked.error();
  const auto marker = call.input["Marker"].string_or("");
  const auto page =
      objects.list_page(asked->bucket, asked->prefix, asked->delimiter, marker, static_cast<std::size_t>(asked->limit));
  auto output = answer_to(*asked, page, call, true);
  output.set("Marker", encoded(call.input, marker));
  // Only with a delimiter: else the last key is the next marker.
  if (page.truncated && !asked->delimiter.empty()) output.set("NextMarker", encoded(call.input, page.last));
  return Answer(std::move(output));
}

}  // namespace

void add_lists(aws::Operations& operations, const Room& room) {
  auto& objects = room.objects;
  operations.add("s3", "ListObjectsV2", [&objects](const Call& call) { return list_objects_v2(objects, call); });
  operations.add("s3", "ListObjects", [&objects](const Call& call) { return list_objects(objects, call); });
}

}  // namespace securebase::objects::s3
