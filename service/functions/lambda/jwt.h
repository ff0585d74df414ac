// JSON Web Tokens signed with HS256 (RFC 7519, RFC 7515). Only the algorithm that we sign with is accepted: a token
// does not choose how it is checked.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::lambda {

struct Claims {
  std::string user_id;  // sub
  std::string customer_id;
  std::string tier;
  std::string scope;
};

constexpr std::chrono::seconds kTokenLifetime{3600};
constexpr std::size_t kLeastSecretBytes = 32;  // as long as the digest, RFC 7518 §3.2

std::string sign_token(const Claims& claims, std::string_view secret, base::TimePoint now);
// kDenied for whatever is wrong with it.
Result<Claims> verify_token(std::string_view token, std::string_view secret, base::TimePoint now);

}  // namespace securebase::lambda
