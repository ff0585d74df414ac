#include "aws/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "aws/sigv4.h"
#include "base/encoding.h"
#include "base/hash.h"
#include "net/http/syntax.h"

namespace securebase::aws {

namespace {

Result<std::string, Trouble> digest_from(std::string_view header, std::string_view text) {
  auto digest = base::from_base64(text);
  if (digest && !digest->empty()) return std::move(*digest);
  return Trouble{Problem::kChecksumMismatch, fmt::format("Value for {} header is invalid.", header), {}};
}

}  // namespace

Result<PayloadPlan, Trouble> plan_payload(const http::Request& request, std::string_view content_sha256,
                                          ChecksumHeaders headers) {
  PayloadPlan plan;
  plan.chunked = content_sha256.starts_with("STREAMING-");
  plan.signed_chunks = content_sha256.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  plan.signed_trailer = content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
  const bool known = plan.signed_chunks || content_sha256 == "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  if (plan.chunked && !known) {
    return Trouble{
        Problem::kUnsupportedSignature, fmt::format("x-amz-content-sha256 {} is not supported.", content_sha256), {}};
  }
  if (!plan.chunked && content_sha256 != kUnsignedPayload) plan.sha256_hex = content_sha256;
  for (const auto& field : request.headers.fields()) {
    const auto algorithm = checksum_from_header(field.name);
    if (!algorithm || headers == ChecksumHeaders::kOfSomethingElse) continue;
    auto digest = digest_from(field.name, field.value);
    if (!digest) return digest.error();
    plan.checksums.push_back({*algorithm, std::string(field.name), std::move(*digest)});
  }
  if (const auto md5 = request.headers.get("Content-MD5"); md5 && !plan.chunked) {
    auto digest = digest_from("Content-MD5", *md5);
    if (!digest) return digest.error();
    plan.checksums.push_back({Checksum::Algorithm::kMd5, "Content-MD5", std::move(*digest)});
  }
  if (!plan.chunked) return plan;
  if (const auto trailers = request.headers.get("x-amz-trailer")) {
    http::for_each_element(*trailers, [&plan](std::string_view name) {
      if (const auto algorithm = checksum_from_header(name)) {
        std::string lower(name);
        for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        plan.checksums.push_back({*algorithm, std::move(lower), ""});
      }
    });
  }
  if (const auto length = request.headers.get("x-amz-decoded-content-length")) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(length->data(), length->data() + length->size(), value);
    if (failure != std::errc{} || end != length->data() + length->size()) {
      return Trouble{Problem::kIncompleteBody, "x-amz-decoded-content-length is no number.", {}};
    }
    plan.decoded_length = value;
  }
  return plan;
}

CheckedPayload::CheckedPayload(http::BodyReader* body, PayloadPlan plan) : body_(body), plan_(std::move(plan)) {
  if (plan_.signed_chunks) chunk_hash_ = Checksum::make(Checksum::Algorithm::kSha256);
  if (!plan_.sha256_hex.empty()) whole_hash_ = Checksum::make(Checksum::Algorithm::kSha256);
  for (auto& expected : plan_.checksums) {
    auto checksum = Checksum::make(expected.algorithm);
    running_.push_back({std::move(expected), std::move(checksum)});
  }
}

net::Task<Result<std::string_view>> CheckedPayload::next() {
  if (ended_) co_return std::string_view{};
  for (;;) {
    if (plan_.chunked) {
      auto piece = take_chunked();
      if (!piece) co_return piece.error();
      if (*piece) co_return **piece;
    }
    Result<std::string_view> got = std::string_view{};
    if (body_) got = co_await body_->next();
    if (!got) co_return got.error();
    if (got->empty()) {
      if (plan_.chunked && !ended_)
        co_return fail(Problem::kIncompleteBody, "The request body terminated unexpectedly");
      ended_ = true;
      auto checked = check_end();
      if (!checked) co_return checked.error();
      co_return std::string_view{};
    }
    if (!plan_.chunked) {
      pass(*got);
      co_return *got;
    }
    rest_ = *got;
  }
}

