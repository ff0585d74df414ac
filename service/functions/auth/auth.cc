#include "auth/auth.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "base/hash.h"
#include "lambda/jwt.h"

namespace securebase::auth {

namespace {

using base::Json;

constexpr std::size_t kMostKeyBytes = 256;

Error unauthorized() { return Error{Errc::kDenied, "Unauthorized"}; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view header(const Json& event, std::string_view name) {
  if (const auto* headers = event["headers"].as_object()) {
    for (const auto& [key, value] : *headers) {
      if (equal_ignoring_case(key, name)) return value.string_or("");
    }
  }
  return {};
}

// "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/v1/..." -> ".../abc/prod/*": a policy for the whole stage,
// so that the verdict that the gateway keeps serves every route.
std::optional<std::string> whole_stage(std::string_view method_arn) {
  const std::size_t api_end = method_arn.find('/');
  if (!method_arn.starts_with("arn:") || api_end == std::string_view::npos) return std::nullopt;
  const std::size_t stage_end = method_arn.find('/', api_end + 1);
  if (stage_end == std::string_view::npos) return std::nullopt;
  return std::string(method_arn.substr(0, stage_end)) + "/*";
}

// Nothing of the single user or key goes into the context: caches in front tell callers apart by it, and all who see
// the same data should share what is stored.
Json policy_for(const Identity& identity, std::string resource) {
  const Json allow = Json::object(
      {{"Action", "execute-api:Invoke"}, {"Effect", "Allow"}, {"Resource", Json::array({std::move(resource)})}});
  return Json::object(
      {{"principalId", identity.customer_id},
       {"policyDocument", Json::object({{"Version", "2012-10-17"}, {"Statement", Json::array({allow})}})},
       {"context",
        Json::object({{"customer_id", identity.customer_id}, {"tier", identity.tier}, {"scope", identity.scope}})}});
}

}  // namespace

Authorizer::Authorizer(std::string jwt_secret, KeyLookup find_key, const base::Clock& clock)
    : jwt_secret_(std::move(jwt_secret)), find_key_(std::move(find_key)), clock_(clock) {}

Result<std::string> Authorizer::answer(std::string_view event_text) const {
  auto event = Json::parse(event_text);
  if (!event) return event.error().within("reading the event");
  auto resource = whole_stage((*event)["methodArn"].string_or(""));
  if (!resource) return Error{Errc::kMalformed, "expected an authorizer's event with a methodArn"};
  auto identity = identify(*event);
  if (!identity) return identity.error();
  return policy_for(*identity, std::move(*resource)).dump();
}

Result<Identity> Authorizer::identify(const Json& event) const {
  std::string_view authorization = header(event, "Authorization");
  if (event["type"].string_or("") == "TOKEN") authorization = event["authorizationToken"].string_or("");
  if (!authorization.empty()) {
    constexpr std::string_view kScheme = "Bearer ";
    if (!equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return unauthorized();
    auto claims = lambda::verify_token(authorization.substr(kScheme.size()), jwt_secret_, clock_.now());
    if (!claims) return unauthorized();
    return Identity{claims->customer_id, claims->tier, claims->scope};
  }
  const std::string_view key = header(event, "X-API-Key");
  return key.empty() ? Result<Identity>(unauthorized()) : identify_by_key(key);
}

// "sbk.<customer>.<secret>". The customer's part only says where to look; the hash covers the whole key.
Result<Identity> Authorizer::identify_by_key(std::string_view key) const {
  constexpr std::string_view kPrefix = "sbk.";
  const std::size_t dot = key.find('.', kPrefix.size());
  if (!key.starts_with(kPrefix) || key.size() > kMostKeyBytes || dot == std::string_view::npos) return unauthorized();
  const std::string_view customer_id = key.substr(kPrefix.size(), dot - kPrefix.size());
  // It becomes a part of a Redis key: nothing but what customer ids are made of.
  const auto is_id_char = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  if (customer_id.empty() || customer_id.size() > 64 || !std::ranges::all_of(customer_id, is_id_char)) {
    return unauthorized();
  }
  auto identity = find_key_(customer_id, base::hex(base::sha256(key)));
  if (!identity) return identity.error().code == Errc::kNotFound ? unauthorized() : identity.error();
  if (identity->customer_id != customer_id) return unauthorized();
  return identity;
}

}  // namespace securebase::auth
