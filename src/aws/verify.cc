#include "aws/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/timestamps.h"
#include "base/encoding.h"
#include "base/hash.h"

namespace securebase::aws {

namespace {

Trouble skewed(const Service& service, const Authorization& authorization, base::TimePoint now,
               std::chrono::minutes skew) {
  const bool late = authorization.signed_at < now;
  const auto bound = late ? now - skew : now + skew;
  if (service.name == "s3") {
    return {Problem::kSkewed, "The difference between the request time and the current time is too large.",
            Value::structure({{"RequestTime", authorization.time},
                              {"ServerTime", base::iso8601(now)},
                              {"MaxAllowedSkewMilliseconds", std::int64_t{skew.count()} * 60'000}})};
  }
  return {Problem::kSkewed,
          fmt::format("Signature {}: {} is now {} than {} ({} {} {} min.)", late ? "expired" : "not yet current",
                      authorization.time, late ? "earlier" : "later", format_compact_time(bound),
                      format_compact_time(now), late ? "-" : "+", skew.count()),
          {}};
}

Trouble unknown_key(const Service& service, const Authorization& authorization) {
  if (service.name == "s3") {
    return {Problem::kUnknownKey, "The AWS Access Key Id you provided does not exist in our records.",
            Value::structure({{"AWSAccessKeyId", authorization.access_key_id}})};
  }
  return {Problem::kUnknownKey, "The security token included in the request is invalid.", {}};
}

// All x-amz-* headers have to be signed, or somebody on the way could add to what was asked for.
std::optional<Trouble> not_signed_headers(const Authorization& authorization, const http::Request& request) {
  std::string missing;
  for (const auto& field : request.headers.fields()) {
    if (field.name.size() < 6 || !http::equal_ignoring_case(field.name.substr(0, 6), "x-amz-")) continue;
    if (authorization.presigned && http::equal_ignoring_case(field.name, "x-amz-content-sha256")) continue;
    const auto& names = authorization.signed_headers;
    const bool is_signed = std::any_of(names.begin(), names.end(), [&field](const std::string& name) {
      return http::equal_ignoring_case(name, field.name);
    });
    if (is_signed) continue;
    if (!missing.empty()) missing += ", ";
    missing += field.name;
  }
  if (missing.empty()) return std::nullopt;
  return Trouble{Problem::kHeadersNotSigned, "There were headers present in the request which were not signed",
                 Value::structure({{"HeadersNotSigned", missing}})};
}

}  // namespace

Result<Claim, Trouble> Verifier::identify(Authorization authorization, const Service& service, base::TimePoint now) {
  if (authorization.service != service.signing_name) {
    return Trouble{Problem::kWrongSignature,
                   fmt::format("Credential should be scoped to correct service: '{}'.", service.signing_name),
                   {}};
  }
  const auto& token = authorization.security_token;
  auto found = token.empty() ? identities_.find(authorization.access_key_id)
                             : identities_.find_session(authorization.access_key_id, token);
  if (!found) {
    if (token.empty()) return unknown_key(service, authorization);
    return Trouble{Problem::kBadToken,
                   service.name == "s3" ? "The provided token is malformed or otherwise invalid."
                                        : "The security token included in the request is invalid.",
                   {}};
  }
  if (!base::equal_in_constant_time(found->session_token, token)) {
    return Trouble{Problem::kBadToken, "The security token included in the request is invalid.", {}};
  }
  if (found->expires && *found->expires <= now) {
    return Trouble{Problem::kExpiredToken,
                   service.name == "s3" ? "The provided token has expired."
                                        : "The security token included in the request is expired",
                   {}};
  }
  const auto ahead = authorization.signed_at - now;
  if (authorization.presigned) {
    if (ahead > clock_skew_) return skewed(service, authorization, now, clock_skew_);
    const auto until = authorization.signed_at + authorization.expires;
    if (until < now) {
      Trouble trouble{Problem::kLinkExpired, "Request has expired", {}};
      if (service.name == "s3") {
        trouble.members = Value::structure({{"X-Amz-Expires", std::int64_t{authorization.expires.count()}},
                                            {"Expires", base::iso8601(until)},
                                            {"ServerTime", base::iso8601(now)}});
      } else {
        trouble.message =
            fmt::format("Signature expired: {} is now earlier than {} ({} + {} s)", format_compact_time(until),
                        format_compact_time(now), authorization.time, authorization.expires.count());
      }
      return trouble;
    }
  } else if (ahead > clock_skew_ || -ahead > clock_skew_) {
    return skewed(service, authorization, now, clock_skew_);
  }
  auto key = keys_.key_for(authorization, found->secret_access_key);
  return Claim{std::move(authorization), std::move(found->identity), std::move(key)};
}

Result<Done, Trouble> Verifier::compare(const Claim& claim, const Service& service, const http::Request& request,
                                        const std::vector<Parameter>& query, std::string_view payload_hash) const {
  const bool s3 = service.name == "s3";
  if (s3) {
    if (auto trouble = not_signed_headers(claim.authorization, request)) return std::move(*trouble);
  }
  const auto canonical =
      canonical_request(request, query, claim.authorization, payload_hash, s3 ? PathForm::kS3 : PathForm::kOthers);
  const auto to_sign = string_to_sign(claim.authorization, canonical);
  if (base::equal_in_constant_time(sign(claim.signing_key, to_sign), claim.authorization.signature)) return Done{};
  if (s3) {
    return Trouble{Problem::kWrongSignature,
                   "The request signature we calculated does not match the signature you provided. Check your key and "
                   "signing method.",
                   Value::structure({{"AWSAccessKeyId", claim.authorization.access_key_id},
                                     {"StringToSign", to_sign},
                                     {"SignatureProvided", claim.authorization.signature},
                                     {"CanonicalRequest", canonical}})};
  }
  return Trouble{
      Problem::kWrongSignature,
      fmt::format("The request signature we calculated does not match the signature you provided. Check your "
                  "AWS Secret Access Key and signing method. Consult the service documentation for details."
                  "\n\nThe Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign "
                  "should have been\n'{}'\n",
                  canonical, to_sign),
      {}};
}

}  // namespace securebase::aws
