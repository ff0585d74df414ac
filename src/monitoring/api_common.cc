#include "base/encoding.h"
#include "monitoring/api.h"

namespace securebase::monitoring {

namespace {
constexpr std::string_view kTokenMark = "v1:";
}

base::Json json_from(const aws::Value& value) {
  using base::Json;
  if (value.is_bool()) return value.bool_or(false);
  if (value.is_integer()) return value.integer_or(0);
  if (value.is_number()) return value.number_or(0);
  if (const auto* text = value.as_string()) return *text;
  if (const auto* time = value.as_time())
    return static_cast<std::int64_t>(std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count());
  if (value.is_list()) {
    Json made = Json::array();
    for (const auto& one : value.elements()) made.push_back(json_from(one));
    return made;
  }
  if (value.is_structure()) {
    Json made = Json::object();
    for (const auto& [name, member] : value.members()) {
      if (!member.is_null()) made.set(name, json_from(member));
    }
    return made;
  }
  return nullptr;
}

aws::Value value_from(const base::Json& json) {
  if (json.is_bool()) return json.bool_or(false);
  if (json.is_integer()) return json.integer_or(0);
  if (json.is_number()) return json.number_or(0);
  if (const auto* text = json.as_string()) return *text;
  if (const auto* list = json.as_array()) {
    aws::Value made = aws::Value::list();
    for (const auto& one : *list) made.push_back(value_from(one));
    return made;
  }
  if (const auto* object = json.as_object()) {
    aws::Value made = aws::Value::structure();
    for (const auto& [name, member] : *object) {
      if (!member.is_null()) made.set(name, value_from(member));
    }
    return made;
  }
  return {};
}

aws::Fault validation(std::string message) { return {"ValidationError", std::move(message), 400, {}}; }

aws::Fault fault_of(const Error& error) {
  switch (error.code) {
    case Errc::kLimit:
      return {"LimitExceeded", error.message, 400, {}};
    case Errc::kNotFound:
      return {"ResourceNotFound", error.message, 404, {}};
    case Errc::kMalformed:
    case Errc::kConflict:
    case Errc::kUnsupported:
      return validation(error.message);
    default:
      return {"InternalServiceError", error.message, 500, {}};
  }
}

std::string page_token(std::string_view place) { return base::base64url(std::string(kTokenMark) + std::string(place)); }

std::optional<std::string> page_place(std::string_view token) {
  auto place = base::from_base64url(token);
  if (!place || !place->starts_with(kTokenMark)) return std::nullopt;
  return place->substr(kTokenMark.size());
}

}  // namespace securebase::monitoring
