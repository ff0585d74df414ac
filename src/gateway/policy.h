// The IAM policy that a Lambda authorizer answers with, and what it says about one call (IAM User Guide, "Policy
// evaluation logic"): an explicit Deny wins, without an Allow the call is denied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::gateway {

// '*' stands for any text, '?' for one character.
bool matches_wildcard(std::string_view pattern, std::string_view text);

class Policy {
 public:
  enum class Decision { kAllowed, kDenied, kExplicitlyDenied };

  // kMalformed names what is missing or unknown. Conditions are refused: what cannot be evaluated must not allow.
  static Result<Policy> parse(const base::Json& document);

  // `action`: "execute-api:Invoke", compared without case; `arn`:
  // arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}.
  Decision evaluate(std::string_view action, std::string_view arn) const;

 private:
  struct Statement {
    bool allows = false;
    bool not_action = false;
    bool not_resource = false;
    std::vector<std::string> actions;  // lower case
    std::vector<std::string> resources;
  };
  std::vector<Statement> statements_;
};

}  // namespace securebase::gateway
