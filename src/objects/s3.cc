#include "objects/s3.h"

#include <fmt/format.h>

#include <charconv>

#include "base/encoding.h"
#include "base/hash.h"
#include "objects/shelf.h"

namespace securebase::objects::s3 {

using aws::Fault;
using aws::Value;

namespace {

constexpr std::string_view kAlgorithms[] = {"CRC32", "CRC32C", "SHA1", "SHA256"};

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return made;
}

std::string_view bare(std::string_view etag) {
  while (etag.starts_with(' ')) etag.remove_prefix(1);
  while (etag.ends_with(' ')) etag.remove_suffix(1);
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
  return etag;
}

bool names(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    const auto one = bare(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (one == "*" || one == bare(etag)) return true;
  }
  return false;
}

}  // namespace

// ---- Faults

Fault no_such_bucket(std::string_view bucket) {
  return {"NoSuchBucket", "The specified bucket does not exist", 404, Value::structure({{"BucketName", bucket}})};
}
Fault no_such_key(std::string_view key) {
  return {"NoSuchKey", "The specified key does not exist.", 404, Value::structure({{"Key", key}})};
}
Fault invalid_argument(std::string_view name, std::string_view value, std::string_view message) {
  return {"InvalidArgument", std::string(message), 400,
          Value::structure({{"ArgumentName", name}, {"ArgumentValue", value}})};
}
Fault not_implemented(std::string_view what) {
  return {"NotImplemented", fmt::format("{} is not to be had here: docs/objects.md lists what is", what), 501, {}};
}
Fault precondition_failed(std::string_view condition) {
  return {"PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412,
          Value::structure({{"Condition", condition}})};
}

Fault fault_of(const Objects& objects, std::string_view bucket, std::string_view key, const Error& error) {
  switch (error.code) {
    case Errc::kNotFound:
      return objects.has_bucket(bucket) ? no_such_key(key) : no_such_bucket(bucket);
    case Errc::kConflict:
      return precondition_failed("If-None-Match");
    case Errc::kMalformed:
      if (key.size() > kMaxKeyBytes) return {"KeyTooLongError", "Your key is too long", 400, {}};
      return {"InvalidRequest", error.message, 400, {}};
    case Errc::kUnsupported:
      return not_implemented(error.message);
    case Errc::kLimit:
    case Errc::kUnavailable:
      return {"SlowDown", error.message, 503, {}};
    default:
      return {"InternalError", error.message, 500, {}};
  }
}

