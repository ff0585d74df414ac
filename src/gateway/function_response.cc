#include "gateway/function_response.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "gateway/fields.h"
#include "net/http/syntax.h"

namespace securebase::gateway {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

Error no_proxy_response(std::string_view why) {
  return {Errc::kMalformed, fmt::format("the function's answer is no proxy response: {}", why)};
}

class Reader {
 public:
  explicit Reader(const FunctionResponse::Limits& limits) : limits_(limits) {}

  Result<Done> field(FunctionResponse& out, std::string_view name, const element& value) {
    char number[32];
    std::string_view text;
    switch (value.type()) {
      case element_type::STRING:
        text = value.get_string().value_unsafe();
        break;
      case element_type::BOOL:
        text = value.get_bool().value_unsafe() ? "true" : "false";
        break;
      case element_type::INT64:
      case element_type::UINT64:
      case element_type::DOUBLE: {
        const auto end = value.type() == element_type::DOUBLE
                             ? std::to_chars(number, number + sizeof number, value.get_double().value_unsafe())
                         : value.type() == element_type::INT64
                             ? std::to_chars(number, number + sizeof number, value.get_int64().value_unsafe())
                             : std::to_chars(number, number + sizeof number, value.get_uint64().value_unsafe());
        text = std::string_view(number, static_cast<std::size_t>(end.ptr - number));
        break;
      }
      case element_type::NULL_VALUE:
        return Done{};
      default:
        return no_proxy_response("a header's value is an object or a list");
    }
    if (!http::is_token(name)) return no_proxy_response("a header's name holds characters that names do not have");
    // RFC 9110 §5.5: a value that could end its line would let a function's data write headers.
    if (!http::is_field_value(text)) return no_proxy_response("a header's value holds control characters");
    bytes_ += name.size() + text.size();
    if (++fields_ > limits_.header_fields || bytes_ > limits_.header_bytes) {
      return Error{Errc::kLimit, fmt::format("the function's headers exceed {} fields or {} bytes",
                                             limits_.header_fields, limits_.header_bytes)};
    }
    add_response_field(out.headers, name, http::trim_blanks(text));
    return Done{};
  }

 private:
  const FunctionResponse::Limits& limits_;
  std::size_t fields_ = 0;
  std::size_t bytes_ = 0;
};

Result<int> read_status(const element& value) {
  std::int64_t status = 0;
  if (value.is_int64()) {
    status = value.get_int64().value_unsafe();
  } else if (value.is_string()) {  // API Gateway takes "200" too
    const auto text = value.get_string().value_unsafe();
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), status);
    if (failure != std::errc{} || end != text.data() + text.size()) return no_proxy_response("statusCode is no number");
  } else {
    return no_proxy_response("statusCode is no number");
  }
  if (status < 200 || status > 599) return no_proxy_response("statusCode is not between 200 and 599");
  return static_cast<int>(status);
}

// Fields of multiValueHeaders replace those of headers that bear the same name.
Result<Done> read_headers(FunctionResponse& out, const element* single, const element* multiple,
                          const FunctionResponse::Limits& limits) {
  Reader reader(limits);
  std::vector<std::string_view> in_lists;
  if (multiple && !multiple->is_null()) {
    simdjson::dom::object fields;
    if (multiple->get_object().get(fields) != simdjson::SUCCESS)
      return no_proxy_response("multiValueHeaders is no object");
    for (const auto& [name, values] : fields) {
      simdjson::dom::array list;
      if (values.get_array().get(list) != simdjson::SUCCESS)
        return no_proxy_response("multiValueHeaders holds no lists");
      if (list.begin() != list.end()) in_lists.push_back(name);
      for (const auto value : list) {
        if (auto done = reader.field(out, name, value); !done) return done.error();
      }
    }
  }
  if (single && !single->is_null()) {
    simdjson::dom::object fields;
    if (single->get_object().get(fields) != simdjson::SUCCESS) return no_proxy_response("headers is no object");
    for (const auto& [name, value] : fields) {
      const auto replaced = std::any_of(in_lists.begin(), in_lists.end(), [&name = name](std::string_view listed) {
        return http::equal_ignoring_case(listed, name);
      });
      if (replaced) continue;
      if (auto done = reader.field(out, name, value); !done) return done.error();
    }
  }
  return Done{};
}

}  // namespace

Result<FunctionResponse> FunctionResponse::parse(std::string_view payload, const Limits& limits) {
  if (payload.size() > limits.payload_bytes) return no_proxy_response("it is too long");
  // A parser keeps its buffers, which are as large as the largest answer so far: one to a worker.
  thread_local simdjson::dom::parser parser(std::size_t{64} << 20);
  element root;
  if (parser.parse(payload.data(), payload.size()).get(root) != simdjson::SUCCESS)
    return no_proxy_response("it is no JSON");
  simdjson::dom::object members;
  if (root.get_object().get(members) != simdjson::SUCCESS) return no_proxy_response("it is no object");

  FunctionResponse out;
  element single, multiple;
  bool has_single = false, has_multiple = false;
  for (const auto& [name, value] : members) {
    if (name == "statusCode") {
      auto status = read_status(value);
      if (!status) return status.error();
      out.status = *status;
    } else if (name == "headers") {
      single = value;
      has_single = true;
    } else if (name == "multiValueHeaders") {
      multiple = value;
      has_multiple = true;
    } else if (name == "body") {
      if (value.is_null()) continue;
      std::string_view body;
      if (value.get_string().get(body) != simdjson::SUCCESS) return no_proxy_response("body is no string");
      out.body.assign(body);
    } else if (name == "isBase64Encoded") {
      if (value.is_null()) continue;
      if (value.get_bool().get(out.base64) != simdjson::SUCCESS)
        return no_proxy_response("isBase64Encoded is no boolean");
    } else {
      return no_proxy_response(fmt::format("it has a member \"{}\"", name.substr(0, 64)));
    }
  }
  auto done = read_headers(out, has_single ? &single : nullptr, has_multiple ? &multiple : nullptr, limits);
  if (!done) return done.error();
  return out;
}

}  // namespace securebase::gateway
