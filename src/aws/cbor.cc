#include "aws/cbor.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "aws/timestamps.h"

namespace securebase::aws {

namespace {

constexpr int kMaxCborDepth = 64;
constexpr unsigned kIndefinite = 31;

enum Major : unsigned { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };

Complaint unparsable(std::string path, std::string message) {
  return {Complaint::Kind::kUnparsable, std::move(path), std::move(message), {}};
}

class CborParser {
 public:
  explicit CborParser(std::string_view bytes) : whole_(bytes), rest_(bytes) {}

  Result<Value, Complaint> whole() {
    auto value = item(0);
    if (value && !rest_.empty()) return failure("bytes after the end of the data item");
    return value;
  }

 private:
  struct Head {
    Major major;
    unsigned additional;
    std::uint64_t argument;
  };

  Complaint failure(std::string_view what) const {
    return unparsable("", fmt::format("{} at offset {}", what, whole_.size() - rest_.size()));
  }

  std::optional<Head> head() {
    if (rest_.empty()) return std::nullopt;
    const auto first = static_cast<unsigned char>(rest_.front());
    Head head{static_cast<Major>(first >> 5), first & 31U, first & 31U};
    rest_.remove_prefix(1);
    if (head.additional < 24 || head.additional == kIndefinite) return head;
    if (head.additional > 27) return std::nullopt;
    const std::size_t size = std::size_t{1} << (head.additional - 24);
    if (rest_.size() < size) return std::nullopt;
    head.argument = 0;
    for (std::size_t i = 0; i < size; ++i) {
      head.argument = head.argument << 8 | static_cast<unsigned char>(rest_[i]);
    }
    rest_.remove_prefix(size);
    return head;
  }

