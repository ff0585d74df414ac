// YAML text to a tree of nodes. yaml-cpp throws; nothing leaves this file but results.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <sstream>
#include <unordered_set>

#include "load/artillery/node.h"

namespace securebase::load::artillery {
namespace {

base::Json number_or_text(const std::string& text) {
  // js-yaml, which Artillery reads by, lets digits be grouped: 10_000.
  std::string digits;
  for (const char c : text) {
    if (c != '_') digits += c;
  }
  if (digits.empty() || text.front() == '_' || text.back() == '_') return text;
  const bool signed_text = digits[0] == '+' || digits[0] == '-';
  const std::string_view bare = std::string_view(digits).substr(signed_text ? 1 : 0);
  if (bare.empty()) return text;
  std::int64_t whole = 0;
  const auto read_whole = [&](std::string_view part, int base) {
    const auto got = std::from_chars(part.data(), part.data() + part.size(), whole, base);
    return !part.empty() && got.ec == std::errc{} && got.ptr == part.data() + part.size();
  };
  const bool negative = digits[0] == '-';
  if (bare.starts_with("0x") && read_whole(bare.substr(2), 16)) return negative ? -whole : whole;
  if (bare.starts_with("0o") && read_whole(bare.substr(2), 8)) return negative ? -whole : whole;
  if (bare[0] >= '0' && bare[0] <= '9' && read_whole(bare, 10)) return negative ? -whole : whole;
  if ((bare[0] >= '0' && bare[0] <= '9') || bare[0] == '.') {
    double real = 0;
    const auto got = std::from_chars(bare.data(), bare.data() + bare.size(), real);
    if (got.ec == std::errc{} && got.ptr == bare.data() + bare.size()) return negative ? -real : real;
  }
  return text;
}

// yaml-cpp marks what was quoted by the tag "!": that is text, whatever it looks like.
base::Json scalar_of(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  return number_or_text(text);
}

class Reader {
 public:
  Reader(std::shared_ptr<const std::string> file, const TreeLimits& limits) : file_(std::move(file)), limits_(limits) {}

  Result<Node> convert(const YAML::Node& node, int depth) {
    const Place at = place(node.Mark());
    if (depth > limits_.depth) return complain(at, fmt::format("more than {} levels deep", limits_.depth));
    if (++nodes_ > limits_.nodes) {
      return complain(at, fmt::format("more than {} values, with what aliases (*name) repeat", limits_.nodes));
    }
    if (node.IsMap()) return convert_map(node, at, depth);
    if (node.IsSequence()) {
      Node list = Node::list(at);
      for (const auto& element : node) {
        auto value = convert(element, depth + 1);
        if (!value) return value.error();
        list.items.push_back(std::move(*value));
      }
      return list;
    }
    if (node.IsScalar()) return Node(scalar_of(node), at);
    return Node(base::Json(), at);
  }

 private:
  Place place(const YAML::Mark& mark) const {
    return {file_, static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
  }
  static Error complain(const Place& at, std::string_view what) {
    return Error{Errc::kMalformed, fmt::format("{}: {}", at.text(), what)};
  }

  Result<Node> convert_map(const YAML::Node& node, const Place& at, int depth) {
    Node map = Node::map(at);
    Node merged = Node::map(at);  // by merge keys: what stands in the map itself comes before it
    std::unordered_set<std::string> seen;
    for (const auto& member : node) {
      const Place key_at = place(member.first.Mark());
      if (!member.first.IsScalar()) return complain(key_at, "a key is expected to be text, and this is a list or map");
      const std::string& key = member.first.Scalar();
      auto value = convert(member.second, depth + 1);
      if (!value) return value.error();
      if (key == "<<") {
        if (auto taken = take_merge(merged, *value, key_at); !taken) return taken.error();
        continue;
      }
      if (!seen.insert(key).second) return complain(key_at, fmt::format("the key {} stands twice in this map", key));
      map.members.push_back({key, key_at, std::move(*value)});
    }
    for (auto& member : merged.members) {
      if (seen.insert(member.key).second) map.members.push_back(std::move(member));
    }
    return map;
  }

  // `<<: *a` and `<<: [*a, *b]`, where earlier ones come first.
  static Result<Done> take_merge(Node& merged, const Node& value, const Place& at) {
    if (value.is_list()) {
      for (const auto& one : value.items) {
        if (!one.is_map()) return complain(at, "<< takes a map or a list of maps");
        if (auto taken = take_merge(merged, one, at); !taken) return taken.error();
      }
      return Done{};
    }
    if (!value.is_map()) return complain(at, fmt::format("<< takes a map, and this is {}", value.what()));
    // What comes first wins: convert_map takes each key once.
    merged.members.insert(merged.members.end(), value.members.begin(), value.members.end());
    return Done{};
  }

  const std::shared_ptr<const std::string> file_;
  const TreeLimits limits_;
  std::size_t nodes_ = 0;
};

// Hears of a document and does nothing.
class Deaf final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// 0, 1, or 2 for more. Not by LoadAll: of ",", yaml-cpp reads empty documents without end.
int documents_in(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Deaf deaf;
  int documents = 0;
  while (documents < 2 && parser.HandleNextDocument(deaf)) ++documents;
  return documents;
}

}  // namespace

Result<Node> read_tree(std::string_view text, std::string file_name, const TreeLimits& limits) {
  if (text.size() > limits.text_bytes) {
    return Error{Errc::kLimit,
                 fmt::format("{}: {} bytes; a script has at most {}", file_name, text.size(), limits.text_bytes)};
  }
  const auto file = std::make_shared<const std::string>(std::move(file_name));
  try {
    const std::string copy(text);
    const int documents = documents_in(copy);
    if (documents > 1) {
      return Error{Errc::kMalformed, fmt::format("{}: more than one YAML document; a script is one", *file)};
    }
    if (documents == 0) return Node(base::Json(), Place{file, 1, 1});
    return Reader(file, limits).convert(YAML::Load(copy), 0);
  } catch (const YAML::Exception& failure) {
    return Error{Errc::kMalformed, fmt::format("{}:{}:{}: this is no YAML: {}", *file, failure.mark.line + 1,
                                               failure.mark.column + 1, failure.msg)};
  } catch (const std::exception& failure) {
    return Error{Errc::kMalformed, fmt::format("{}: this is no YAML: {}", *file, failure.what())};
  }
}

}  // namespace securebase::load::artillery
