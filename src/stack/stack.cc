#include "stack/stack.h"

#include <algorithm>

namespace securebase::stack {

void Catalogue::add(Declaration declaration) {
  const auto key = std::pair(declaration.mode, declaration.name);
  check(declaration.mode != Declaration::Mode::kBlock, "a catalogue holds resources and data sources");
  const bool added = declarations_.emplace(key, std::make_shared<const Declaration>(std::move(declaration))).second;
  check(added, "a resource type is owned by one room");
}

const std::shared_ptr<const Declaration>& Catalogue::find(Declaration::Mode mode, std::string_view type) const {
  static const std::shared_ptr<const Declaration> kNone;
  const auto found = declarations_.find(std::pair(mode, std::string(type)));
  return found == declarations_.end() ? kNone : found->second;
}

std::vector<std::shared_ptr<const Declaration>> Catalogue::all() const {
  std::vector<std::shared_ptr<const Declaration>> all;
  for (const auto& [key, declaration] : declarations_) all.push_back(declaration);
  return all;
}

const Resource* Stack::find(std::string_view address) const {
  const auto found =
      std::find_if(resources.begin(), resources.end(), [&](const Resource& r) { return r.address == address; });
  return found == resources.end() ? nullptr : &*found;
}

}  // namespace securebase::stack
