#include "load/artillery/node.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::load::artillery {

Node::Node() = default;
Node::Node(base::Json scalar, Place at) : place(std::move(at)), scalar(std::move(scalar)) {}
Node::Node(const Node& other) = default;
Node::Node(Node&& other) noexcept = default;
Node& Node::operator=(const Node& other) = default;
Node& Node::operator=(Node&& other) noexcept = default;
Node::~Node() = default;

std::string Place::text() const {
  if (!file) return "the command line";
  return fmt::format("{}:{}:{}", *file, line, column);
}

Node Node::list(Place at) {
  Node node;
  node.kind = Kind::kList;
  node.place = std::move(at);
  return node;
}

Node Node::map(Place at) {
  Node node;
  node.kind = Kind::kMap;
  node.place = std::move(at);
  return node;
}

Node Node::from_json(const base::Json& value, const Place& at) {
  if (const auto* elements = value.as_array()) {
    Node node = list(at);
    for (const auto& element : *elements) node.items.push_back(from_json(element, at));
    return node;
  }
  if (const auto* members = value.as_object()) {
    Node node = map(at);
    for (const auto& [key, member] : *members) node.members.push_back({key, at, from_json(member, at)});
    return node;
  }
  return {value, at};
}

const Node* Node::find(std::string_view key) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return found == members.end() ? nullptr : &found->value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

void Node::set(std::string_view key, Node value) {
  if (Node* existing = find(key)) {
    *existing = std::move(value);
    return;
  }
  const Place at = value.place;
  members.push_back({std::string(key), at, std::move(value)});
}

std::string Node::what() const {
  if (is_map()) return "a map";
  if (is_list()) return "a list";
  if (scalar.is_null()) return "nothing";
  if (scalar.is_bool()) return scalar.bool_or(false) ? "true" : "false";
  if (scalar.is_number()) return fmt::format("the number {}", scalar.dump());
  const std::string_view text = scalar.string_or("");
  return fmt::format("\"{}\"", text.size() > 60 ? fmt::format("{}...", text.substr(0, 57)) : std::string(text));
}

base::Json Node::to_json() const {
  if (is_list()) {
    base::Json::Array elements;
    elements.reserve(items.size());
    for (const auto& item : items) elements.push_back(item.to_json());
    return elements;
  }
  if (is_map()) {
    base::Json::Object object;
    object.reserve(members.size());
    for (const auto& member : members) object.emplace_back(member.key, member.value.to_json());
    return object;
  }
  return scalar;
}

void lay_over(Node& under, const Node& over, Lists lists) {
  if (under.is_map() && over.is_map()) {
    for (const auto& member : over.members) {
      if (Node* existing = under.find(member.key)) {
        lay_over(*existing, member.value, lists);
      } else {
        under.members.push_back(member);
      }
    }
  } else if (under.is_list() && over.is_list() && lists == Lists::kByIndex) {
    for (std::size_t i = 0; i < over.items.size(); ++i) {
      if (i < under.items.size()) {
        lay_over(under.items[i], over.items[i], lists);
      } else {
        under.items.push_back(over.items[i]);
      }
    }
  } else {
    under = over;
  }
}

}  // namespace securebase::load::artillery
