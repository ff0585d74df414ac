// The API's authorizer: who holds this token or API key, and so whose data may be seen.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace securebase::auth {

struct Identity {
  std::string customer_id;
  std::string tier;
  std::string scope;
};

// The holder of an API key by the key's SHA-256, in hex. kNotFound: nobody.
using KeyLookup = std::function<Result<Identity>(std::string_view customer_id, std::string_view hash)>;

class Authorizer {
 public:
  // `clock` outlives the authorizer.
  Authorizer(std::string jwt_secret, KeyLookup find_key, const base::Clock& clock);

  // The event of a REQUEST or TOKEN authorizer to the IAM policy, as JSON. The error "Unauthorized" is what the gateway
  // answers as 401; every other error means that it could not be found out.
  Result<std::string> answer(std::string_view event) const;

 private:
  Result<Identity> identify(const base::Json& event) const;
  Result<Identity> identify_by_key(std::string_view key) const;

  const std::string jwt_secret_;
  const KeyLookup find_key_;
  const base::Clock& clock_;
};

}  // namespace securebase::auth
