// Who calls, and whether it is really them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/authorization.h"
#include "aws/aws.h"
#include "aws/dialect.h"
#include "aws/sigv4.h"

namespace securebase::aws {

// Somebody who says to have a key, before the signature was compared.
struct Claim {
  Authorization authorization;
  Identity identity;
  std::string signing_key;
};

// Any thread.
class Verifier {
 public:
  // Both outlive it.
  Verifier(const Identities& identities, std::chrono::minutes clock_skew)
      : identities_(identities), clock_skew_(clock_skew) {}

  // Everything that can be said before the body came: time, key, token.
  Result<Claim, Trouble> identify(Authorization authorization, const Service& service, base::TimePoint now);
  // `payload_hash`: what x-amz-content-sha256 says, or the body's hash.
  Result<Done, Trouble> compare(const Claim& claim, const Service& service, const http::Request& request,
                                const std::vector<Parameter>& query, std::string_view payload_hash) const;

 private:
  const Identities& identities_;
  const std::chrono::minutes clock_skew_;
  SigningKeys keys_;
};

}  // namespace securebase::aws