  bool take_break() {
    if (rest_.empty() || static_cast<unsigned char>(rest_.front()) != 0xff) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Result<Value, Complaint> item(int depth) {
    if (depth > kMaxCborDepth) return failure("more than 64 levels");
    const auto head = this->head();
    if (!head) return failure("no whole data item");
    const bool indefinite = head->additional == kIndefinite;
    if (indefinite && (head->major == kUnsigned || head->major == kNegative || head->major == kTag)) {
      return failure("a number without a length");
    }
    switch (head->major) {
      case kUnsigned:
        return Value(head->argument);
      case kNegative:
        if (head->argument > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
          return failure("a negative number of more than 64 bits");
        }
        return Value(-1 - static_cast<std::int64_t>(head->argument));
      case kBytes:
      case kText: {
        auto bytes = string(*head);
        if (!bytes) return bytes.error();
        return head->major == kText ? Value(std::move(*bytes)) : Value(Blob{std::move(*bytes)});
      }
      case kArray:
        return array(*head, depth);
      case kMap:
        return map(*head, depth);
      case kTag:
        return tagged(head->argument, depth);
      case kSimple:
        return simple(*head);
    }
    return failure("no data item");
  }

  Result<std::string, Complaint> string(const Head& head) {
    if (head.additional != kIndefinite) {
      if (head.argument > rest_.size()) return failure("a string that is longer than the rest");
      std::string text(rest_.substr(0, head.argument));
      rest_.remove_prefix(head.argument);
      return text;
    }
    std::string text;
    while (!take_break()) {
      const auto piece = this->head();
      if (!piece || piece->major != head.major || piece->additional == kIndefinite) {
        return failure("a piece of a string that is none");
      }
      auto next = string(*piece);
      if (!next) return next.error();
      text += *next;
    }
    return text;
  }

  Result<Value, Complaint> array(const Head& head, int depth) {
    Value::List list;
    const bool indefinite = head.additional == kIndefinite;
    if (!indefinite && head.argument > rest_.size()) return failure("an array that is longer than the rest");
    for (std::uint64_t i = 0; indefinite ? !take_break() : i < head.argument; ++i) {
      auto element = item(depth + 1);
      if (!element) return element;
      list.push_back(std::move(*element));
    }
    return Value(std::move(list));
  }

  Result<Value, Complaint> map(const Head& head, int depth) {
    Value::Structure members;
    const bool indefinite = head.additional == kIndefinite;
    if (!indefinite && head.argument > rest_.size()) return failure("a map that is longer than the rest");
    for (std::uint64_t i = 0; indefinite ? !take_break() : i < head.argument; ++i) {
      const auto key = this->head();
      if (!key || key->major != kText) return failure("a key that is no text");
      auto name = string(*key);
      if (!name) return name.error();
      auto value = item(depth + 1);
      if (!value) return value;
      members.emplace_back(std::move(*name), std::move(*value));
    }
    return Value(std::move(members));
  }

  Result<Value, Complaint> tagged(std::uint64_t tag, int depth) {
    if (tag == 2 || tag == 3) return failure("a number of more than 64 bits");
    auto value = item(depth + 1);
    if (!value || tag != 1) return value;
    if (!value->is_number()) return failure("a time that is no number");
    const auto time = time_from_seconds(value->number_or(0));
    if (!time) return failure("a time outside of the years 1 to 9999");
    return Value(*time);
  }

  Result<Value, Complaint> simple(const Head& head) {
    switch (head.additional) {
      case 20:
        return Value(false);
      case 21:
        return Value(true);
      case 22:
      case 23:
        return Value();
      case 25:
        return Value(half(static_cast<std::uint16_t>(head.argument)));
      case 26:
        return Value(double{std::bit_cast<float>(static_cast<std::uint32_t>(head.argument))});
      case 27:
        return Value(std::bit_cast<double>(head.argument));
      default:
        return failure("a simple value that means nothing");
    }
  }

  // RFC 8949, appendix D.
  static double half(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31;
    const int mantissa = bits & 1023;
    double value = 0;
    if (exponent == 0) {
      value = std::ldexp(mantissa, -24);
    } else if (exponent != 31) {
      value = std::ldexp(mantissa + 1024, exponent - 25);
    } else {
      value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    }
    return (bits & 0x8000) != 0 ? -value : value;
  }

  const std::string_view whole_;
  std::string_view rest_;
};

std::string_view kind_of_value(const Value& value) {
  if (value.is_bool()) return "a boolean";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  if (value.is_blob()) return "a byte string";
  if (value.is_time()) return "a time";
  return value.is_list() ? "an array" : "a map";
}

// Holds a parsed value against its shape, and makes it what the shape says, in place.
class Fitting {
 public:
  Result<Done, Complaint> fit(Value& value, const Shape& shape) {
    if (value.is_null()) return Done{};
    switch (shape.type) {
      case Type::kStructure:
        return value.is_structure() ? structure(value, shape) : wrong("a map", value);
      case Type::kMap:
        return value.is_structure() ? map(value, shape) : wrong("a map", value);
      case Type::kList:
        return value.is_list() ? list(value, shape) : wrong("an array", value);
      case Type::kString:
        return value.is_string() ? Done{} : wrong("a text", value);
      case Type::kBlob:
        return value.is_blob() ? Done{} : wrong("a byte string", value);
      case Type::kBoolean:
        return value.is_bool() ? Done{} : wrong("a boolean", value);
      case Type::kInteger:
      case Type::kLong:
        return whole(value);
      case Type::kFloat:
      case Type::kDouble:
        if (!value.is_number()) return wrong("a number", value);
        value = value.number_or(0);
        return Done{};
      case Type::kTimestamp:
        return time(value);
    }
    return Done{};
  }

 private:
  Result<Done, Complaint> wrong(std::string_view expected, const Value& came) const {
    return unparsable(path_, fmt::format("expected {}, came {}", expected, kind_of_value(came)));
  }

  Result<Done, Complaint> structure(Value& value, const Shape& shape) {
    for (auto& [name, child] : *value.as_structure()) {
      const auto* member = shape.find(name);
      if (!member) continue;
      const auto mark = path_.size();
      if (mark > 0) path_ += '.';
      path_ += name;
      auto done = fit(child, *member->shape);
      if (!done) return done;
      path_.resize(mark);
    }
    std::erase_if(*value.as_structure(), [](const Value::Member& member) { return member.second.is_null(); });
    return Done{};
  }

  Result<Done, Complaint> map(Value& value, const Shape& shape) {
    for (auto& [name, child] : *value.as_structure()) {
      auto done = fit(child, *shape.value().shape);
      if (!done) return done;
    }
    return Done{};
  }

  Result<Done, Complaint> list(Value& value, const Shape& shape) {
    std::size_t index = 0;
    for (auto& child : *value.as_list()) {
      const auto mark = path_.size();
      fmt::format_to(std::back_inserter(path_), ".{}", ++index);
      auto done = fit(child, *shape.element().shape);
      if (!done) return done;
      path_.resize(mark);
    }
    return Done{};
  }

