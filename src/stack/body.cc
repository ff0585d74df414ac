#include "stack/body.h"

namespace securebase::stack {

const Value& Body::operator[](std::string_view name) const {
  static const Value kNone;
  const Attribute* found = find(name);
  return found ? found->value : kNone;
}

const Body::Attribute* Body::find(std::string_view name) const {
  const auto found = attributes.find(name);
  return found == attributes.end() ? nullptr : &found->second;
}

std::vector<const Body*> Body::blocks_named(std::string_view type) const {
  std::vector<const Body*> found;
  for (const auto& nested : blocks) {
    if (nested.type == type) found.push_back(&nested.body);
  }
  return found;
}

Value Body::as_value() const {
  Value::Map members;
  for (const auto& [name, attribute] : attributes) members.emplace(name, attribute.value);
  std::map<std::string, Value::List> lists;
  for (const auto& nested : blocks) lists[nested.type].push_back(nested.body.as_value());
  for (auto& [type, list] : lists) members.insert_or_assign(type, Value(std::move(list)));
  return members;
}

Body Body::from_value(const Value& map, const SourceRange& range) {
  Body body;
  body.range = range;
  if (!map.is_map()) return body;
  for (const auto& [name, value] : map.members()) body.attributes.emplace(name, Attribute{value, range, range});
  return body;
}

}  // namespace securebase::stack
