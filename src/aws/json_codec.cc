#include "aws/json_codec.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "aws/scalar.h"
#include "aws/timestamps.h"
#include "base/encoding.h"
#include "base/json.h"

namespace securebase::aws {

namespace {

std::string_view kind_of_json(const base::Json& json) {
  if (json.is_null()) return "null";
  if (json.is_bool()) return "a boolean";
  if (json.is_number()) return "a number";
  if (json.is_string()) return "a string";
  return json.is_array() ? "a list" : "an object";
}

Complaint wrong_type(std::string_view expected, const base::Json& came, const std::string& path) {
  return {Complaint::Kind::kUnparsable, path, fmt::format("expected {}, came {}", expected, kind_of_json(came)), {}};
}

// What no shape describes.
Value freely(base::Json& json) {
  if (json.is_bool()) return json.bool_or(false);
  if (json.is_integer()) return json.integer_or(0);
  if (json.is_number()) return json.number_or(0);
  if (const auto* text = json.as_string()) return *text;
  if (auto* array = json.as_array()) {
    Value::List list;
    for (auto& element : *array) list.push_back(freely(element));
    return list;
  }
  if (auto* object = json.as_object()) {
    Value::Structure structure;
    for (auto& [name, member] : *object) structure.emplace_back(std::move(name), freely(member));
    return structure;
  }
  return {};
}

class JsonDecoder {
 public:
  // Null where the JSON is: absent.
  Result<Value, Complaint> decode(base::Json& json, const Shape& shape) {
    if (json.is_null()) return Value();
    switch (shape.type) {
      case Type::kStructure:
        return structure(json, shape);
      case Type::kMap:
        return map(json, shape);
      case Type::kList:
        return list(json, shape);
      case Type::kString:
        if (const auto* text = json.as_string()) return Value(std::move(*const_cast<std::string*>(text)));
        return wrong_type("a string", json, path_);
      case Type::kBoolean:
        if (json.is_bool()) return Value(json.bool_or(false));
        return wrong_type("true or false", json, path_);
      case Type::kBlob:
        if (const auto* text = json.as_string()) return value_from_text(shape, *text, path_);
        return wrong_type("base64 in a string", json, path_);
      case Type::kInteger:
      case Type::kLong:
        return whole(json);
      case Type::kFloat:
      case Type::kDouble:
        if (json.is_number()) return Value(json.number_or(0));
        if (const auto* text = json.as_string()) return value_from_text(shape, *text, path_);  // "NaN", "Infinity"
        return wrong_type("a number", json, path_);
      case Type::kTimestamp:
        return time(json, shape);
    }
    return Value();
  }

 private:
  Result<Value, Complaint> structure(base::Json& json, const Shape& shape) {
    auto* object = json.as_object();
    if (!object) return wrong_type("an object", json, path_);
    Value::Structure members;
    members.reserve(object->size());
    std::size_t next = 0;  // most clients send members in the model's order
    for (auto& [name, child] : *object) {
      const Member* member = next < shape.members.size() && shape.members[next].wire == name ? &shape.members[next]
                                                                                             : shape.find_wire(name);
      if (!member) {
        members.emplace_back(std::move(name), freely(child));
        continue;
      }
      next = static_cast<std::size_t>(member - shape.members.data()) + 1;
      if (child.is_null()) continue;
      const auto mark = enter(member->name);
      auto value = decode(child, *member->shape);
      if (!value) return value.error();
      path_.resize(mark);
      members.emplace_back(std::string(member->name), std::move(*value));
    }
    return Value(std::move(members));
  }

  Result<Value, Complaint> map(base::Json& json, const Shape& shape) {
    auto* object = json.as_object();
    if (!object) return wrong_type("an object", json, path_);
    Value::Structure members;
    members.reserve(object->size());
    for (auto& [name, child] : *object) {
      const auto mark = enter(name);
      auto value = decode(child, *shape.value().shape);
      if (!value) return value.error();
      path_.resize(mark);
      members.emplace_back(std::move(name), std::move(*value));
    }
    return Value(std::move(members));
  }