  Result<Done, Complaint> whole(Value& value) {
    if (value.is_integer()) return Done{};
    const double number = value.number_or(std::numeric_limits<double>::quiet_NaN());
    if (std::trunc(number) != number || std::abs(number) >= 9.2e18) return wrong("a whole number", value);
    value = static_cast<std::int64_t>(number);
    return Done{};
  }

  Result<Done, Complaint> time(Value& value) {
    if (value.is_time()) return Done{};
    const auto time = value.is_number() ? time_from_seconds(value.number_or(0)) : std::nullopt;
    if (!time) return wrong("a time", value);
    value = *time;
    return Done{};
  }

  std::string path_;
};

void append_head(std::string& out, Major major, std::uint64_t argument) {
  const auto first = static_cast<unsigned>(major) << 5;
  if (argument < 24) {
    out += static_cast<char>(first | argument);
    return;
  }
  const int log_size = argument <= 0xff ? 0 : argument <= 0xffff ? 1 : argument <= 0xffff'ffff ? 2 : 3;
  out += static_cast<char>(first | (24U + static_cast<unsigned>(log_size)));
  for (int shift = (8 << log_size) - 8; shift >= 0; shift -= 8) out += static_cast<char>(argument >> shift & 0xff);
}

void append_double(std::string& out, double number) {
  out += static_cast<char>(0xfb);
  const auto bits = std::bit_cast<std::uint64_t>(number);
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(bits >> shift & 0xff);
}

void append_text(std::string& out, std::string_view text) {
  append_head(out, kText, text.size());
  out += text;
}

void append_time(std::string& out, base::TimePoint time) {
  append_head(out, kTag, 1);
  const auto micros = time.time_since_epoch().count();
  if (micros % 1'000'000 == 0 && micros >= 0) {
    append_head(out, kUnsigned, static_cast<std::uint64_t>(micros / 1'000'000));
  } else {
    append_double(out, seconds_of(time));
  }
}

}  // namespace

Result<Value, Complaint> parse_cbor(std::string_view bytes) { return CborParser(bytes).whole(); }

Result<Value, Complaint> decode_cbor(std::string_view bytes, const Shape& shape) {
  if (bytes.empty()) return Value::structure();
  auto value = parse_cbor(bytes);
  if (!value) return value;
  if (value->is_null()) return Value::structure();
  auto fitted = Fitting().fit(*value, shape);
  if (!fitted) return fitted.error();
  return value;
}

void encode_cbor(std::string& out, const Value& value, const Shape* shape) {
  if (const auto* structure = value.as_structure()) {
    std::size_t count = 0;
    for (const auto& member : *structure) count += member.second.is_null() ? 0 : 1;
    append_head(out, kMap, count);
    for (const auto& [name, child] : *structure) {
      if (child.is_null()) continue;
      const Shape* inside = nullptr;
      if (shape && shape->type == Type::kMap) {
        inside = shape->value().shape;
      } else if (const auto* member = shape ? shape->find(name) : nullptr) {
        inside = member->shape;
      }
      append_text(out, name);
      encode_cbor(out, child, inside);
    }
  } else if (const auto* list = value.as_list()) {
    append_head(out, kArray, list->size());
    for (const auto& one : *list) {
      encode_cbor(out, one, shape && shape->type == Type::kList ? shape->element().shape : nullptr);
    }
  } else if (const auto* text = value.as_string()) {
    append_text(out, *text);
  } else if (const auto* blob = value.as_blob()) {
    append_head(out, kBytes, blob->bytes.size());
    out += blob->bytes;
  } else if (const auto* time = value.as_time()) {
    append_time(out, *time);
  } else if (value.is_bool()) {
    out += static_cast<char>(value.bool_or(false) ? 0xf5 : 0xf4);
  } else if (value.is_integer()) {
    const auto number = value.integer_or(0);
    if (shape && (shape->type == Type::kDouble || shape->type == Type::kFloat)) {
      append_double(out, static_cast<double>(number));
    } else if (number >= 0) {
      append_head(out, kUnsigned, static_cast<std::uint64_t>(number));
    } else {
      append_head(out, kNegative, static_cast<std::uint64_t>(-1 - number));
    }
  } else if (value.is_number()) {
    append_double(out, value.number_or(0));
  } else {
    out += static_cast<char>(0xf6);
  }
}

}  // namespace securebase::aws
