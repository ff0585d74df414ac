#include "load/artillery/template.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/random.h"
#include "load/artillery/fake_data.h"
#include "load/artillery/spelling.h"

namespace securebase::load::artillery {

// xoroshiro128+ (Blackman, Vigna): a few nanoseconds, and nobody bets on it.
Random::Random(std::uint64_t seed) {
  for (auto& word : state_) {  // splitmix64
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    word = mixed ^ (mixed >> 31);
  }
}

std::uint64_t Random::next() {
  const auto rotate = [](std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); };
  const std::uint64_t first = state_[0];
  std::uint64_t second = state_[1];
  const std::uint64_t result = first + second;
  second ^= first;
  state_[0] = rotate(first, 24) ^ second ^ (second << 16);
  state_[1] = rotate(second, 37);
  return result;
}

namespace {
// Lemire: the high half of the product is even over [0, span), but for a bias below 2^-64 times the span.
std::uint64_t scaled(std::uint64_t drawn, std::uint64_t span) {
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(drawn) * span) >> 64);
}
}  // namespace

std::int64_t Random::between(std::int64_t least, std::int64_t most) {
  if (most <= least) return least;
  const auto span = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) + 1;
  const std::uint64_t offset = span == 0 ? next() : scaled(next(), span);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + offset);
}

double Random::fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

Random& Random::of_thread() {
  thread_local Random random(base::random_u64());
  return random;
}

namespace {

void random_string(const std::vector<std::int64_t>& arguments, Random& random, std::string& out) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const std::int64_t length = arguments.empty() ? 10 : arguments[0];
  for (std::int64_t i = 0; i < length; ++i) out += kAlphabet[static_cast<std::size_t>(random.between(0, 61))];
}

void random_number(const std::vector<std::int64_t>& arguments, Random& random, std::string& out) {
  // lodash's random: (): 0 or 1; (n): 0 to n; the bounds may be in either order.
  std::int64_t least = 0;
  std::int64_t most = 1;
  if (arguments.size() == 1) most = arguments[0];
  if (arguments.size() >= 2) least = arguments[0], most = arguments[1];
  if (most < least) std::swap(least, most);
  fmt::format_to(std::back_inserter(out), "{}", random.between(least, most));
}

constexpr std::int64_t kMostLetters = 1 << 20;  // of $randomString

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// What stands between the braces is a name or a path: letters, digits and $ . [ ] ' " _ - with blanks around.
bool is_path(std::string_view hole) {
  if (hole.empty()) return false;
  for (const char c : hole) {
    if (!is_name(c) && !is_blank(c) && std::string_view(".[]'\"-").find(c) == std::string_view::npos) return false;
  }
  return true;
}

// "$name ( a, b )" with nothing but names and numbers inside; else it is no call, and stays as it is.
bool looks_like_call(std::string_view hole) {
  if (hole.size() < 4 || hole[0] != '$' || hole.back() != ')') return false;
  const auto open = hole.find('(');
  if (open == std::string_view::npos) return false;
  for (const char c : trimmed(hole.substr(1, open - 1))) {
    if (!is_name(c)) return false;
  }
  return open > 1;
}

Result<Template::Call> compile_call(std::string_view hole) {
  const auto open = hole.find('(');
  const std::string_view name = trimmed(hole.substr(0, open));
  Template::Call call{nullptr, {}};
  if (name == "$randomString") call.function = random_string;
  if (name == "$randomNumber") call.function = random_number;
  if (call.function == nullptr) call.function = fake_data(name.substr(1));
  if (call.function == nullptr) {
    std::vector<std::string_view> known = {"$randomString", "$randomNumber"};
    return Error{
        Errc::kMalformed,
        fmt::format("unknown function {}(): there are $randomString(length), $randomNumber(least, most) and the "
                    "functions of fake-data ({}){}",
                    name, fake_data_names(), did_you_mean(name, known))};
  }
  std::string_view rest = hole.substr(open + 1, hole.size() - open - 2);
  while (!trimmed(rest).empty()) {
    const auto comma = rest.find(',');
    const std::string_view one = trimmed(rest.substr(0, comma));
    std::int64_t number = 0;
    const auto got = std::from_chars(one.data(), one.data() + one.size(), number);
    if (got.ec != std::errc{} || got.ptr != one.data() + one.size()) {
      return Error{Errc::kMalformed, fmt::format("{}() takes whole numbers, and \"{}\" is none", name, one)};
    }
    call.arguments.push_back(number);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  if (name == "$randomString" && !call.arguments.empty() && call.arguments[0] > kMostLetters) {
    return Error{Errc::kLimit, fmt::format("$randomString() makes at most {} letters", kMostLetters)};
  }
  return call;
}

}  // namespace

Result<Template> Template::compile(std::string_view text) {
  Template made;
  made.source_ = std::string(text);
  std::string literal;
  bool any = false;
  std::size_t at = 0;
  const auto flush = [&] {
    if (!literal.empty()) made.parts_.emplace_back(std::move(literal));
    literal.clear();
  };
  while (at < text.size()) {
    const auto open = text.find("{{", at);
    const auto close = open == std::string_view::npos ? open : text.find("}}", open + 2);
    if (close == std::string_view::npos) break;
    // {{{ name }}} is the same as {{ name }}.
    const bool triple = text.substr(open).starts_with("{{{");
    const std::string_view hole = trimmed(text.substr(open + (triple ? 3 : 2), close - open - (triple ? 3 : 2)));
    literal += text.substr(at, open - at);
    at = close + 2;
    if (triple && at < text.size() && text[at] == '}') ++at;
    if (looks_like_call(hole)) {
      auto call = compile_call(hole);
      if (!call) return call.error();
      flush();
      made.parts_.emplace_back(std::move(*call));
      any = true;
    } else if (is_path(hole)) {
      flush();
      made.parts_.emplace_back(parse_path(hole));
      any = true;
    } else {
      literal += text.substr(open, at - open);
    }
  }
  if (!any) {
    made.parts_.clear();
    return made;
  }
  literal += text.substr(at);
  flush();
  return made;
}

