// What a stack asks of this room.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "secrets/secrets.h"

namespace securebase::secrets {

struct Declared {
  std::string name;
  std::string arn;
  std::string description;
  std::vector<std::pair<std::string, std::string>> tags;
};

struct Version {
  std::string name;  // of the secret
  std::string arn;   // of the secret
  std::string version_id;
  Secret value;
  bool is_binary = false;
};

struct Config {
  std::vector<Declared> secrets;
  std::vector<Version> versions;  // at most one a secret
  std::vector<Role> roles;        // that may be assumed
};

}  // namespace securebase::secrets
