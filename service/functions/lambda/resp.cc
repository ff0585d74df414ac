#include "lambda/resp.h"

#include <fmt/format.h>

#include <charconv>

namespace securebase::lambda {

namespace {

Error malformed(std::string_view what) { return Error{Errc::kMalformed, fmt::format("reply of Redis: {}", what)}; }

// Reads from `text` on without taking: a reply is taken whole or not at all.
class Reader {
 public:
  Reader(std::string_view text, const RespLimits& limits) : text_(text), limits_(limits) {}

  std::size_t position() const { return position_; }

  Result<std::optional<RespValue>> read(std::size_t depth) {
    auto line = read_line();
    if (!line) return line.error();
    if (!*line) return std::optional<RespValue>();
    if ((*line)->empty()) return malformed("an empty line");
    const std::string_view rest = (*line)->substr(1);
    switch ((*line)->front()) {
      case '+':
        return made(std::string(rest));
      case '-':
        return made(RespValue::Failure{std::string(rest)});
      case ':': {
        auto number = read_number(rest);
        if (!number) return number.error();
        return made(*number);
      }
      case '$':
        return read_bulk(rest);
      case '*':
        return read_array(rest, depth);
      default:
        return malformed("a type that RESP2 does not have");
    }
  }

 private:
  static std::optional<RespValue> made(decltype(RespValue::value) value) { return RespValue{std::move(value)}; }

  // Without its CR LF. nullopt: not there yet.
  Result<std::optional<std::string_view>> read_line() {
    const std::size_t end = text_.find("\r\n", position_);
    const std::size_t length = std::min(end, text_.size()) - position_;
    if (length > limits_.line_bytes) return Error{Errc::kLimit, "reply of Redis: a line without end"};
    if (end == std::string_view::npos) return std::optional<std::string_view>();
    const std::string_view line = text_.substr(position_, length);
    position_ = end + 2;
    return std::optional(line);
  }

  static Result<std::int64_t> read_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) return malformed("not a number");
    return number;
  }

  Result<std::optional<RespValue>> read_bulk(std::string_view length_text) {
    auto length = read_number(length_text);
    if (!length) return length.error();
    if (*length == -1) return made(RespValue::Nil{});
    if (*length < 0) return malformed("a negative length");
    const auto bytes = static_cast<std::size_t>(*length);
    if (bytes > limits_.bulk_bytes) {
      return Error{Errc::kLimit,
                   fmt::format("reply of Redis: {} bytes, at most {} are read", bytes, limits_.bulk_bytes)};
    }
    if (text_.size() - position_ < bytes + 2) return std::optional<RespValue>();
    if (text_.substr(position_ + bytes, 2) != "\r\n") return malformed("a bulk string longer than it says");
    std::string bulk(text_.substr(position_, bytes));
    position_ += bytes + 2;
    return made(std::move(bulk));
  }

  Result<std::optional<RespValue>> read_array(std::string_view count_text, std::size_t depth) {
    auto count = read_number(count_text);
    if (!count) return count.error();
    if (*count == -1) return made(RespValue::Nil{});
    if (*count < 0) return malformed("a negative count");
    if (static_cast<std::size_t>(*count) > limits_.elements) return Error{Errc::kLimit, "reply of Redis: a long array"};
    if (depth == limits_.depth) return Error{Errc::kLimit, "reply of Redis: arrays nested too deep"};
    std::vector<RespValue> elements;
    for (std::int64_t i = 0; i < *count; ++i) {
      auto element = read(depth + 1);
      if (!element) return element.error();
      if (!*element) return std::optional<RespValue>();
      elements.push_back(std::move(**element));
    }
    return made(std::move(elements));
  }

  const std::string_view text_;
  const RespLimits& limits_;
  std::size_t position_ = 0;
};

}  // namespace

Result<std::optional<RespValue>> take_reply(std::string& buffer, const RespLimits& limits) {
  Reader reader(buffer, limits);
  auto reply = reader.read(0);
  if (reply && *reply) buffer.erase(0, reader.position());
  return reply;
}

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  fmt::format_to(std::back_inserter(out), "*{}\r\n", words.size());
  for (const std::string_view word : words) {
    fmt::format_to(std::back_inserter(out), "${}\r\n", word.size());
    out += word;
    out += "\r\n";
  }
}

}  // namespace securebase::lambda
