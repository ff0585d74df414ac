#include "aws/query_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "aws/scalar.h"

namespace securebase::aws {

namespace {

constexpr std::size_t kMaxNameDepth = 64;  // dots in a name; the deepest model has about ten

// The parameters below one prefix, sorted by their names segment by segment: those below one name stand together.
using Below = std::span<const Parameter>;

// '.' sorts before all others, so that "A", "A.1", "A.1.B", "A-B" stand in the order of a walk through the tree.
bool before(const Parameter& a, const Parameter& b) {
  return std::lexicographical_compare(a.name.begin(), a.name.end(), b.name.begin(), b.name.end(), [](char x, char y) {
    if (x == '.' || y == '.') return x == '.' && y != '.';
    return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
  });
}

std::string_view segment_at(const Parameter& parameter, std::size_t offset) {
  const std::string_view rest = std::string_view(parameter.name).substr(std::min(offset, parameter.name.size()));
  return rest.substr(0, rest.find('.'));
}

std::optional<std::size_t> index_from(std::string_view segment) {
  std::size_t index = 0;
  const auto [end, failure] = std::from_chars(segment.data(), segment.data() + segment.size(), index);
  if (failure != std::errc{} || end != segment.data() + segment.size() || segment.empty()) return std::nullopt;
  return index;
}

class QueryDecoder {
 public:
  // `offset`: where in the names of `below` the part of this value begins. All of them share what stands before.
  Result<Value, Complaint> decode(Below below, std::size_t offset, const Shape& shape) {
    if (++depth_ > kMaxNameDepth) {
      return Complaint{Complaint::Kind::kUnparsable, "", "the names of the parameters are nested too deeply", {}};
    }
    auto value = [&]() -> Result<Value, Complaint> {
      switch (shape.type) {
        case Type::kStructure:
          return structure(below, offset, shape);
        case Type::kList:
          return list(below, offset, shape);
        case Type::kMap:
          return map(below, offset, shape);
        default:
          return value_from_text(shape, below.front().value, below.front().name);
      }
    }();
    --depth_;
    return value;
  }

  Result<Value, Complaint> structure(Below below, std::size_t offset, const Shape& shape) {
    Value::Structure members;
    for (const auto& [segment, group] : groups(below, offset)) {
      if (segment.empty()) continue;
      const Member* member = find_member(shape, segment);
      if (!member) {
        members.emplace_back(std::string(segment), freely(group, offset + segment.size() + 1, 0));
        continue;
      }
      auto value = decode(group, offset + segment.size() + 1, *member->shape);
      if (!value) return value.error();
      members.emplace_back(std::string(member->name), std::move(*value));
    }
    return Value(std::move(members));
  }

 private:
  struct Group {
    std::string_view segment;
    Below parameters;
  };

  static std::vector<Group> groups(Below below, std::size_t offset) {
    std::vector<Group> all;
    for (std::size_t begin = 0; begin < below.size();) {
      const auto segment = segment_at(below[begin], offset);
      std::size_t end = begin + 1;
      while (end < below.size() && segment_at(below[end], offset) == segment) ++end;
      all.push_back({segment, below.subspan(begin, end - begin)});
      begin = end;
    }
    return all;
  }

  // Flattened lists go by the name of their elements.
  static const Member* find_member(const Shape& shape, std::string_view segment) {
    if (const auto* member = shape.find_wire(segment)) return member;
    for (const auto& member : shape.members) {
      if (member.shape->type == Type::kList && (member.flattened || member.shape->flattened) &&
          member.shape->element().has_wire_name && member.shape->element().wire == segment) {
        return &member;
      }
    }
    return nullptr;
  }

  // What stands below numbers, in their order; "member", "entry" or an element's name before the numbers is skipped.
  static std::vector<std::pair<std::size_t, Group>> numbered(Below below, std::size_t& offset) {
    auto all = groups(below, offset);
    std::erase_if(all, [](const Group& group) { return group.segment.empty(); });
    if (all.size() == 1 && !index_from(all[0].segment)) {
      offset += all[0].segment.size() + 1;
      all = groups(all[0].parameters, offset);
    }
    std::vector<std::pair<std::size_t, Group>> elements;
    for (const auto& group : all) {
      if (const auto index = index_from(group.segment)) elements.emplace_back(*index, group);
    }
    std::stable_sort(elements.begin(), elements.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return elements;
  }

  Result<Value, Complaint> list(Below below, std::size_t offset, const Shape& shape) {
    Value::List elements;
    for (const auto& [index, group] : numbered(below, offset)) {
      auto value = decode(group.parameters, offset + group.segment.size() + 1, *shape.element().shape);
      if (!value) return value.error();
      elements.push_back(std::move(*value));
    }
    return Value(std::move(elements));
  }

  Result<Value, Complaint> map(Below below, std::size_t offset, const Shape& shape) {
    Value::Structure entries;
    for (const auto& [index, entry] : numbered(below, offset)) {
      const auto inside = offset + entry.segment.size() + 1;
      std::string key;
      std::optional<Value> value;
      for (const auto& [segment, group] : groups(entry.parameters, inside)) {
        if (segment == shape.key().wire || segment == "key" || segment == "Key" || segment == "Name") {
          key = group.front().value;
        } else {
          auto decoded = decode(group, inside + segment.size() + 1, *shape.value().shape);
          if (!decoded) return decoded.error();
          value = std::move(*decoded);
        }
      }
      if (value) entries.emplace_back(std::move(key), std::move(*value));
    }
    return Value(std::move(entries));
  }

  static Value freely(Below below, std::size_t offset, std::size_t depth) {
    if (below.size() == 1 && below.front().name.size() < offset) return below.front().value;
    if (depth > kMaxNameDepth) return {};
    Value::Structure members;
    for (const auto& [segment, group] : groups(below, offset)) {
      if (!segment.empty()) {
        members.emplace_back(std::string(segment), freely(group, offset + segment.size() + 1, depth + 1));
      }
    }
    return members;
  }

  std::size_t depth_ = 0;
};

}  // namespace

Result<Value, Complaint> decode_query(std::vector<Parameter> parameters, const Shape& shape) {
  std::stable_sort(parameters.begin(), parameters.end(), before);
  return QueryDecoder().structure(parameters, 0, shape);
}

}  // namespace securebase::aws
