#include "aws/authorization.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "aws/timestamps.h"
#include "net/http/syntax.h"

namespace securebase::aws {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::chrono::seconds kLongestExpiry{7 * 24 * 3600};

Error incomplete(std::string message) { return {Errc::kMalformed, std::move(message)}; }

bool are_hex_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<Done> take_credential(Authorization& authorization, std::string_view credential) {
  // From the end, since only what stands first may have slashes in it.
  std::string_view parts[5];
  for (int i = 4; i > 0; --i) {
    const auto slash = credential.rfind('/');
    if (slash == std::string_view::npos) break;
    parts[i] = credential.substr(slash + 1);
    credential = credential.substr(0, slash);
  }
  parts[0] = credential;
  if (parts[1].size() != 8 || parts[2].empty() || parts[3].empty() || parts[4] != "aws4_request" || parts[0].empty()) {
    return incomplete(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request");
  }
  authorization.access_key_id = parts[0];
  authorization.date = parts[1];
  authorization.region = parts[2];
  authorization.service = parts[3];
  return Done{};
}

Result<Done> take_signed_headers(Authorization& authorization, std::string_view names) {
  while (!names.empty()) {
    const auto end = std::min(names.find(';'), names.size());
    if (end > 0) authorization.signed_headers.emplace_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  const auto& headers = authorization.signed_headers;
  if (std::find(headers.begin(), headers.end(), "host") == headers.end()) {
    return incomplete("'Host' must be a signed header");
  }
  return Done{};
}

Result<Done> take_signature(Authorization& authorization, std::string_view signature) {
  if (signature.size() != 64 || !are_hex_digits(signature)) {
    return incomplete("Signature must have 64 hex digits in lower case");
  }
  authorization.signature = signature;
  return Done{};
}

Result<Done> take_time(Authorization& authorization, std::string_view time) {
  auto parsed = parse_compact_time(time);
  if (!parsed) parsed = parse_time(time);  // of a Date header
  if (!parsed) {
    return incomplete(fmt::format("Date must be in ISO-8601 'basic format' (20261124T065725Z). Got '{}'", time));
  }
  authorization.signed_at = *parsed;
  authorization.time = format_compact_time(*parsed);
  if (!authorization.time.starts_with(authorization.date)) {
    return incomplete(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
                    "HTTP: '{}' != '{}'",
                    authorization.date, authorization.time.substr(0, 8)));
  }
  return Done{};
}

Result<Authorization> from_parameters(const std::vector<Parameter>& query) {
  const auto text = [&query](std::string_view name) -> std::string_view {
    const auto* found = find_parameter(query, name);
    return found ? std::string_view(*found) : std::string_view();
  };
  Authorization authorization;
  authorization.presigned = true;
  if (text("X-Amz-Algorithm") != kAlgorithm) {
    return incomplete(fmt::format("X-Amz-Algorithm only supports \"{}\"", kAlgorithm));
  }
  for (const auto name : {"X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"}) {
    if (text(name).empty()) return incomplete(fmt::format("the query has no {}", name));
  }
  if (auto taken = take_credential(authorization, text("X-Amz-Credential")); !taken) return taken.error();
  if (auto taken = take_signed_headers(authorization, text("X-Amz-SignedHeaders")); !taken) return taken.error();
  if (auto taken = take_signature(authorization, text("X-Amz-Signature")); !taken) return taken.error();
  if (auto taken = take_time(authorization, text("X-Amz-Date")); !taken) return taken.error();
  authorization.security_token = text("X-Amz-Security-Token");
  const auto digits = text("X-Amz-Expires");
  std::int64_t expires = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), expires);
  if (failure != std::errc{} || end != digits.data() + digits.size() || expires < 0) {
    return incomplete("X-Amz-Expires should be a number of seconds");
  }
  authorization.expires = std::chrono::seconds(expires);
  if (authorization.expires > kLongestExpiry) {
    return incomplete(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
        "less than 604800 seconds");
  }
  return authorization;
}

Error unsupported() {
  return {Errc::kUnsupported,
          fmt::format("The authorization mechanism you have provided is not supported. Please use {}.", kAlgorithm)};
}

}  // namespace

Result<Authorization> parse_authorization_header(std::string_view value) {
  if (!value.starts_with(kAlgorithm) || value.size() == kAlgorithm.size() || value[kAlgorithm.size()] != ' ') {
    return unsupported();
  }
  std::string_view credential, signed_headers, signature;
  http::for_each_element(value.substr(kAlgorithm.size() + 1), [&](std::string_view part) {
    const auto equals = std::min(part.find('='), part.size());
    const auto name = part.substr(0, equals);
    const auto content = part.substr(std::min(equals + 1, part.size()));
    if (name == "Credential") credential = content;
    if (name == "SignedHeaders") signed_headers = content;
    if (name == "Signature") signature = content;
  });
  for (const auto& [name, content] : {std::pair("Credential", credential), std::pair("SignedHeaders", signed_headers),
                                      std::pair("Signature", signature)}) {
    if (content.empty()) {
      return incomplete(
          fmt::format("Authorization header requires '{}' parameter. Authorization={}", name, value.substr(0, 300)));
    }
  }
  Authorization authorization;
  if (auto taken = take_credential(authorization, credential); !taken) return taken.error();
  if (auto taken = take_signed_headers(authorization, signed_headers); !taken) return taken.error();
  if (auto taken = take_signature(authorization, signature); !taken) return taken.error();
  return authorization;
}

Result<std::optional<Authorization>> parse_authorization(const http::Request& request,
                                                         const std::vector<Parameter>& query) {
  const auto header = request.headers.get("Authorization");
  if (!header) {
    if (!find_parameter(query, "X-Amz-Algorithm")) {
      // A presigned URL of Signature Version 2, which some clients still make unless they are told otherwise.
      if (find_parameter(query, "AWSAccessKeyId") && find_parameter(query, "Signature")) return unsupported();
      return std::optional<Authorization>();
    }
    auto presigned = from_parameters(query);
    if (!presigned) return presigned.error();
    return std::optional(std::move(*presigned));
  }
  auto authorization = parse_authorization_header(*header);
  if (!authorization) return authorization.error();
  auto time = request.headers.get("X-Amz-Date");
  if (!time) time = request.headers.get("Date");
  if (!time) {
    return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header");
  }
  if (auto taken = take_time(*authorization, *time); !taken) return taken.error();
  authorization->security_token = request.headers.get("X-Amz-Security-Token").value_or("");
  return std::optional(std::move(*authorization));
}

}  // namespace securebase::aws
