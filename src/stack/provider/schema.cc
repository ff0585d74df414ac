#include "stack/provider/schema.h"

namespace securebase::stack {

std::vector<std::string> ProviderBlock::names() const {
  std::vector<std::string> all;
  for (const auto& [name, attribute] : attributes) all.push_back(name);
  for (const auto& [name, block] : blocks) all.push_back(name);
  return all;
}

}  // namespace securebase::stack