void append_as_text(const base::Json* value, std::string& out) {
  if (value == nullptr) {
    out += "undefined";
  } else if (const auto* text = value->as_string()) {
    out += *text;
  } else if (value->is_number() && !value->is_integer()) {
    const double number = value->number_or(0);
    if (std::isfinite(number)) {
      value->dump_to(out);
    } else {
      out += std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
    }
  } else {
    value->dump_to(out);
  }
}

void Template::append(const Variables& variables, std::string& out) const {
  if (parts_.empty()) {
    out += source_;
    return;
  }
  for (const auto& part : parts_) {
    if (const auto* literal = std::get_if<std::string>(&part)) {
      out += *literal;
    } else if (const auto* path = std::get_if<Path>(&part)) {
      append_as_text(variables.find(*path), out);
    } else {
      const auto& call = std::get<Call>(part);
      call.function(call.arguments, Random::of_thread(), out);
    }
  }
}

base::Json Template::value(const Variables& variables) const {
  if (parts_.empty()) return source_;
  if (parts_.size() == 1) {
    if (const auto* path = std::get_if<Path>(&parts_.front())) {
      const auto* found = variables.find(*path);
      return found != nullptr ? *found : base::Json();
    }
  }
  return text(variables);
}

bool Template::undefined(const Variables& variables) const {
  const auto* path = parts_.size() == 1 ? std::get_if<Path>(&parts_.front()) : nullptr;
  return path != nullptr && variables.find(*path) == nullptr;
}

std::string Template::text(const Variables& variables) const {
  std::string out;
  append(variables, out);
  return out;
}

std::vector<std::string_view> Template::names() const {
  std::vector<std::string_view> found;
  for (const auto& part : parts_) {
    if (const auto* path = std::get_if<Path>(&part)) found.push_back(path->text);
  }
  return found;
}

TemplateValue::TemplateValue() = default;
TemplateValue::TemplateValue(const TemplateValue& other) = default;
TemplateValue::TemplateValue(TemplateValue&& other) noexcept = default;
TemplateValue& TemplateValue::operator=(const TemplateValue& other) = default;
TemplateValue& TemplateValue::operator=(TemplateValue&& other) noexcept = default;
TemplateValue::~TemplateValue() = default;

Result<TemplateValue> TemplateValue::compile(const base::Json& value) {
  TemplateValue made;
  if (auto filled = made.fill(value, 0); !filled) return filled.error();
  return made;
}

Result<Done> TemplateValue::fill(const base::Json& value, int depth) {
  if (depth > 200) return Error{Errc::kLimit, "the value is more than 200 levels deep"};
  source_ = value;
  if (const auto* text = value.as_string()) {
    auto compiled = Template::compile(*text);
    if (!compiled) return compiled.error();
    text_ = std::move(*compiled);
    shape_ = text_.constant() ? Shape::kConstant : Shape::kText;
  } else if (const auto* elements = value.as_array()) {
    bool constant = true;
    for (const auto& element : *elements) {
      items_.emplace_back();
      if (auto filled = items_.back().fill(element, depth + 1); !filled) return filled;
      constant = constant && items_.back().constant_;
    }
    shape_ = constant ? Shape::kConstant : Shape::kList;
  } else if (const auto* members = value.as_object()) {
    bool constant = true;
    for (const auto& [key, member] : *members) {
      auto compiled = Template::compile(key);
      if (!compiled) return compiled.error();
      members_.push_back({std::move(*compiled), {}});
      if (auto filled = members_.back().value.fill(member, depth + 1); !filled) return filled;
      constant = constant && members_.back().key.constant() && members_.back().value.constant_;
    }
    shape_ = constant ? Shape::kConstant : Shape::kMap;
  }
  constant_ = shape_ == Shape::kConstant;
  if (constant_) {
    items_.clear();
    members_.clear();
    constant_json_ = source_.dump();
  }
  return Done{};
}

base::Json TemplateValue::value(const Variables& variables) const {
  switch (shape_) {
    case Shape::kConstant:
      return source_;
    case Shape::kText:
      return text_.value(variables);
    case Shape::kList: {
      base::Json::Array elements;
      elements.reserve(items_.size());
      for (const auto& item : items_) elements.push_back(item.value(variables));
      return elements;
    }
    case Shape::kMap: {
      base::Json::Object object;
      object.reserve(members_.size());
      for (const auto& member : members_) {
        if (member.value.text_.undefined(variables)) continue;
        object.emplace_back(member.key.text(variables), member.value.value(variables));
      }
      return object;
    }
  }
  return {};
}

void TemplateValue::append_json(const Variables& variables, std::string& out) const {
  switch (shape_) {
    case Shape::kConstant:
      out += constant_json_;
      break;
    case Shape::kText:
      text_.value(variables).dump_to(out);
      break;
    case Shape::kList:
      out += '[';
      for (std::size_t i = 0; i < items_.size(); ++i) {
        if (i > 0) out += ',';
        items_[i].append_json(variables, out);
      }
      out += ']';
      break;
    case Shape::kMap: {
      char before = '{';
      for (const auto& member : members_) {
        if (member.value.text_.undefined(variables)) continue;
        out += before;
        before = ',';
        base::append_json_string(out, member.key.text(variables));
        out += ':';
        member.value.append_json(variables, out);
      }
      out += before == '{' ? "{}" : "}";
      break;
    }
  }
}

}  // namespace securebase::load::artillery
