// Uploads in parts: CreateMultipartUpload, UploadPart, UploadPartCopy, CompleteMultipartUpload, AbortMultipartUpload,
// ListParts, ListMultipartUploads.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "objects/s3.h"
#include "objects/shelf.h"

namespace securebase::objects::s3 {

using aws::Answer;
using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

namespace {

constexpr std::uint64_t kLeastPartBytes = 5 << 20;  // S3's own, of every part but the last

Fault no_such_upload(std::string_view id) {
  return {"NoSuchUpload",
          "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
          "completed.",
          404, Value::structure({{"UploadId", id}})};
}

// What of an upload the input names.
struct Named {
  std::string bucket, key, id;
};
Named named_by(const Call& call) {
  return {std::string(call.input["Bucket"].string_or("")), std::string(call.input["Key"].string_or("")),
          std::string(call.input["UploadId"].string_or(""))};
}

Fault upload_fault(const Objects& objects, const Named& named, const Error& error) {
  if (error.code == Errc::kNotFound && objects.has_bucket(named.bucket)) return no_such_upload(named.id);
  if (error.code == Errc::kConflict) {
    return {"OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. Try again.",
            409,
            {}};
  }
  return s3::fault_of(objects, named.bucket, named.key, error);
}

Outcome create(Objects& objects, const Call& call) {
  const auto named = named_by(call);
  if (auto refused = refuse_settings(call.input)) return *refused;
  auto attributes = attributes_of(call.input);
  if (!attributes) return attributes.error();
  auto upload = objects.begin_upload(named.bucket, named.key, std::move(*attributes),
                                     call.input["ChecksumAlgorithm"].string_or(""));
  if (!upload) return upload_fault(objects, named, upload.error());
  auto output = Value::structure({{"Bucket", named.bucket}, {"Key", named.key}, {"UploadId", upload->id}});
  if (!upload->checksum_algorithm.empty()) output.set("ChecksumAlgorithm", upload->checksum_algorithm);
  return Answer(std::move(output));
}

Result<int, Fault> part_number_of(const Call& call) {
  const auto number = call.input["PartNumber"].integer_or(0);
  if (number >= 1 && number <= kMaxParts) return static_cast<int>(number);
  return invalid_argument("partNumber", std::to_string(number),
                          "Part number must be an integer between 1 and 10000, inclusive");
}

Outcome keep(Objects& objects, const Named& named, int number, std::unique_ptr<Incoming> bytes, bool copied) {
  auto part = objects.keep_part(named.bucket, named.key, named.id, number, std::move(bytes));
  if (!part) return upload_fault(objects, named, part.error());
  auto said = Value::structure({{"ETag", part->etag}});
  put_checksum(said, part->checksum);
  if (!copied) return Answer(std::move(said));
  said.set("LastModified", part->last_modified);
  return Answer(Value::structure({{"CopyPartResult", std::move(said)}}));
}

net::Task<Outcome> upload_part(Room room, Call& call) {
  const auto named = named_by(call);
  if (auto refused = refuse_settings(call.input)) co_return *refused;
  auto number = part_number_of(call);
  if (!number) co_return number.error();
  auto upload = room.objects.upload(named.bucket, named.key, named.id);
  if (!upload) co_return upload_fault(room.objects, named, upload.error());
  auto algorithm = checksum_algorithm_of(call);
  if (algorithm.empty()) algorithm = upload->checksum_algorithm;
  if (!upload->checksum_algorithm.empty() && algorithm != upload->checksum_algorithm) {
    Fault other{"InvalidRequest",
                fmt::format("Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                            upload->checksum_algorithm, algorithm),
                400,
                {}};
    co_return other;
  }
  auto begun = co_await room.pool.run([&] { return room.objects.begin(named.bucket, algorithm); });
  if (!begun) co_return upload_fault(room.objects, named, begun.error());
  if (!*begun) co_return upload_fault(room.objects, named, begun->error());
  auto bytes = std::move(**begun);
  auto received = co_await receive(call, room.pool, *bytes);
  if (!received) co_return received.error();
  auto work = [&]() -> Outcome {
    if (auto finished = bytes->finish(); !finished) return upload_fault(room.objects, named, finished.error());
    if (auto wrong = wrong_digest(call.input, *bytes)) return *wrong;
    return keep(room.objects, named, *number, std::move(bytes), false);
  };
  auto outcome = co_await room.pool.run(work);
  if (!outcome) co_return upload_fault(room.objects, named, outcome.error());
  co_return std::move(*outcome);
}

Outcome upload_part_copy(Objects& objects, const Call& call) {
  const auto named = named_by(call);
  if (auto refused = refuse_settings(call.input)) return *refused;
  auto number = part_number_of(call);
  if (!number) return number.error();
  auto upload = objects.upload(named.bucket, named.key, named.id);
  if (!upload) return upload_fault(objects, named, upload.error());
  auto source = source_of(call.input);
  if (!source) return source.error();
  const auto info = objects.head(source->bucket, source->key);
  if (!info) return s3::fault_of(objects, source->bucket, source->key, info.error());
  if (judge(conditions_of(call.input, "CopySource"), **info) != Verdict::kGo) {
    return precondition_failed("x-amz-copy-source-If-...");
  }
  Span span;
  if (const auto text = call.input["CopySourceRange"].string_or(""); !text.empty()) {
    const auto range = range_of(text, (*info)->size);
    // Not as in reads: both ends have to be said, and to lie within.
    const auto whole = range ? fmt::format("bytes={}-{}", range->first, range->first + range->length - 1) : "";
    if (!range || range->length == 0 || whole != text) {
      return invalid_argument("x-amz-copy-source-range", text,
                              "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
                              "last are the zero-based offsets of the first and last bytes to copy");
    }
    span = *range;
  }
  auto bytes = objects.read_into_part(source->bucket, source->key, span, named.bucket, upload->checksum_algorithm);
  if (!bytes) return s3::fault_of(objects, source->bucket, source->key, bytes.error());
  if (auto finished = (*bytes)->finish(); !finished) return upload_fault(objects, named, finished.error());
  return keep(objects, named, *number, std::move(*bytes), true);
}

// The parts that the client says the object consists of, against those that are there.
Result<std::vector<int>, Fault> chosen_parts(const Value& asked, const std::vector<Part>& there) {
  std::int64_t before = 0;
  for (const auto& each : asked.elements()) {
    const auto number = each["PartNumber"].integer_or(0);
    if (std::exchange(before, number) >= number) {
      return Fault{"InvalidPartOrder",
                   "The list of parts was not in ascending order. The parts list must be specified in order by part "
                   "number.",
                   400,
                   {}};
    }
  }
  std::vector<int> numbers;
  for (const auto& each : asked.elements()) {
    const auto number = each["PartNumber"].integer_or(0);
    const auto found =
        std::find_if(there.begin(), there.end(), [number](const Part& part) { return part.number == number; });
    std::string etag(each["ETag"].string_or(""));
    if (!etag.starts_with('"')) etag = '"' + etag + '"';
    if (found == there.end() || found->etag != etag) {
      return Fault{"InvalidPart",
                   "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
                   "specified entity tag may not match the part's entity tag.",
                   400, Value::structure({{"PartNumber", number}, {"ETag", etag}})};
    }
    if (const bool last = numbers.size() + 1 == asked.elements().size(); !last && found->size < kLeastPartBytes) {
      return Fault{"EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400,
                   Value::structure({{"ProposedSize", std::to_string(found->size)},
                                     {"MinSizeAllowed", std::to_string(kLeastPartBytes)},
                                     {"PartNumber", number},
                                     {"ETag", etag}})};
    }
    numbers.push_back(static_cast<int>(number));
  }
  if (numbers.empty()) {
    return Fault{"MalformedXML", "The XML you provided was not well-formed: no parts were specified", 400, {}};
  }
  return numbers;
}

Outcome complete(Objects& objects, const Call& call) {
  const auto named = named_by(call);
  auto conditions = write_conditions_of(call);
  if (!conditions) return conditions.error();
  auto there = objects.parts(named.bucket, named.key, named.id);
  if (!there) return upload_fault(objects, named, there.error());
  auto numbers = chosen_parts(call.input["MultipartUpload"]["Parts"], *there);
  if (!numbers) return numbers.error();
  auto made = objects.complete_upload(named.bucket, named.key, named.id, *numbers, *conditions);
  if (!made) {
    const bool conditional = conditions->absent || !conditions->has_etag.empty();
    if (made.error().code == Errc::kConflict && conditional) return precondition_failed("If-None-Match");
    return upload_fault(objects, named, made.error());
  }
  auto output = Value::structure({{"Location", fmt::format("/{}/{}", named.bucket, named.key)},
                                  {"Bucket", named.bucket},
                                  {"Key", named.key},
                                  {"ETag", (*made)->etag}});
  put_checksum(output, (*made)->checksum);
  return Answer(std::move(output));
}

Outcome abort(Objects& objects, const Call& call) {
  const auto named = named_by(call);
  auto gone = objects.abort_upload(named.bucket, named.key, named.id);
  if (!gone) return upload_fault(objects, named, gone.error());
  return Answer();
}

Outcome list_parts(Objects& objects, const Call& call) {
  const auto named = named_by(call);
  auto upload = objects.upload(named.bucket, named.key, named.id);
  if (!upload) return upload_fault(objects, named, upload.error());
  auto parts = objects.parts(named.bucket, named.key, named.id);
  if (!parts) return upload_fault(objects, named, parts.error());
  const auto limit = std::clamp<std::int64_t>(call.input["MaxParts"].integer_or(kMostListed), 0, kMostListed);
  // A text in some models, a number in others.
  const auto& said = call.input["PartNumberMarker"];
  const auto marker = said.integer_or(std::atoll(std::string(said.string_or("0")).c_str()));
  Value::List listed;
  std::int64_t last = marker;
  bool truncated = false;
  for (const auto& part : *parts) {
    if (part.number <= marker) continue;
    truncated = static_cast<std::int64_t>(listed.size()) == limit;
    if (truncated) break;
    auto one = Value::structure(
        {{"PartNumber", part.number}, {"LastModified", part.last_modified}, {"ETag", part.etag}, {"Size", part.size}});
    put_checksum(one, part.checksum);
    listed.push_back(std::move(one));
    last = part.number;
  }
  auto output = Value::structure({{"Bucket", named.bucket},
                                  {"Key", named.key},
                                  {"UploadId", named.id},
                                  {"PartNumberMarker", marker},
                                  {"NextPartNumberMarker", last},
                                  {"MaxParts", limit},
                                  {"IsTruncated", truncated},
                                  {"Initiator", owner(call)},
                                  {"Owner", owner(call)},
                                  {"StorageClass", "STANDARD"}});
  if (!listed.empty()) output.set("Parts", std::move(listed));
  if (!upload->checksum_algorithm.empty()) output.set("ChecksumAlgorithm", upload->checksum_algorithm);
  return Answer(std::move(output));
}

Outcome list_uploads(Objects& objects, const Call& call) {
  const auto& input = call.input;
  const auto bucket = input["Bucket"].string_or("");
  auto uploads = objects.uploads(bucket);
  if (!uploads) return no_such_bucket(bucket);
  const auto prefix = input["Prefix"].string_or(""), delimiter = input["Delimiter"].string_or("");
  const auto key_marker = input["KeyMarker"].string_or(""), id_marker = input["UploadIdMarker"].string_or("");
  const auto limit = std::clamp<std::int64_t>(input["MaxUploads"].integer_or(kMostListed), 0, kMostListed);
  Value::List listed, prefixes;
  std::string last_key, last_id, last_prefix;
  bool truncated = false, marker_passed = id_marker.empty();
  for (const auto& upload : *uploads) {
    if (!upload.key.starts_with(prefix) || upload.key < key_marker) continue;
    if (upload.key == key_marker) {
      // Behind the upload that the marker names; without one behind all of that key.
      const bool before = !marker_passed || id_marker.empty();
      if (upload.id == id_marker) marker_passed = true;
      if (before) continue;
    }
    const auto cut = delimiter.empty() ? std::string::npos : upload.key.find(delimiter, prefix.size());
    const auto common = cut == std::string::npos ? "" : upload.key.substr(0, cut + delimiter.size());
    if (!common.empty() && (common == last_prefix || common == key_marker)) continue;
    truncated = static_cast<std::int64_t>(listed.size() + prefixes.size()) == limit;
    if (truncated) break;
    last_key = common.empty() ? upload.key : common;
    last_id = common.empty() ? upload.id : "";
    if (!common.empty()) {
      last_prefix = common;
      prefixes.push_back(Value::structure({{"Prefix", encoded(input, common)}}));
      continue;
    }
    listed.push_back(Value::structure({{"UploadId", upload.id},
                                       {"Key", encoded(input, upload.key)},
                                       {"Initiated", upload.initiated},
                                       {"StorageClass", "STANDARD"},
                                       {"Owner", owner(call)},
                                       {"Initiator", owner(call)}}));
  }
  auto output = Value::structure({{"Bucket", bucket},
                                  {"KeyMarker", encoded(input, key_marker)},
                                  {"UploadIdMarker", id_marker},
                                  {"Prefix", encoded(input, prefix)},
                                  {"MaxUploads", limit},
                                  {"IsTruncated", truncated}});
  if (truncated) {
    output.set("NextKeyMarker", encoded(input, last_key));
    output.set("NextUploadIdMarker", last_id);
  }
  if (!delimiter.empty()) output.set("Delimiter", encoded(input, delimiter));
  if (!input["EncodingType"].is_null()) output.set("EncodingType", input["EncodingType"]);
  if (!listed.empty()) output.set("Uploads", std::move(listed));
  if (!prefixes.empty()) output.set("CommonPrefixes", std::move(prefixes));
  return Answer(std::move(output));
}

}  // namespace

void add_uploads(aws::Operations& operations, const Room& room) {
  auto& objects = room.objects;
  operations.add("s3", "CreateMultipartUpload", [&objects](const Call& call) { return create(objects, call); });
  operations.add_on_worker("s3", "UploadPart", [room](Call& call) { return upload_part(room, call); });
  operations.add("s3", "UploadPartCopy", [&objects](const Call& call) { return upload_part_copy(objects, call); });
  operations.add("s3", "CompleteMultipartUpload", [&objects](const Call& call) { return complete(objects, call); });
  operations.add("s3", "AbortMultipartUpload", [&objects](const Call& call) { return abort(objects, call); });
  operations.add("s3", "ListParts", [&objects](const Call& call) { return list_parts(objects, call); });
  operations.add("s3", "ListMultipartUploads", [&objects](const Call& call) { return list_uploads(objects, call); });
}

}  // namespace securebase::objects::s3
