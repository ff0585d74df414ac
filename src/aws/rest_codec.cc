#include "aws/rest_codec.h"

#include <algorithm>
#include <cctype>

#include "aws/scalar.h"
#include "base/encoding.h"
#include "base/json.h"
#include "net/http/syntax.h"

namespace securebase::aws {

namespace {

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return copy;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && http::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

Result<Done, Complaint> set_scalar(Value& input, const Member& member, std::string_view text) {
  auto value = value_from_text(*member.shape, text, member.name);
  if (!value) return value.error();
  input.set(member.name, std::move(*value));
  return Done{};
}

Result<Done, Complaint> take_query_list(Value& input, const Member& member, const std::vector<Parameter>& query) {
  Value::List list;
  for (const auto& one : query) {
    if (one.name != member.wire) continue;
    auto value = value_from_text(*member.shape->element().shape, one.value, member.name);
    if (!value) return value.error();
    list.push_back(std::move(*value));
  }
  if (!list.empty()) input.set(member.name, std::move(list));
  return Done{};
}

// A map takes all parameters that no other member takes, and that do not belong to the operation's path.
void take_query_map(Value& input, const Member& member, const Operation& operation,
                    const std::vector<Parameter>& query) {
  const auto question = std::min(operation.uri.find('?'), operation.uri.size() - 1);
  const auto own = parse_form(operation.uri.substr(question + 1));
  Value map = Value::structure();
  for (const auto& one : query) {
    bool taken = one.name.starts_with("X-Amz-") || (own && find_parameter(*own, one.name));
    for (const auto& other : operation.input->members) {
      taken |= other.location == Location::kQuery && &other != &member && other.wire == one.name;
    }
    if (taken) continue;
    if (member.shape->value().shape->type == Type::kList) {
      Value held = map[one.name];
      held.push_back(one.value);
      map.set(one.name, std::move(held));
    } else {
      map.set(one.name, one.value);
    }
  }
  if (!map.members().empty()) input.set(member.name, std::move(map));
}

Result<Done, Complaint> take_header(Value& input, const Member& member, std::string_view text) {
  if (member.shape->type == Type::kList) {
    Value::List list;
    Result<Done, Complaint> done = Done{};
    http::for_each_element(text, [&](std::string_view element) {
      auto value = value_from_text(*member.shape->element().shape, element, member.name);
      if (value) {
        list.push_back(std::move(*value));
      } else {
        done = value.error();
      }
    });
    if (done) input.set(member.name, std::move(list));
    return done;
  }
  if (member.json_value) {
    auto json = base::from_base64(text);
    if (!json) {
      return Complaint{Complaint::Kind::kUnparsable, std::string(member.name), "expected JSON in base64", {}};
    }
    input.set(member.name, std::move(*json));
    return Done{};
  }
  return set_scalar(input, member, http::trim_blanks(text));
}

void take_prefix_headers(Value& input, const Member& member, const http::Headers& headers) {
  Value map = Value::structure();
  for (const auto& field : headers.fields()) {
    if (field.name.size() > member.wire.size() && starts_with_ignoring_case(field.name, member.wire)) {
      map.set(lower(field.name.substr(member.wire.size())), field.value);
    }
  }
  if (!map.members().empty()) input.set(member.name, std::move(map));
}

std::string header_text(const Member& member, const Value& value) {
  std::string text;
  if (value.is_list()) {
    for (const auto& one : value.elements()) {
      if (!text.empty()) text += ", ";
      append_scalar(
          text, one,
          time_format_of(member.shape->type == Type::kList ? member.shape->element() : member, TimeFormat::kHttpDate));
    }
    return text;
  }
  append_scalar(text, value, time_format_of(member, TimeFormat::kHttpDate));
  return member.json_value ? base::base64(text) : text;
}

// A value that could break out of its line is not sent: what rooms keep came from clients.
void add_header(http::Headers& headers, std::string_view name, std::string_view value) {
  if (http::is_field_value(value) && http::is_token(name)) headers.set(name, value);
}

}  // namespace

Result<Done, Complaint> take_bound_members(Value& input, const Target& target, const http::Request& request) {
  const Shape& shape = *target.operation->input;
  for (const auto& member : shape.members) {
    Result<Done, Complaint> done = Done{};
    switch (member.location) {
      case Location::kUri:
        if (const auto* text = find_parameter(target.labels, member.wire)) done = set_scalar(input, member, *text);
        break;
      case Location::kQuery:
        if (member.shape->type == Type::kList) {
          done = take_query_list(input, member, target.query);
        } else if (member.shape->type == Type::kMap) {
          take_query_map(input, member, *target.operation, target.query);
        } else if (const auto* text = find_parameter(target.query, member.wire)) {
          done = set_scalar(input, member, *text);
        }
        break;
      case Location::kHeader:
        if (request.headers.has(member.wire)) {
          const std::string text = request.headers.joined(member.wire);
          // An empty header is a member that is not there, except where the type allows nothing.
          if (!text.empty() || member.shape->type == Type::kString) done = take_header(input, member, text);
        }
        break;
      case Location::kPrefixHeaders:
        take_prefix_headers(input, member, request.headers);
        break;
      case Location::kBody:
      case Location::kStatus:
        break;
    }
    if (!done) return done;
  }
  return Done{};
}

int put_bound_members(const Value& output, const Shape& shape, http::Headers& headers) {
  int status = 0;
  for (const auto& member : shape.members) {
    const auto* value = output.find(member.name);
    if (!value || value->is_null()) continue;
    switch (member.location) {
      case Location::kHeader:
        add_header(headers, member.wire, header_text(member, *value));
        break;
      case Location::kPrefixHeaders:
        for (const auto& [name, held] : value->members()) {
          add_header(headers, std::string(member.wire) + name, held.string_or(""));
        }
        break;
      case Location::kStatus:
        status = static_cast<int>(value->integer_or(0));
        break;
      case Location::kBody:
      case Location::kUri:
      case Location::kQuery:
        break;
    }
  }
  return status;
}

}  // namespace securebase::aws
