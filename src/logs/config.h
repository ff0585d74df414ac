// What a stack declares of logs.
#pragma once

#include <map>
#include <string>

#include "logs/store/settings.h"

namespace securebase::logs {

struct Config {
  std::map<std::string, GroupSettings> groups;  // by name; with their filters
};

}  // namespace securebase::logs