  Result<Value, Complaint> list(base::Json& json, const Shape& shape) {
    auto* array = json.as_array();
    if (!array) return wrong_type("a list", json, path_);
    Value::List elements;
    elements.reserve(array->size());
    for (auto& child : *array) {
      const auto mark = path_.size();
      fmt::format_to(std::back_inserter(path_), ".{}", elements.size() + 1);
      auto value = decode(child, *shape.element().shape);
      if (!value) return value.error();
      path_.resize(mark);
      elements.push_back(std::move(*value));
    }
    return Value(std::move(elements));
  }

  Result<Value, Complaint> whole(const base::Json& json) {
    if (json.is_integer()) return Value(json.integer_or(0));
    const double number = json.number_or(std::numeric_limits<double>::quiet_NaN());
    if (std::trunc(number) == number && std::abs(number) < 9.2e18) return Value(static_cast<std::int64_t>(number));
    return wrong_type("a whole number", json, path_);
  }

  Result<Value, Complaint> time(const base::Json& json, const Shape& shape) {
    if (const auto* text = json.as_string()) return value_from_text(shape, *text, path_);
    if (!json.is_number()) return wrong_type("seconds since 1970", json, path_);
    const auto time = time_from_seconds(json.number_or(0));
    if (!time) return wrong_type("seconds of the years 1 to 9999", json, path_);
    return Value(*time);
  }

  std::size_t enter(std::string_view name) {
    const auto mark = path_.size();
    if (mark > 0) path_ += '.';
    path_ += name;
    return mark;
  }

  std::string path_;
};

void encode_member_name(std::string& out, bool& first, std::string_view name) {
  if (!first) out += ',';
  first = false;
  base::append_json_string(out, name);
  out += ':';
}

void encode(std::string& out, const Value& value, const Shape* shape, TimeFormat format, bool top) {
  if (const auto* structure = value.as_structure()) {
    out += '{';
    bool first = true;
    const bool is_map = shape && shape->type == Type::kMap;
    for (const auto& [name, child] : *structure) {
      if (child.is_null()) continue;
      const Member* member = !shape || shape->type != Type::kStructure ? nullptr : shape->find(name);
      if (member && top && member->location != Location::kBody) continue;
      encode_member_name(out, first, member ? member->wire : std::string_view(name));
      if (member) {
        encode(out, child, member->shape, time_format_of(*member, TimeFormat::kUnix), false);
      } else if (is_map) {
        encode(out, child, shape->value().shape, time_format_of(shape->value(), TimeFormat::kUnix), false);
      } else {
        encode(out, child, nullptr, TimeFormat::kUnix, false);
      }
    }
    out += '}';
  } else if (const auto* list = value.as_list()) {
    const bool typed = shape && shape->type == Type::kList;
    out += '[';
    for (const auto& element : *list) {
      if (&element != list->data()) out += ',';
      encode(out, element, typed ? shape->element().shape : nullptr,
             typed ? time_format_of(shape->element(), TimeFormat::kUnix) : TimeFormat::kUnix, false);
    }
    out += ']';
  } else if (value.is_null()) {
    out += "null";
  } else if (const auto* time = value.as_time(); time && format == TimeFormat::kUnix) {
    out += format_time(*time, format);
  } else if (value.is_string() || value.is_blob() || value.is_time()) {
    if (const auto* text = value.as_string()) {
      base::append_json_string(out, *text);
    } else {
      std::string text_form;
      append_scalar(text_form, value, format);
      base::append_json_string(out, text_form);
    }
  } else if (!value.is_integer() && !value.is_bool() && !std::isfinite(value.number_or(0))) {
    out += '"';
    append_number(out, value.number_or(0));
    out += '"';
  } else {
    append_scalar(out, value, format);
  }
}

}  // namespace

Result<Value, Complaint> decode_json(std::string_view body, const Shape& shape) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return Value::structure();
  auto json = base::Json::parse(body);
  if (!json) return Complaint{Complaint::Kind::kUnparsable, "", json.error().message, {}};
  if (!json->is_object() && shape.type == Type::kStructure) return wrong_type("an object", *json, "");
  return JsonDecoder().decode(*json, shape);
}

void encode_json(std::string& out, const Value& value, const Shape* shape) {
  if (value.is_null()) {
    out += "{}";
    return;
  }
  encode(out, value, shape, TimeFormat::kUnix, true);
}

}  // namespace securebase::aws
