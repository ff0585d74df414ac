#include "aws/json_value.h"

#include <chrono>

namespace securebase::aws {

base::Json json_from(const Value& value, TimeAs time_as) {
  using base::Json;
  if (value.is_bool()) return value.bool_or(false);
  if (value.is_integer()) return value.integer_or(0);
  if (value.is_number()) return value.number_or(0);
  if (const auto* text = value.as_string()) return *text;
  if (const auto* time = value.as_time()) {
    if (time_as == TimeAs::kSeconds) return std::chrono::duration<double>(time->time_since_epoch()).count();
    return static_cast<std::int64_t>(std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count());
  }
  if (value.is_list()) {
    Json made = Json::array();
    for (const auto& one : value.elements()) made.push_back(json_from(one, time_as));
    return made;
  }
  if (value.is_structure()) {
    Json made = Json::object();
    for (const auto& [name, member] : value.members()) {
      if (!member.is_null()) made.set(name, json_from(member, time_as));
    }
    return made;
  }
  return nullptr;
}

Value value_from(const base::Json& json) {
  if (json.is_bool()) return json.bool_or(false);
  if (json.is_integer()) return json.integer_or(0);
  if (json.is_number()) return json.number_or(0);
  if (const auto* text = json.as_string()) return *text;
  if (const auto* list = json.as_array()) {
    Value made = Value::list();
    for (const auto& one : *list) made.push_back(value_from(one));
    return made;
  }
  if (const auto* object = json.as_object()) {
    Value made = Value::structure();
    for (const auto& [name, member] : *object) {
      if (!member.is_null()) made.set(name, value_from(member));
    }
    return made;
  }
  return {};
}

}  // namespace securebase::aws
