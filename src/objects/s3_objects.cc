// Objects: GetObject, HeadObject, PutObject, CopyObject, DeleteObject, DeleteObjects.
#include <fmt/format.h>

#include "objects/s3.h"

namespace securebase::objects::s3 {

using aws::Answer;
using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

namespace {

// ---- Reads

void put_attributes(Value& output, http::Headers& headers, const ObjectInfo& info) {
  const auto put = [&output](const char* member, const std::string& text) {
    if (!text.empty()) output.set(member, text);
  };
  const auto& attributes = info.attributes;
  output.set("AcceptRanges", "bytes");
  output.set("LastModified", info.last_modified);
  output.set("ETag", info.etag);
  put("ContentType", attributes.content_type);
  put("CacheControl", attributes.cache_control);
  put("ContentEncoding", attributes.content_encoding);
  put("ContentDisposition", attributes.content_disposition);
  put("ContentLanguage", attributes.content_language);
  if (!attributes.expires.empty()) headers.add("Expires", attributes.expires);
  if (!attributes.tags.empty()) headers.add("x-amz-tagging-count", std::to_string(attributes.tags.size()));
  if (attributes.metadata.empty()) return;
  auto metadata = Value::structure();
  for (const auto& [name, value] : attributes.metadata) metadata.set(name, value);
  output.set("Metadata", std::move(metadata));
}

// response-content-type and its like: what this one answer says in place of what is stored.
void override_attributes(Value& output, http::Headers& headers, const Value& input) {
  for (const char* member :
       {"ContentType", "CacheControl", "ContentEncoding", "ContentDisposition", "ContentLanguage"}) {
    const auto& said = input[fmt::format("Response{}", member)];
    if (!said.is_null()) output.set(member, said);
  }
  if (const auto* expires = input["ResponseExpires"].as_time()) headers.set("Expires", base::http_date(*expires));
}

// What a read is about and what of it is wanted, or why nothing is.
struct Wanted {
  std::shared_ptr<const ObjectInfo> info;
  std::optional<Span> range;
  bool not_modified = false;
};

Result<Wanted, Fault> look(const Objects& objects, const Call& call) {
  const auto& input = call.input;
  const auto bucket = input["Bucket"].string_or(""), key = input["Key"].string_or("");
  if (auto refused = refuse_settings(input)) return *refused;
  if (!input["PartNumber"].is_null()) return not_implemented("partNumber of a read");
  auto info = objects.head(bucket, key);
  if (!info) return fault_of(objects, bucket, key, info.error());
  Wanted wanted;
  wanted.info = std::move(*info);
  const auto verdict = judge(conditions_of(input), *wanted.info);
  if (verdict == Verdict::kFailed) {
    return precondition_failed(input["IfMatch"].is_null() ? "If-Unmodified-Since" : "If-Match");
  }
  wanted.not_modified = verdict == Verdict::kNotModified;
  wanted.range = range_of(input["Range"].string_or(""), wanted.info->size);
  if (wanted.range && wanted.range->length == 0) {
    return Fault{"InvalidRange", "The requested range is not satisfiable", 416,
                 Value::structure(
                     {{"RangeRequested", input["Range"]}, {"ActualObjectSize", std::to_string(wanted.info->size)}})};
  }
  return wanted;
}

Answer answer_to(const Wanted& wanted, const Call& call) {
  Answer answer;
  const auto& info = *wanted.info;
  if (wanted.not_modified) {
    answer.status = 304;
    answer.output = Value::structure({{"ETag", info.etag}, {"LastModified", info.last_modified}});
    return answer;
  }
  answer.output = Value::structure();
  put_attributes(answer.output, answer.headers, info);
  override_attributes(answer.output, answer.headers, call.input);
  answer.output.set("ContentLength", wanted.range ? wanted.range->length : info.size);
  if (wanted.range) {
    answer.status = 206;
    answer.output.set("ContentRange", fmt::format("bytes {}-{}/{}", wanted.range->first,
                                                  wanted.range->first + wanted.range->length - 1, info.size));
  } else if (call.input["ChecksumMode"].string_or("") == "ENABLED") {
    put_checksum(answer.output, info.checksum);  // it is of all the bytes
  }
  return answer;
}

net::Task<Outcome> get_object(Room room, Call& call) {
  // What was looked at is what is sent: an object that is replaced in between is looked at again.
  constexpr int kMostTurns = 100;
  for (int turn = 0; turn < kMostTurns; ++turn) {
    auto wanted = look(room.objects, call);
    if (!wanted) co_return wanted.error();
    auto answer = answer_to(*wanted, call);
    if (wanted->not_modified) co_return answer;
    const auto bucket = call.input["Bucket"].string_or(""), key = call.input["Key"].string_or("");
    auto object = co_await room.objects.get(std::string(bucket), std::string(key), wanted->range.value_or(Span{}));
    if (!object) co_return fault_of(room.objects, bucket, key, object.error());
    if (object->info != wanted->info) continue;
    answer.payload = std::move(object->body);
    co_return answer;
  }
  Fault busy{"OperationAborted", "The object changes too quickly to be read; try again", 409, {}};
  co_return busy;
}

Outcome head_object(Objects& objects, const Call& call) {
  auto wanted = look(objects, call);
  if (!wanted) return wanted.error();
  return answer_to(*wanted, call);
}

// ---- Writes

net::Task<Outcome> put_object(Room room, Call& call) {
  const std::string bucket(call.input["Bucket"].string_or("")), key(call.input["Key"].string_or(""));
  if (auto refused = refuse_settings(call.input)) co_return *refused;
  auto conditions = write_conditions_of(call);
  if (!conditions) co_return conditions.error();
  auto attributes = attributes_of(call.input);
  if (!attributes) co_return attributes.error();
  const auto algorithm = checksum_algorithm_of(call);
  auto begun = co_await room.pool.run([&] { return room.objects.begin(bucket, algorithm); });
  if (!begun) co_return fault_of(room.objects, bucket, key, begun.error());
  if (!*begun) co_return fault_of(room.objects, bucket, key, begun->error());
  auto bytes = std::move(**begun);
  auto received = co_await receive(call, room.pool, *bytes);
  if (!received) co_return received.error();
  auto work = [&]() -> Outcome {
    if (auto finished = bytes->finish(); !finished) return fault_of(room.objects, bucket, key, finished.error());
    if (auto wrong = wrong_digest(call.input, *bytes)) return *wrong;
    auto kept = room.objects.keep(bucket, key, std::move(bytes), std::move(*attributes), *conditions);
    if (!kept) return fault_of(room.objects, bucket, key, kept.error());
    auto output = Value::structure({{"ETag", (*kept)->etag}});
    put_checksum(output, (*kept)->checksum);
    return Answer(std::move(output));
  };
  auto outcome = co_await room.pool.run(work);
  if (!outcome) co_return fault_of(room.objects, bucket, key, outcome.error());
  co_return std::move(*outcome);
}

Outcome copy_object(Objects& objects, const Call& call) {
  const auto& input = call.input;
  const auto bucket = input["Bucket"].string_or(""), key = input["Key"].string_or("");
  if (auto refused = refuse_settings(input)) return *refused;
  auto source = source_of(input);
  if (!source) return source.error();
  const auto directive = input["MetadataDirective"].string_or("COPY");
  if (directive != "COPY" && directive != "REPLACE") {
    return invalid_argument("x-amz-metadata-directive", directive, "Unknown metadata directive.");
  }
  const auto tagging = input["TaggingDirective"].string_or("COPY");
  if (tagging != "COPY" && tagging != "REPLACE") {
    return invalid_argument("x-amz-tagging-directive", tagging, "Unknown tagging directive.");
  }
  if (directive == "COPY" && tagging == "COPY" && source->bucket == bucket && source->key == key) {
    return Fault{"InvalidRequest",
                 "This copy request is illegal because it is trying to copy an object to itself without changing the "
                 "object's metadata, storage class, website redirect location or encryption attributes.",
                 400,
                 {}};
  }
  if (!objects.has_bucket(bucket)) return no_such_bucket(bucket);
  const auto info = objects.head(source->bucket, source->key);
  if (!info) return fault_of(objects, source->bucket, source->key, info.error());
  if (judge(conditions_of(input, "CopySource"), **info) != Verdict::kGo) {
    return precondition_failed("x-amz-copy-source-If-...");
  }
  auto said = attributes_of(input);
  if (!said) return said.error();
  Attributes attributes = directive == "REPLACE" ? *said : (*info)->attributes;
  attributes.tags = tagging == "REPLACE" ? said->tags : (*info)->attributes.tags;
  auto made = objects.copy(source->bucket, source->key, (*info)->etag, bucket, key, &attributes);
  if (!made) return fault_of(objects, bucket, key, made.error());
  auto result = Value::structure({{"ETag", (*made)->etag}, {"LastModified", (*made)->last_modified}});
  put_checksum(result, (*made)->checksum);
  return Answer(Value::structure({{"CopyObjectResult", std::move(result)}}));
}

Outcome delete_object(Objects& objects, const Call& call) {
  const auto bucket = call.input["Bucket"].string_or(""), key = call.input["Key"].string_or("");
  if (auto refused = refuse_settings(call.input)) return *refused;
  auto gone = objects.remove(bucket, key);
  if (!gone) return fault_of(objects, bucket, key, gone.error());
  return Answer();
}

Outcome delete_objects(Objects& objects, const Call& call) {
  const auto bucket = call.input["Bucket"].string_or("");
  if (!objects.has_bucket(bucket)) return no_such_bucket(bucket);
  const auto& asked = call.input["Delete"]["Objects"].elements();
  if (asked.empty() || asked.size() > kMostListed) {
    return Fault{
        "MalformedXML",
        fmt::format("The XML you provided was not well-formed or did not validate against our published schema: "
                    "1 to {} objects, not {}",
                    kMostListed, asked.size()),
        400,
        {}};
  }
  const bool quiet = call.input["Delete"]["Quiet"].bool_or(false);
  Value::List deleted, errors;
  for (const auto& each : asked) {
    const auto key = each["Key"].string_or("");
    std::optional<Fault> fault = refuse_settings(each);
    if (!fault) {
      if (auto gone = objects.remove(bucket, key); !gone) fault = fault_of(objects, bucket, key, gone.error());
    }
    if (fault) {
      errors.push_back(Value::structure({{"Key", key}, {"Code", fault->code}, {"Message", fault->message}}));
    } else if (!quiet) {
      deleted.push_back(Value::structure({{"Key", key}}));
    }
  }
  auto output = Value::structure();
  if (!deleted.empty()) output.set("Deleted", std::move(deleted));
  if (!errors.empty()) output.set("Errors", std::move(errors));
  return Answer(std::move(output));
}

}  // namespace

void add_objects(aws::Operations& operations, const Room& room) {
  auto& objects = room.objects;
  operations.add_on_worker("s3", "GetObject", [room](Call& call) { return get_object(room, call); });
  operations.add("s3", "HeadObject", [&objects](const Call& call) { return head_object(objects, call); });
  operations.add_on_worker("s3", "PutObject", [room](Call& call) { return put_object(room, call); });
  operations.add("s3", "CopyObject", [&objects](const Call& call) { return copy_object(objects, call); });
  operations.add("s3", "DeleteObject", [&objects](const Call& call) { return delete_object(objects, call); });
  operations.add("s3", "DeleteObjects", [&objects](const Call& call) { return delete_objects(objects, call); });
}

}  // namespace securebase::objects::s3
