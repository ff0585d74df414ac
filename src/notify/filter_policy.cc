#include "notify/filter_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "notify/filter_condition.h"

namespace securebase::notify {

namespace {

constexpr std::size_t kPolicyBytes = std::size_t{256} << 10;
constexpr std::size_t kKeys = 5;
constexpr std::size_t kCombinations = 150;
constexpr std::size_t kDepth = 16;

Error bad_filter(std::string text) { return {Errc::kMalformed, std::move(text)}; }

// "$or" is an operator only as a list of two or more objects none of whose keys is an operator; else it is a name like
// any other.
bool is_or(const base::Json& value) {
  static const std::set<std::string, std::less<>> operators{"prefix", "suffix", "anything-but", "numeric",
                                                            "exists", "cidr",   "wildcard",     "equals-ignore-case"};
  const auto* list = value.as_array();
  if (!list || list->size() < 2) return false;
  return std::all_of(list->begin(), list->end(), [](const auto& one) {
    const auto* object = one.as_object();
    return object && !object->empty() && std::none_of(object->begin(), object->end(), [](const auto& member) {
             return operators.contains(member.first);
           });
  });
}

}  // namespace

struct FilterPolicy::Node {
  struct Key {
    std::string name;
    std::vector<Condition> conditions;  // one of them has to hold; or
    std::unique_ptr<Node> inner;        // what has to hold of the object
  };
  std::vector<Key> keys;                                   // all have to hold
  std::vector<std::vector<std::unique_ptr<Node>>> either;  // of each group one
};

namespace {

using Node = FilterPolicy::Node;

// Counts while it reads.
struct Budget {
  std::set<std::string> keys;
  double combinations = 1;
};

Result<std::unique_ptr<Node>> read_node(const base::Json& json, FilterScope scope, Budget& budget, std::size_t depth,
                                        const std::string& path);

Result<Done> read_either(Node& node, const base::Json& list, FilterScope scope, Budget& budget, std::size_t depth,
                         const std::string& path) {
  auto& group = node.either.emplace_back();
  double sum = 0;  // alternatives add up, keys multiply
  for (const auto& one : *list.as_array()) {
    Budget own{std::move(budget.keys), 1};
    auto inner = read_node(one, scope, own, depth + 1, path);
    if (!inner) return inner.error();
    group.push_back(std::move(*inner));
    budget.keys = std::move(own.keys);
    sum += own.combinations;
  }
  budget.combinations *= sum;
  return Done{};
}

Result<Done> read_conditions(Node::Key& key, const base::Json& value, Budget& budget, const std::string& path) {
  const auto* list = value.as_array();
  if (!list) return bad_filter(fmt::format("\"{}\": match value must be an array or an object", key.name));
  if (list->empty()) return bad_filter(fmt::format("\"{}\": empty arrays are not allowed", key.name));
  for (const auto& one : *list) {
    auto condition = FilterPolicy::Condition::parse(one);
    if (!condition) return condition.error().within("\"" + key.name + "\"");
    key.conditions.push_back(std::move(*condition));
  }
  budget.combinations *= static_cast<double>(list->size());
  budget.keys.insert(path + "/" + key.name);
  return Done{};
}

Result<std::unique_ptr<Node>> read_node(const base::Json& json, FilterScope scope, Budget& budget, std::size_t depth,
                                        const std::string& path) {
  const auto* object = json.as_object();
  if (!object) return bad_filter("a filter policy is a JSON object");
  if (depth > kDepth) return bad_filter(fmt::format("nested deeper than {} levels", kDepth));
  auto node = std::make_unique<Node>();
  for (const auto& [name, value] : *object) {
    if (name == "$or" && is_or(value)) {
      if (auto read = read_either(*node, value, scope, budget, depth, path); !read) return read.error();
      continue;
    }
    auto& key = node->keys.emplace_back();
    key.name = name;
    if (!value.as_object()) {
      if (auto read = read_conditions(key, value, budget, path); !read) return read.error();
      continue;
    }
    if (scope == FilterScope::kMessageAttributes) {
      return bad_filter(
          fmt::format("\"{}\": filter policy can not be nested; set FilterPolicyScope to MessageBody", name));
    }
    auto inner = read_node(value, scope, budget, depth + 1, path + "/" + name);
    if (!inner) return inner.error();
    key.inner = std::move(*inner);
  }
  if (node->keys.empty() && node->either.empty() && depth > 0) return bad_filter("an inner object is empty");
  return node;
}

using Values = std::vector<const base::Json*>;

// The scalars of a value: itself, or those of an array, however deep.
void collect(const base::Json& value, Values& scalars) {
  if (const auto* list = value.as_array()) {
    for (const auto& one : *list) collect(one, scalars);
  } else if (!value.as_object()) {
    scalars.push_back(&value);
  }
}

bool condition_holds(const FilterPolicy::Condition& condition, const Values& scalars) {
  using Kind = FilterPolicy::Condition::Kind;
  if (condition.kind == Kind::kExists) return !scalars.empty();
  if (condition.kind == Kind::kAbsent) return scalars.empty();
  return std::any_of(scalars.begin(), scalars.end(), [&](const auto* value) { return condition.holds_for(*value); });
}

bool node_holds(const Node& node, const base::Json& object);

bool inner_holds(const Node& node, const base::Json& value) {
  if (const auto* list = value.as_array()) {
    return std::any_of(list->begin(), list->end(), [&](const auto& one) { return inner_holds(node, one); });
  }
  // What is not there is asked, too: {"exists": false} may hold of it.
  return node_holds(node, value);
}

bool node_holds(const Node& node, const base::Json& object) {
  for (const auto& key : node.keys) {
    const auto& value = object[key.name];
    if (key.inner) {
      if (!inner_holds(*key.inner, value)) return false;
      continue;
    }
    Values scalars;
    if (object.find(key.name)) collect(value, scalars);
    const auto holds = [&](const auto& condition) { return condition_holds(condition, scalars); };
    if (std::none_of(key.conditions.begin(), key.conditions.end(), holds)) return false;
  }
  return std::all_of(node.either.begin(), node.either.end(), [&](const auto& group) {
    return std::any_of(group.begin(), group.end(), [&](const auto& one) { return node_holds(*one, object); });
  });
}

// Attributes as the object that a policy of their scope looks at. Binary ones are not looked at.
base::Json attributes_as_json(const Attributes& attributes) {
  base::Json object = base::Json::object();
  for (const auto& [name, attribute] : attributes) {
    if (attribute.type.starts_with("Binary")) continue;
    if (attribute.type.starts_with("Number") || attribute.type.starts_with("String.Array")) {
      auto parsed = base::Json::parse(attribute.value);
      if (parsed) object.set(name, std::move(*parsed));
    } else {
      object.set(name, attribute.value);
    }
  }
  return object;
}

}  // namespace

FilterPolicy::FilterPolicy(FilterScope scope, std::unique_ptr<Node> root) : scope_(scope), root_(std::move(root)) {}
FilterPolicy::FilterPolicy(FilterPolicy&&) noexcept = default;
FilterPolicy& FilterPolicy::operator=(FilterPolicy&&) noexcept = default;
FilterPolicy::~FilterPolicy() = default;

Result<FilterPolicy> FilterPolicy::parse(std::string_view text, FilterScope scope) {
  if (text.size() > kPolicyBytes) return bad_filter(fmt::format("larger than {} bytes", kPolicyBytes));
  const auto json = base::Json::parse(text);
  if (!json) return bad_filter("failed to parse JSON: " + json.error().message);
  Budget budget;
  auto root = read_node(*json, scope, budget, 0, "");
  if (!root) return root.error();
  if (budget.keys.size() > kKeys)
    return bad_filter(fmt::format("{} keys; at most {} are allowed", budget.keys.size(), kKeys));
  if (budget.combinations > static_cast<double>(kCombinations)) {
    return bad_filter(fmt::format("too complex: {} combinations of values; at most {} are allowed", budget.combinations,
                                  kCombinations));
  }
  return FilterPolicy(scope, std::move(*root));
}

FilterPolicy::Verdict FilterPolicy::judge(const Message& message, std::string_view text) const {
  if (scope_ == FilterScope::kMessageBody) {
    const auto body = base::Json::parse(text);
    if (!body || !body->as_object()) return Verdict::kInvalidBody;
    return node_holds(*root_, *body) ? Verdict::kMatches : Verdict::kNoMatch;
  }
  if (node_holds(*root_, attributes_as_json(message.attributes))) return Verdict::kMatches;
  return message.attributes.empty() ? Verdict::kNoAttributes : Verdict::kNoMatch;
}

}  // namespace securebase::notify
