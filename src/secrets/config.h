// What a stack asks of this room.
#pragma once

#include <string>
#include <vector>

#include "secrets/secrets.h"

namespace securebase::secrets {

struct Version {
  std::string name;  // of the secret
  std::string arn;   // of the secret
  std::string version_id;
  Secret value;
};

struct Config {
  std::vector<Version> versions;  // at most one a secret
  std::vector<Role> roles;        // that may be assumed
};

}  // namespace securebase::secrets
