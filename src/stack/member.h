// How values of Terraform become members of C++ types and back, for stack/declare.h. Header only, since it is
// templates; none of them depends on the type that the member belongs to, or a room with many types would be compiled
// for minutes.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "stack/constraint.h"
#include "stack/declaration.h"
#include "stack/value.h"

namespace securebase::stack {

template <class M>
struct Inner {
  using type = M;
};  // what is left without optional and collections around it
template <class M>
struct Inner<std::optional<M>> : Inner<M> {};
template <class M>
struct Inner<std::vector<M>> : Inner<M> {};
template <class M>
struct Inner<std::set<M>> : Inner<M> {};
template <class M>
struct Inner<std::map<std::string, M>> : Inner<M> {};
template <class M>
using InnerOf = typename Inner<M>::type;

template <class M>
concept IsDuration = requires {
  typename M::period;
  typename M::rep;
};
template <class M>
concept IsOptional = requires(M m) {
  m.has_value();
  m.emplace();
};
template <class M>
concept IsList = requires(M m, typename M::value_type v) { m.insert(m.end(), v); } && !std::same_as<M, std::string> &&
                 !requires { typename M::mapped_type; };
template <class M>
concept IsMap = requires { typename M::mapped_type; };

// A limit that can judge a member of type M.
template <class C, class M>
concept MemberLimit = requires(const C& limit, const InnerOf<M>& inner) {
  { limit.text() } -> std::convertible_to<std::string>;
  { limit.holds(inner) } -> std::convertible_to<bool>;
};

template <class M>
std::string unit_text() {
  if constexpr (std::is_same_v<M, std::chrono::milliseconds>) return "milliseconds";
  if constexpr (std::is_same_v<M, std::chrono::seconds>) return "seconds";
  if constexpr (std::is_same_v<M, std::chrono::minutes>) return "minutes";
  if constexpr (std::is_same_v<M, std::chrono::hours>) return "hours";
  return "days";
}

template <class M, class C>
std::string member_type(const C& limit) {
  if constexpr (std::is_same_v<M, Value>)
    return "any";
  else if constexpr (IsOptional<M>)
    return member_type<typename M::value_type>(limit);
  else if constexpr (IsMap<M>)
    return "map of " + member_type<typename M::mapped_type>(limit);
  else if constexpr (IsList<M>)
    return "list of " + member_type<typename M::value_type>(limit);
  else if constexpr (IsDuration<M>)
    return "number of " + unit_text<M>();
  else if constexpr (std::is_same_v<M, bool>)
    return "bool";
  else if constexpr (std::is_arithmetic_v<M>)
    return "number";
  else
    return "string";
}

template <class C>
std::string out_of_range(const Value& value, const C& limit) {
  return fmt::format("expected {}, got {}", limit.text(), value.display());
}

template <class M>
std::optional<std::string> read_number(const Value& value, M& member) {
  const auto number = value.to_number();
  if (!number) return "number required";
  if constexpr (std::is_integral_v<M>) {
    if (*number != std::trunc(*number)) return "whole number required";
    if (*number < static_cast<Value::Number>(std::numeric_limits<M>::min()) ||
        *number > static_cast<Value::Number>(std::numeric_limits<M>::max())) {
      return fmt::format("expected {} to {}, got {}", std::numeric_limits<M>::min(), std::numeric_limits<M>::max(),
                         number_text(*number));
    }
  }
  member = static_cast<M>(*number);
  return std::nullopt;
}

// nullopt: read, and within the limit. A null value is not handed here, save inside collections.
template <class M, class C>
std::optional<std::string> read_member(const Value& value, M& member, const C& limit) {
  if constexpr (std::is_same_v<M, Value>) {
    member = value;
    return std::nullopt;
  } else if constexpr (IsOptional<M>) {
    typename M::value_type inner{};
    if (auto wrong = read_member(value, inner, limit)) return wrong;
    member = std::move(inner);
    return std::nullopt;
  } else if constexpr (IsMap<M>) {
    if (!value.is_map()) return "map of values required";
    member.clear();
    for (const auto& [name, element] : value.members()) {
      if (element.is_null()) continue;
      typename M::mapped_type inner{};
      if (auto wrong = read_member(element, inner, limit)) return fmt::format("element \"{}\": {}", name, *wrong);
      member.insert_or_assign(name, std::move(inner));
    }
    return std::nullopt;
  } else if constexpr (IsList<M>) {
    if (!value.is_sequence()) return "list of values required";
    member.clear();
    for (std::size_t i = 0; i < value.size(); ++i) {
      typename M::value_type inner{};
      if (auto wrong = read_member(value.elements()[i], inner, limit)) return fmt::format("element {}: {}", i, *wrong);
      member.insert(member.end(), std::move(inner));
    }
    return std::nullopt;
  } else {
    if constexpr (std::is_enum_v<M>) {
      const auto text = value.to_text();
      for (const auto& [name, named] : limit.names) {
        if (text == name) {
          member = named;
          return std::nullopt;
        }
      }
      return out_of_range(value, limit);
    } else if constexpr (IsDuration<M>) {
      typename M::rep count{};
      if (auto wrong = read_number(value, count)) return wrong;
      member = M{count};
    } else if constexpr (std::is_same_v<M, bool>) {
      const auto truth = value.to_bool();
      if (!truth) return "a bool is required";
      member = *truth;
    } else if constexpr (std::is_arithmetic_v<M>) {
      if (auto wrong = read_number(value, member)) return wrong;
    } else {
      static_assert(std::is_same_v<M, std::string>, "no value of Terraform becomes this type");
      auto text = value.to_text();
      if (!text) return "string required";
      member = std::move(*text);
    }
    return limit.holds(member) ? std::nullopt : std::optional(out_of_range(value, limit));
  }
}

template <class M, class C>
Value member_value(const M& member, const C& limit) {
  if constexpr (IsOptional<M>) {
    return member ? member_value(*member, limit) : Value();
  } else if constexpr (IsMap<M>) {
    Value::Map map;
    for (const auto& [name, element] : member) map.emplace(name, member_value(element, limit));
    return map;
  } else if constexpr (IsList<M>) {
    Value::List list;
    for (const auto& element : member) list.push_back(member_value(element, limit));
    return list;
  } else if constexpr (std::is_enum_v<M>) {
    for (const auto& [name, named] : limit.names) {
      if (named == member) return Value(name);
    }
    return Value();
  } else if constexpr (IsDuration<M>) {
    return Value(member.count());
  } else {
    return Value(member);
  }
}

template <class M, class C>
class LimitedMember final : public Member {
 public:
  LimitedMember(M fallback, C limit) : fallback_(std::move(fallback)), limit_(std::move(limit)) {}

