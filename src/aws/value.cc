#include "aws/value.h"

#include <algorithm>
#include <limits>

namespace securebase::aws {

Value::Value(std::uint64_t value)
    : value_(static_cast<std::int64_t>(
          std::min<std::uint64_t>(value, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())))) {}

bool Value::bool_or(bool fallback) const {
  const auto* held = std::get_if<bool>(&value_);
  return held ? *held : fallback;
}

std::int64_t Value::integer_or(std::int64_t fallback) const {
  const auto* held = std::get_if<std::int64_t>(&value_);
  return held ? *held : fallback;
}

double Value::number_or(double fallback) const {
  if (const auto* whole = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*whole);
  const auto* held = std::get_if<double>(&value_);
  return held ? *held : fallback;
}

std::string_view Value::string_or(std::string_view fallback) const {
  const auto* held = as_string();
  return held ? std::string_view(*held) : fallback;
}

base::TimePoint Value::time_or(base::TimePoint fallback) const {
  const auto* held = as_time();
  return held ? *held : fallback;
}

const Value::List& Value::elements() const {
  static const List none;
  const auto* held = as_list();
  return held ? *held : none;
}

const Value::Structure& Value::members() const {
  static const Structure none;
  const auto* held = as_structure();
  return held ? *held : none;
}

const Value* Value::find(std::string_view name) const {
  const auto* held = as_structure();
  if (!held) return nullptr;
  const auto at = std::find_if(held->begin(), held->end(), [&](const Member& member) { return member.first == name; });
  return at == held->end() ? nullptr : &at->second;
}

const Value& Value::operator[](std::string_view name) const {
  static const Value absent;
  const auto* found = find(name);
  return found ? *found : absent;
}

Value& Value::set(std::string_view name, Value value) {
  if (is_null()) value_ = Structure();
  auto& held = std::get<Structure>(value_);
  const auto at = std::find_if(held.begin(), held.end(), [&](const Member& member) { return member.first == name; });
  if (at != held.end()) {
    at->second = std::move(value);
  } else {
    held.emplace_back(std::string(name), std::move(value));
  }
  return *this;
}

Value& Value::push_back(Value value) {
  if (is_null()) value_ = List();
  std::get<List>(value_).push_back(std::move(value));
  return *this;
}

}  // namespace securebase::aws
