// The Redis serialisation protocol, version 2 (https://redis.io/docs/reference/protocol-spec/).
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace securebase::lambda {

struct RespValue {
  struct Nil {};
  struct Failure {
    std::string message;  // "WRONGPASS invalid username-password pair ..."
  };
  std::variant<Nil, std::string, std::int64_t, Failure, std::vector<RespValue>> value;

  const std::string* as_string() const { return std::get_if<std::string>(&value); }
  const Failure* as_failure() const { return std::get_if<Failure>(&value); }
  bool is_nil() const { return std::holds_alternative<Nil>(value); }
};

struct RespLimits {
  std::size_t line_bytes = 4 << 10;  // errors and numbers
  std::size_t bulk_bytes = 8 << 20;  // beyond Lambda's 6 MB payload no value is of use
  std::size_t elements = 4096;       // of one array
  std::size_t depth = 4;             // arrays in arrays
};

// Takes one reply from the front of `buffer`. nullopt: more bytes are needed. After an error: close.
Result<std::optional<RespValue>> take_reply(std::string& buffer, const RespLimits& limits = {});

// A command as an array of bulk strings.
void append_command(std::string& out, std::initializer_list<std::string_view> words);

}  // namespace securebase::lambda