  std::string type() const override { return member_type<M>(limit_); }
  std::string range() const override { return limit_.text(); }
  std::optional<std::string> read(void* member, const Value& value) const override {
    return read_member(value, *static_cast<M*>(member), limit_);
  }
  Value write(const void* member) const override { return member_value(*static_cast<const M*>(member), limit_); }
  void set_fallback(void* member) const override { *static_cast<M*>(member) = fallback_; }
  Value fallback() const override { return member_value(fallback_, limit_); }

 private:
  const M fallback_;
  const C limit_;
};

// M is std::vector<U>, std::optional<U> or U, where U is the type of the block.
template <class M, class U>
class BlockMember final : public NestedMember {
 public:
  void* add(void* member, const Declaration& block) const override {
    auto& place = *static_cast<M*>(member);
    U* added = nullptr;
    if constexpr (std::is_same_v<M, std::vector<U>>) {
      added = &place.emplace_back();
    } else if constexpr (std::is_same_v<M, std::optional<U>>) {
      added = &place.emplace();
    } else {
      return &place;  // the defaults are there already
    }
    block.set_fallbacks(added);
    return added;
  }
  std::vector<const void*> all(const void* member) const override {
    const auto& place = *static_cast<const M*>(member);
    std::vector<const void*> found;
    if constexpr (std::is_same_v<M, std::vector<U>>) {
      for (const U& one : place) found.push_back(&one);
    } else if constexpr (std::is_same_v<M, std::optional<U>>) {
      if (place) found.push_back(&*place);
    } else {
      found.push_back(&place);
    }
    return found;
  }
  void set_fallback(void* member, const Declaration& block) const override {
    if constexpr (std::is_same_v<M, U>) block.set_fallbacks(member);
  }
};

}  // namespace securebase::stack