Result<std::optional<std::string_view>> CheckedPayload::take_chunked() {
  using Event = ChunkedUploadParser::Event;
  for (;;) {
    auto event = parser_.next(rest_);
    if (!event) return fail(Problem::kIncompleteBody, event.error().message);
    switch (*event) {
      case Event::kNeedMore:
        return std::optional<std::string_view>{};
      case Event::kData:
        pass(parser_.data());
        return std::optional(parser_.data());
      case Event::kChunkEnds:
        if (plan_.signed_chunks && !chunk_is_signed()) {
          return fail(Problem::kWrongSignature, "The signature of a chunk does not match.");
        }
        break;
      case Event::kEnds: {
        if (plan_.signed_trailer && !trailer_is_signed()) {
          return fail(Problem::kWrongSignature, "The signature of the trailer does not match.");
        }
        if (!rest_.empty()) return fail(Problem::kIncompleteBody, "bytes after the end of the aws-chunked body");
        ended_ = true;
        auto checked = check_end();
        if (!checked) return checked.error();
        return std::optional(std::string_view{});
      }
    }
  }
}

void CheckedPayload::pass(std::string_view piece) {
  passed_ += piece.size();
  if (chunk_hash_) chunk_hash_->update(piece);
  if (whole_hash_) whole_hash_->update(piece);
  for (auto& one : running_) one.checksum->update(piece);
}

bool CheckedPayload::chunk_is_signed() {
  const auto text = fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", plan_.time, plan_.scope,
                                plan_.seed_signature, kEmptyPayloadHash, base::hex(chunk_hash_->finish()));
  plan_.seed_signature = sign(plan_.signing_key, text);
  return base::equal_in_constant_time(plan_.seed_signature, parser_.chunk_signature());
}

bool CheckedPayload::trailer_is_signed() {
  std::string lines;
  for (const auto& trailer : parser_.trailers()) lines += fmt::format("{}:{}\n", trailer.name, trailer.value);
  const auto text = fmt::format("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}", plan_.time, plan_.scope,
                                plan_.seed_signature, base::hex(base::sha256(lines)));
  return base::equal_in_constant_time(sign(plan_.signing_key, text), parser_.trailer_signature());
}

Result<Done> CheckedPayload::check_end() {
  if (plan_.decoded_length && *plan_.decoded_length != passed_) {
    return fail(
        Problem::kIncompleteBody,
        fmt::format("You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP "
                    "header: {} came, {} were announced",
                    passed_, *plan_.decoded_length));
  }
  if (whole_hash_ && !base::equal_in_constant_time(base::hex(whole_hash_->finish()), plan_.sha256_hex)) {
    return fail(Problem::kPayloadHashMismatch,
                "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  for (auto& one : running_) {
    auto expected = one.expected.digest;
    if (expected.empty()) {
      const auto* trailer = find_parameter(parser_.trailers(), one.expected.header);
      const auto digest = trailer ? base::from_base64(*trailer) : std::nullopt;
      if (!digest) {
        return fail(Problem::kChecksumMismatch, fmt::format("The trailer has no value for {}.", one.expected.header));
      }
      expected = *digest;
    }
    if (one.checksum->finish() != expected) {
      const bool md5 = one.expected.algorithm == Checksum::Algorithm::kMd5;
      return fail(
          Problem::kChecksumMismatch,
          md5 ? "The Content-MD5 you specified did not match what we received."
              : fmt::format("The {} you specified did not match the calculated checksum.", one.expected.header));
    }
  }
  return Done{};
}

Error CheckedPayload::fail(Problem problem, std::string message) {
  trouble_ = Trouble{problem, message, {}};
  return {Errc::kMalformed, std::move(message)};
}

}  // namespace securebase::aws
