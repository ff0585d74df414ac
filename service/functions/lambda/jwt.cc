#include "lambda/jwt.h"

#include "base/encoding.h"
#include "base/hash.h"
#include "base/json.h"

namespace securebase::lambda {

namespace {

using base::Json;

constexpr std::string_view kIssuer = "securebase";
constexpr std::size_t kMostTokenBytes = 8 << 10;  // a whole header line of API Gateway is 10 KB

std::int64_t seconds_since_epoch(base::TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

std::string sign_token(const Claims& claims, std::string_view secret, base::TimePoint now) {
  const Json header = Json::object({{"alg", "HS256"}, {"typ", "JWT"}});
  const Json payload = Json::object({{"iss", kIssuer},
                                     {"sub", claims.user_id},
                                     {"customer_id", claims.customer_id},
                                     {"tier", claims.tier},
                                     {"scope", claims.scope},
                                     {"iat", seconds_since_epoch(now)},
                                     {"exp", seconds_since_epoch(now + kTokenLifetime)}});
  std::string token = base::base64url(header.dump()) + "." + base::base64url(payload.dump());
  token += "." + base::base64url(base::hmac_sha256(secret, token));
  return token;
}

Result<Claims> verify_token(std::string_view token, std::string_view secret, base::TimePoint now) {
  const Error denied{Errc::kDenied, "not a token of ours"};
  if (token.size() > kMostTokenBytes) return denied;
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return denied;

  // The signature first: nothing of an unsigned token is parsed.
  // As text, for base64 has several spellings of the same bytes, and caches of verdicts would keep each.
  const std::string signature = base::base64url(base::hmac_sha256(secret, token.substr(0, second)));
  if (!base::equal_in_constant_time(token.substr(second + 1), signature)) return denied;
  const auto header_text = base::from_base64url(token.substr(0, first));
  const auto payload_text = base::from_base64url(token.substr(first + 1, second - first - 1));
  if (!header_text || !payload_text) return denied;
  const auto header = Json::parse(*header_text);
  const auto payload = Json::parse(*payload_text);
  if (!header || !payload || (*header)["alg"].string_or("") != "HS256" || header->find("crit")) return denied;
  if ((*payload)["iss"].string_or("") != kIssuer) return denied;
  if (seconds_since_epoch(now) >= (*payload)["exp"].integer_or(0)) return Error{Errc::kDenied, "the token has expired"};

  Claims claims{.user_id = std::string((*payload)["sub"].string_or("")),
                .customer_id = std::string((*payload)["customer_id"].string_or("")),
                .tier = std::string((*payload)["tier"].string_or("")),
                .scope = std::string((*payload)["scope"].string_or(""))};
  if (claims.customer_id.empty()) return denied;
  return claims;
}

}  // namespace securebase::lambda
