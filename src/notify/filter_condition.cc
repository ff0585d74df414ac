#include "notify/filter_condition.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "net/http/message.h"

namespace securebase::notify {

namespace {

using Condition = FilterPolicy::Condition;
using Kind = Condition::Kind;

constexpr double kMostNumber = 1e9;  // SNS compares numbers of this range, with five digits behind the point
constexpr std::size_t kWildcards = 3;

Error bad_condition(std::string text) { return {Errc::kMalformed, std::move(text)}; }

double rounded(double value) { return std::round(value * 1e5) / 1e5; }

bool equal(const base::Json& a, const base::Json& b) {
  if (a.is_number() && b.is_number()) return rounded(a.number_or(0)) == rounded(b.number_or(0));
  return a == b;
}

bool wildcard_fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// An address as 16 bytes, IPv4 mapped into IPv6; empty when it is none.
std::string address_bytes(std::string_view text) {
  const std::string name(text.substr(0, 64));
  std::string bytes(16, '\0');
  if (::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1) return bytes;
  in_addr four{};
  if (::inet_pton(AF_INET, name.c_str(), &four) != 1) return {};
  bytes[10] = bytes[11] = static_cast<char>(0xff);
  std::memcpy(bytes.data() + 12, &four, 4);
  return bytes;
}

bool in_network(std::string_view network, unsigned bits, std::string_view address) {
  if (address.size() != 16) return false;
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned mask = 0x80u >> (i % 8);
    if ((static_cast<unsigned char>(network[i / 8]) ^ static_cast<unsigned char>(address[i / 8])) & mask) return false;
  }
  return true;
}

Result<Condition> parse_cidr(const base::Json& operand) {
  const auto text = operand.string_or("");
  const auto slash = text.find('/');
  Condition made;
  made.kind = Kind::kCidr;
  unsigned bits = 0;
  if (slash != std::string_view::npos) {
    made.network = address_bytes(text.substr(0, slash));
    const bool four = text.find(':') == std::string_view::npos;
    const auto digits = text.substr(slash + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (failure == std::errc{} && end == digits.data() + digits.size() && bits <= (four ? 32u : 128u) &&
        !made.network.empty()) {
      made.network_bits = bits + (four ? 96 : 0);
      return made;
    }
  }
  return bad_condition("\"cidr\" takes a network such as \"10.0.0.0/24\"");
}

Result<Condition> parse_numeric(const base::Json& operand) {
  const auto* parts = operand.as_array();
  if (!parts || parts->empty() || parts->size() % 2 != 0 || parts->size() > 4) {
    return bad_condition("\"numeric\" takes one or two comparisons, such as [\">=\", 1, \"<\", 10]");
  }
  Condition made;
  made.kind = Kind::kNumeric;
  for (std::size_t i = 0; i < parts->size(); i += 2) {
    const auto sign = (*parts)[i].string_or("");
    if (!(*parts)[i + 1].is_number()) return bad_condition("\"numeric\": a number is expected behind each comparison");
    const double value = (*parts)[i + 1].number_or(0);
    if (std::abs(value) > kMostNumber) return bad_condition("\"numeric\": numbers lie between -10^9 and 10^9");
    const Condition::Bound bound{rounded(value), sign.ends_with('=')};
    if (sign == "=") {
      if (parts->size() != 2) return bad_condition("\"numeric\": \"=\" stands alone");
      made.low = made.high = bound;
    } else if ((sign == ">" || sign == ">=") && !made.low && !made.high) {
      made.low = bound;
    } else if ((sign == "<" || sign == "<=") && !made.high) {
      made.high = bound;
    } else {
      return bad_condition(
          "\"numeric\": the comparisons are =, <, <=, >, >=, and of two the first says the lower bound, the second the "
          "upper");
    }
  }
  if (made.low && made.high && made.low->value > made.high->value) {
    return bad_condition("\"numeric\": the lower bound lies above the upper");
  }
  return made;
}

// A text, or (behind anything-but) a list of them.
Result<Condition> parse_texts(Kind kind, std::string_view name, const base::Json& operand, bool list_allowed) {
  Condition made;
  made.kind = kind;
  const auto* list = list_allowed ? operand.as_array() : nullptr;
  const base::Json::Array alone{operand};
  for (const auto& one : list ? *list : alone) {
    const auto* text = one.as_string();
    if (!text || text->empty()) return bad_condition(fmt::format("\"{}\" takes a text that is not empty", name));
    if (kind == Kind::kWildcard) {
      if (static_cast<std::size_t>(std::count(text->begin(), text->end(), '*')) > kWildcards) {
        return bad_condition(fmt::format("\"wildcard\" takes at most {} asterisks", kWildcards));
      }
      if (text->find("**") != std::string::npos)
        return bad_condition("\"wildcard\": asterisks do not stand side by side");
    }
    made.texts.push_back(*text);
  }
  if (made.texts.empty()) return bad_condition(fmt::format("\"{}\": the list is empty", name));
  return made;
}

Result<Condition> parse_operator(std::string_view name, const base::Json& operand, bool negated) {
  if (name == "prefix") return parse_texts(Kind::kPrefix, name, operand, negated);
  if (name == "suffix") return parse_texts(Kind::kSuffix, name, operand, negated);
  if (name == "equals-ignore-case") return parse_texts(Kind::kIgnoreCase, name, operand, negated);
  if (name == "wildcard") return parse_texts(Kind::kWildcard, name, operand, negated);
  if (!negated && name == "numeric") return parse_numeric(operand);
  if (!negated && name == "cidr") return parse_cidr(operand);
  if (!negated && name == "exists") {
    if (!operand.is_bool()) return bad_condition("\"exists\" takes true or false");
    Condition made;
    made.kind = operand.bool_or(true) ? Kind::kExists : Kind::kAbsent;
    return made;
  }
  return bad_condition(fmt::format("Unrecognized match type {}", name));
}

Result<Condition> parse_anything_but(const base::Json& operand) {
  if (const auto* object = operand.as_object()) {
    if (object->size() != 1) return bad_condition("\"anything-but\" takes one operator");
    auto inner = parse_operator(object->front().first, object->front().second, true);
    if (!inner) return inner.error().within("\"anything-but\"");
    inner->negated = true;
    return inner;
  }
  Condition made;
  made.negated = true;
  const auto* list = operand.as_array();
  const base::Json::Array alone{operand};
  for (const auto& one : list ? *list : alone) {
    if (!one.is_string() && !one.is_number()) {
      return bad_condition("\"anything-but\" takes a text, a number, a list of them, or one operator");
    }
    made.values.push_back(one);
  }
  if (made.values.empty()) return bad_condition("\"anything-but\": the list is empty");
  return made;
}

bool text_fits(Kind kind, std::string_view wanted, std::string_view text) {
  switch (kind) {
    case Kind::kPrefix:
      return text.starts_with(wanted);
    case Kind::kSuffix:
      return text.ends_with(wanted);
    case Kind::kIgnoreCase:
      return http::equal_ignoring_case(wanted, text);
    default:
      return wildcard_fits(wanted, text);
  }
}

bool within(const Condition& condition, double value) {
  const double v = rounded(value);
  if (condition.low && (v < condition.low->value || (v == condition.low->value && !condition.low->inclusive))) {
    return false;
  }
  return !condition.high || v < condition.high->value || (v == condition.high->value && condition.high->inclusive);
}

}  // namespace

Result<Condition> Condition::parse(const base::Json& json) {
  if (const auto* object = json.as_object()) {
    if (object->size() != 1) return bad_condition("an object in a list of conditions has one operator");
    const auto& [name, operand] = object->front();
    return name == "anything-but" ? parse_anything_but(operand) : parse_operator(name, operand, false);
  }
  if (json.as_array()) return bad_condition("a list of conditions holds no lists");
  if (json.is_number() && std::abs(json.number_or(0)) > kMostNumber) {
    return bad_condition("numbers lie between -10^9 and 10^9");
  }
  Condition made;
  made.values.push_back(json);
  return made;
}

bool Condition::holds_for(const base::Json& value) const {
  bool holds = false;
  switch (kind) {
    case Kind::kEquals:
      holds = std::any_of(values.begin(), values.end(), [&](const auto& one) { return equal(one, value); });
      break;
    case Kind::kNumeric:
      return value.is_number() && within(*this, value.number_or(0));
    case Kind::kCidr:
      return in_network(network, network_bits, address_bytes(value.string_or("")));
    case Kind::kExists:
      return true;
    case Kind::kAbsent:
      return false;
    default:
      holds = value.is_string() && std::any_of(texts.begin(), texts.end(), [&](const auto& wanted) {
                return text_fits(kind, wanted, value.string_or(""));
              });
  }
  return holds != negated;
}

}  // namespace securebase::notify
