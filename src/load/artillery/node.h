// A script as it was written: YAML (or JSON, which is YAML) as a tree in which each value and each key knows where it
// stands, so that what is wrong can be said with file, line and column however late it is found.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::load::artillery {

struct Place {
  std::shared_ptr<const std::string> file;  // null: it came from no file (an option of the command line)
  std::uint32_t line = 0;                   // from 1
  std::uint32_t column = 0;                 // from 1
  // "load-test.yml:7:5", or "the command line".
  std::string text() const;
};

class Node {
 public:
  struct Member;
  enum class Kind { kScalar, kList, kMap };

  // Defined where Member is whole (node.cc).
  Node();
  Node(base::Json scalar, Place at);
  Node(const Node& other);
  Node(Node&& other) noexcept;
  Node& operator=(const Node& other);
  Node& operator=(Node&& other) noexcept;
  ~Node();
  static Node list(Place at);
  static Node map(Place at);
  // Every value of it stands at `at`.
  static Node from_json(const base::Json& value, const Place& at);

  bool is_map() const { return kind == Kind::kMap; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_null() const { return is_scalar() && scalar.is_null(); }
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  // Replaces the member or adds it at the end.
  void set(std::string_view key, Node value);
  // "a map", "a list", "the text \"x\"", "the number 5": for messages.
  std::string what() const;
  base::Json to_json() const;

  Kind kind = Kind::kScalar;
  Place place;
  base::Json scalar;            // of a scalar: null, true, a number or text
  std::vector<Node> items;      // of a list
  std::vector<Member> members;  // of a map, in the order of the file
};

struct Node::Member {
  std::string key;
  Place place;  // of the key
  Node value;
};

enum class Lists { kByIndex, kReplaced };
// Lays `over` on `under`: maps member by member; lists element by element, as lodash's merge does for environments, or
// whole, as --overrides has them; anything else is replaced. The depth of both is bounded by read_tree's limits.
void lay_over(Node& under, const Node& over, Lists lists);

struct TreeLimits {
  std::size_t text_bytes = std::size_t{8} << 20;
  std::size_t nodes = 200'000;  // after aliases are written out: a small document could become a huge one
  int depth = 64;
};
// YAML 1.2 core schema, with merge keys (<<) and anchors. Keys are text and stand once in a map. The error says where.
Result<Node> read_tree(std::string_view text, std::string file_name, const TreeLimits& limits = {});

}  // namespace securebase::load::artillery