std::optional<Fault> refuse_settings(const Value& input) {
  const auto acl = input["ACL"].string_or("");
  if (!acl.empty() && acl != "private" && acl != "bucket-owner-full-control") {
    return Fault{"AccessControlListNotSupported", "The bucket does not allow ACLs", 400, {}};
  }
  const auto storage = input["StorageClass"].string_or("STANDARD");
  if (storage != "STANDARD") return not_implemented(fmt::format("The storage class {}", storage));
  for (const char* member :
       {"SSECustomerAlgorithm", "SSECustomerKey", "CopySourceSSECustomerAlgorithm", "ServerSideEncryption",
        "SSEKMSKeyId", "WebsiteRedirectLocation", "ObjectLockMode", "ObjectLockRetainUntilDate",
        "ObjectLockLegalHoldStatus", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP", "MFA"}) {
    if (!input[member].is_null()) return not_implemented(member);
  }
  const auto version = input["VersionId"].string_or("null");
  if (version != "null") return invalid_argument("versionId", version, "Invalid version id specified");
  return std::nullopt;
}

// ---- Attributes and checksums

Result<Attributes, Fault> attributes_of(const Value& input) {
  Attributes made;
  auto tags = tags_of(input["Tagging"].string_or(""));
  if (!tags) return tags.error();
  made.tags = std::move(*tags);
  made.content_type = input["ContentType"].string_or(made.content_type);
  made.cache_control = input["CacheControl"].string_or("");
  made.content_encoding = input["ContentEncoding"].string_or("");
  made.content_disposition = input["ContentDisposition"].string_or("");
  made.content_language = input["ContentLanguage"].string_or("");
  if (const auto* expires = input["Expires"].as_time()) made.expires = base::http_date(*expires);
  for (const auto& [name, value] : input["Metadata"].members()) made.metadata[lower(name)] = value.string_or("");
  return made;
}

std::string checksum_algorithm_of(const aws::Call& call) {
  for (const auto algorithm : kAlgorithms) {
    if (!call.input["Checksum" + std::string(algorithm)].is_null()) return std::string(algorithm);
  }
  const auto trailer = lower(call.request.headers.get("x-amz-trailer").value_or(""));
  for (const auto algorithm : kAlgorithms) {
    if (trailer == "x-amz-checksum-" + lower(algorithm)) return std::string(algorithm);
  }
  return std::string(call.input["ChecksumAlgorithm"].string_or(""));
}

void put_checksum(Value& output, const Checksum& checksum) {
  if (!checksum.algorithm.empty()) output.set("Checksum" + checksum.algorithm, checksum.value);
}

std::optional<Fault> wrong_digest(const Value& input, const Incoming& bytes) {
  const auto md5 = input["ContentMD5"].string_or("");
  if (!md5.empty()) {
    const auto digest = base::from_base64(md5);
    if (!digest || digest->size() != 16) {
      return Fault{"InvalidDigest", "The Content-MD5 you specified was invalid", 400, {}};
    }
    if (*digest != bytes.md5()) {
      return Fault{"BadDigest", "The Content-MD5 you specified did not match what we received.", 400, {}};
    }
  }
  const auto& checksum = bytes.checksum();
  const auto said = input["Checksum" + checksum.algorithm].string_or("");
  if (!checksum.algorithm.empty() && !said.empty() && said != checksum.value) {
    return Fault{"BadDigest",
                 fmt::format("The {} you specified did not match the calculated checksum.", checksum.algorithm),
                 400,
                 {}};
  }
  return std::nullopt;
}

// ---- Conditions

ReadConditions conditions_of(const Value& input, std::string_view prefix) {
  const auto member = [&](std::string_view name) -> const Value& { return input[fmt::format("{}{}", prefix, name)]; };
  const auto time = [&](std::string_view name) -> std::optional<base::TimePoint> {
    const auto* found = member(name).as_time();
    return found ? std::optional(*found) : std::nullopt;
  };
  return {member("IfMatch").string_or(""), member("IfNoneMatch").string_or(""), time("IfModifiedSince"),
          time("IfUnmodifiedSince")};
}

Verdict judge(const ReadConditions& conditions, const ObjectInfo& info) {
  // HTTP dates have whole seconds.
  const auto modified = std::chrono::floor<std::chrono::seconds>(info.last_modified);
  if (!conditions.if_match.empty()) {
    if (!names(conditions.if_match, info.etag)) return Verdict::kFailed;
  } else if (conditions.if_unmodified_since && modified > *conditions.if_unmodified_since) {
    return Verdict::kFailed;
  }
  if (!conditions.if_none_match.empty()) {
    if (names(conditions.if_none_match, info.etag)) return Verdict::kNotModified;
  } else if (conditions.if_modified_since && modified <= *conditions.if_modified_since) {
    return Verdict::kNotModified;
  }
  return Verdict::kGo;
}

Result<Conditions, Fault> write_conditions_of(const aws::Call& call) {
  // Members of newer models than this one's; the fields are the same.
  Conditions made;
  const auto absent = call.request.headers.get("If-None-Match").value_or(call.input["IfNoneMatch"].string_or(""));
  if (!absent.empty() && absent != "*") return not_implemented("If-None-Match with an ETag, of a write,");
  made.absent = absent == "*";
  const auto match = call.request.headers.get("If-Match").value_or(call.input["IfMatch"].string_or(""));
  if (!match.empty()) made.has_etag = fmt::format("\"{}\"", bare(match));
  return made;
}

std::optional<Span> range_of(std::string_view text, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (!first && dash != 0) return std::nullopt;
  if (!last && dash + 1 != text.size()) return std::nullopt;
  if (!first && !last) return std::nullopt;
  if (first && last && *last < *first) return std::nullopt;
  if (!first) {  // the last so many
    const auto count = std::min(*last, size);
    return Span{size - count, count};
  }
  if (*first >= size) return Span{*first, 0};
  return Span{*first, std::min(last.value_or(size - 1), size - 1) - *first + 1};
}

// ---- Bytes

namespace {

Fault upload_too_large(std::uint64_t proposed) {
  return {"EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400,
          Value::structure({{"ProposedSize", proposed}, {"MaxSizeAllowed", kMaxPutBytes}})};
}

}  // namespace

net::Task<Result<Done, Fault>> receive(const aws::Call& call, net::Pool& pool, Incoming& bytes) {
  // Before the first byte where the client says how many will come: who waits for "100 Continue" sends none.
  // Of aws-chunked the length has the signatures in it.
  const bool chunked = call.request.headers.has("x-amz-decoded-content-length");
  if (const auto length = call.request.content_length.value_or(0); length > kMaxPutBytes && !chunked) {
    co_return upload_too_large(length);
  }
  while (call.payload) {
    auto piece = co_await call.payload->next();
    if (!piece) {
      Fault broken{"IncompleteBody", piece.error().message, 400, {}};
      co_return broken;
    }
    if (piece->empty()) break;
    if (bytes.size() + piece->size() > kMaxPutBytes) {
      co_return upload_too_large(bytes.size() + piece->size());
    }
    const auto view = *piece;
    auto written = co_await pool.run([&bytes, view] { return bytes.append(view); });
    const auto* error = !written ? &written.error() : !*written ? &written->error() : nullptr;
    if (error) {
      Fault failed{error->code == Errc::kLimit ? "SlowDown" : "InternalError",
                   error->message,
                   error->code == Errc::kLimit ? 503 : 500,
                   {}};
      co_return failed;
    }
  }
  co_return Done{};
}

Result<Source, Fault> source_of(const Value& input) {
  std::string_view text = input["CopySource"].string_or("");
  const auto version = text.find("?versionId=");
  if (version != std::string_view::npos) {
    if (text.substr(version + 11) != "null") {
      return invalid_argument("x-amz-copy-source", text, "Invalid version id specified");
    }
    text = text.substr(0, version);
  }
  auto plain = base::percent_decode(text);
  std::string_view path = plain ? std::string_view(*plain) : std::string_view();
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos || slash + 1 == path.size()) {
    return invalid_argument("x-amz-copy-source", text,
                            "Invalid copy source object key: expected bucket/key, URL-encoded");
  }
  return Source{std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

Value owner(const aws::Call& call) {
  // Canonical user ids are 64 hex digits that say nothing of the account; these follow from it.
  return Value::structure({{"ID", base::hex(base::sha256(fmt::format("canonical user of {}", call.account)))}});
}

std::string encoded(const Value& input, std::string_view text) {
  if (input["EncodingType"].string_or("") != "url") return std::string(text);
  return base::percent_encode(text, "/*");
}

}  // namespace securebase::objects::s3
