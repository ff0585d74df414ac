#include "aws/dialect.h"

#include <fmt/format.h>

#include <cctype>

namespace securebase::aws {

namespace {

// What the services have in common by their protocol; S3 is one of its own.
enum class Family { kQuery, kJson, kRestJson, kCloudFront, kS3 };

Family family_of(const Service* service) {
  if (!service) return Family::kQuery;
  if (service->name == "s3") return Family::kS3;
  switch (service->protocol) {
    case Protocol::kQuery:
      return Family::kQuery;
    case Protocol::kRestXml:
      return Family::kCloudFront;
    case Protocol::kRestJson:
      return Family::kRestJson;
    case Protocol::kJson:
    case Protocol::kCbor:
      break;
  }
  return Family::kJson;
}

struct Word {
  std::string_view code;
  int status;
};

Word s3_word(Problem problem) {
  switch (problem) {
    case Problem::kNotSigned:
    case Problem::kLinkExpired:
    case Problem::kHeadersNotSigned:
      return {"AccessDenied", 403};
    case Problem::kIncompleteSignature:
      return {"AuthorizationHeaderMalformed", 400};
    case Problem::kUnsupportedSignature:
      return {"InvalidRequest", 400};
    case Problem::kUnknownKey:
      return {"InvalidAccessKeyId", 403};
    case Problem::kBadToken:
      return {"InvalidToken", 400};
    case Problem::kExpiredToken:
      return {"ExpiredToken", 400};
    case Problem::kWrongSignature:
      return {"SignatureDoesNotMatch", 403};
    case Problem::kSkewed:
      return {"RequestTimeTooSkewed", 403};
    case Problem::kPayloadHashMismatch:
      return {"XAmzContentSHA256Mismatch", 400};
    case Problem::kChecksumMismatch:
      return {"BadDigest", 400};
    case Problem::kIncompleteBody:
      return {"IncompleteBody", 400};
    case Problem::kTooLarge:
      return {"MaxMessageLengthExceeded", 400};
    case Problem::kUnknownOperation:
      return {"MethodNotAllowed", 405};
    case Problem::kNotBuilt:
      return {"NotImplemented", 501};
    case Problem::kBusy:
      return {"SlowDown", 503};
    case Problem::kInternal:
      break;
  }
  return {"InternalError", 500};
}

// Query services and CloudFront.
Word xml_word(Problem problem) {
  switch (problem) {
    case Problem::kNotSigned:
      return {"MissingAuthenticationToken", 403};
    case Problem::kIncompleteSignature:
    case Problem::kUnsupportedSignature:
    case Problem::kHeadersNotSigned:
      return {"IncompleteSignature", 400};
    case Problem::kUnknownKey:
    case Problem::kBadToken:
      return {"InvalidClientTokenId", 403};
    case Problem::kExpiredToken:
      return {"ExpiredToken", 403};
    case Problem::kWrongSignature:
    case Problem::kSkewed:
    case Problem::kLinkExpired:
    case Problem::kPayloadHashMismatch:
      return {"SignatureDoesNotMatch", 403};
    case Problem::kChecksumMismatch:
    case Problem::kIncompleteBody:
      return {"MalformedInput", 400};
    case Problem::kTooLarge:
      return {"RequestEntityTooLarge", 413};
    case Problem::kUnknownOperation:
      return {"InvalidAction", 400};
    case Problem::kNotBuilt:
      return {"NotImplemented", 501};
    case Problem::kBusy:
      return {"Throttling", 400};
    case Problem::kInternal:
      break;
  }
  return {"InternalFailure", 500};
}

Word json_word(Problem problem, bool rest) {
  const int denied = rest ? 403 : 400;
  switch (problem) {
    case Problem::kNotSigned:
      return {"MissingAuthenticationTokenException", denied};
    case Problem::kIncompleteSignature:
    case Problem::kUnsupportedSignature:
    case Problem::kHeadersNotSigned:
      return {"IncompleteSignatureException", 400};
    case Problem::kUnknownKey:
    case Problem::kBadToken:
      return {"UnrecognizedClientException", denied};
    case Problem::kExpiredToken:
      return {"ExpiredTokenException", denied};
    case Problem::kWrongSignature:
    case Problem::kSkewed:
    case Problem::kLinkExpired:
    case Problem::kPayloadHashMismatch:
      return {"InvalidSignatureException", denied};
    case Problem::kChecksumMismatch:
    case Problem::kIncompleteBody:
      return {"SerializationException", 400};
    case Problem::kTooLarge:
      return {"RequestEntityTooLargeException", 413};
    case Problem::kUnknownOperation:
      return {"UnknownOperationException", rest ? 404 : 400};
    case Problem::kNotBuilt:
      return {"NotImplemented", 501};
    case Problem::kBusy:
      return {"ThrottlingException", 400};
    case Problem::kInternal:
      break;
  }
  return {rest ? "ServiceException" : "InternalServerError", 500};
}

Word word_of(const Service* service, Problem problem) {
  switch (family_of(service)) {
    case Family::kS3:
      return s3_word(problem);
    case Family::kQuery:
    case Family::kCloudFront:
      return xml_word(problem);
    case Family::kJson:
      return json_word(problem, false);
    case Family::kRestJson:
      return json_word(problem, true);
  }
  return {"InternalFailure", 500};
}

// Words for an input that is not accepted: cannot be read, lacks a member, has a value that is out of bounds.
struct InputWords {
  std::string_view unparsable, missing, invalid;
};

InputWords input_words(const Service& service) {
  const auto name = service.name;
  if (name == "cloudwatch") return {"MalformedInput", "MissingParameter", "ValidationError"};
  if (name == "rds" || name == "elasticache") {
    return {"MalformedInput", "MissingParameter", "InvalidParameterValue"};
  }
  if (name == "s3") return {"MalformedXML", "InvalidRequest", "InvalidArgument"};
  if (name == "cloudfront") return {"MalformedXML", "MalformedXML", "InvalidArgument"};
  if (name == "logs") return {"SerializationException", "InvalidParameterException", "InvalidParameterException"};
  if (name == "apigateway") return {"SerializationException", "BadRequestException", "BadRequestException"};
  if (name == "xray") return {"SerializationException", "InvalidRequestException", "InvalidRequestException"};
  if (service.protocol == Protocol::kQuery) return {"MalformedInput", "ValidationError", "ValidationError"};
  return {"SerializationException", "ValidationException", "ValidationException"};
}

// "MetricData.1.Value" as the validators spell it: "metricData.1.value".
std::string lower_camel(std::string_view path) {
  std::string text(path);
  bool begins = true;
  for (char& c : text) {
    if (begins) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    begins = c == '.';
  }
  return text;
}

// "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"
std::string validation_message(const std::vector<Complaint>& complaints) {
  std::string text =
      fmt::format("{} validation error{} detected: ", complaints.size(), complaints.size() == 1 ? "" : "s");
  for (const auto& complaint : complaints) {
    if (&complaint != complaints.data()) text += "; ";
    const auto value = complaint.kind == Complaint::Kind::kMissing ? std::string(" null")
                       : complaint.value.empty()                   ? std::string()
                                                                   : fmt::format(" '{}'", complaint.value);
    text += fmt::format("Value{} at '{}' failed to satisfy constraint: {}", value, lower_camel(complaint.path),
                        complaint.message);
  }
  return text;
}

std::string message_of(const Service& service, const std::vector<Complaint>& complaints) {
  const auto& first = complaints.front();
  if (first.kind == Complaint::Kind::kUnparsable) {
    return first.path.empty() ? first.message : fmt::format("{}: {}", first.path, first.message);
  }
  const bool missing = first.kind == Complaint::Kind::kMissing;
  if (service.name == "cloudwatch" && missing) return fmt::format("The parameter {} is required.", first.path);
  if (service.name == "rds" || service.name == "elasticache") {
    return missing ? fmt::format("The request must contain the parameter {}.", first.path)
                   : fmt::format("The parameter {} is not valid: {}", first.path, first.message);
  }
  if (service.name == "s3") {
    return missing ? fmt::format("Missing required parameter: {}", first.path)
                   : fmt::format("{}: {}", first.path, first.message);
  }
  return validation_message(complaints);
}

}  // namespace

Fault fault_of(const Service* service, Trouble trouble) {
  const auto word = word_of(service, trouble.problem);
  return {std::string(word.code), std::move(trouble.message), word.status, std::move(trouble.members)};
}

Fault fault_of(const Service& service, const std::vector<Complaint>& complaints) {
  auto words = input_words(service);
  const auto& first = complaints.front();
  // What lacks inside of a document is the document's fault, to S3; what lacks beside it, the request's.
  const bool in_document = first.path.find('.') != std::string::npos;
  if (service.name == "s3" && in_document) words.missing = words.unparsable;
  const auto code = first.kind == Complaint::Kind::kUnparsable ? words.unparsable
                    : first.kind == Complaint::Kind::kMissing  ? words.missing
                                                               : words.invalid;
  return {std::string(code), message_of(service, complaints), 400, {}};
}

}  // namespace securebase::aws
