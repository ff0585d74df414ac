#include "lambda/parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace securebase::lambda {

namespace {

constexpr std::chrono::hours kLongestPeriod{90 * 24};
constexpr std::size_t kShownBytes = 60;  // of a wrong value, in the error

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }  // RFC 3629 §3

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return !continues_character(c); }));
}

// The start of a wrong value, cut between characters.
std::string_view shown(std::string_view text) {
  if (text.size() <= kShownBytes) return text;
  std::size_t end = kShownBytes;
  while (end > 0 && continues_character(text[end])) --end;
  return text.substr(0, end);
}

Error expected(std::string_view name, std::string_view what, std::string_view came) {
  return Error{Errc::kMalformed, fmt::format("{}: expected {}, came '{}'", name, what, shown(came))};
}

template <class Integer>
bool parse_whole(std::string_view text, Integer& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size();
}

Result<std::string> authorised(const ApiRequest& request, std::string_view asked_for, std::string_view scope) {
  if (request.customer_id.empty() || asked_for != request.customer_id || !request.has_scope(scope)) {
    return Error{Errc::kDenied, "Forbidden"};
  }
  return request.customer_id;
}

}  // namespace

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

Result<std::string> authorised_customer(const ApiRequest& request, std::string_view scope) {
  return authorised(request, request.path_parameter("id"), scope);
}

Result<std::string> authorised_customer_of_query(const ApiRequest& request, std::string_view scope) {
  const std::string_view asked_for = request.query_parameter("customer_id");
  return authorised(request, asked_for.empty() ? std::string_view(request.customer_id) : asked_for, scope);
}

Result<std::int64_t> integer_parameter(const ApiRequest& request, std::string_view name, Range range) {
  const std::string_view text = request.query_parameter(name);
  if (text.empty()) return range.by_default;
  std::int64_t value = 0;
  if (!parse_whole(text, value) || value < range.least || value > range.most) {
    return expected(name, fmt::format("a number from {} to {}", range.least, range.most), text);
  }
  return value;
}

Result<std::string> choice_parameter(const ApiRequest& request, std::string_view name,
                                     std::initializer_list<std::string_view> choices) {
  const std::string_view text = request.query_parameter(name);
  if (text.empty()) return std::string();
  if (std::ranges::find(choices, text) == choices.end()) {
    return expected(name, fmt::format("one of {}", fmt::join(choices, ", ")), text);
  }
  return std::string(text);
}

Result<std::optional<std::string>> date_parameter(const ApiRequest& request, std::string_view name) {
  const std::string_view text = request.query_parameter(name);
  if (text.empty()) return std::optional<std::string>();
  int year = 0;
  unsigned month = 0, day = 0;
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-' && parse_whole(text.substr(0, 4), year) &&
                      parse_whole(text.substr(5, 2), month) && parse_whole(text.substr(8, 2), day);
  if (!shaped || year < 1 || !(std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)).ok()) {
    return expected(name, "a date as 2026-01-31", text);
  }
  return std::optional(std::string(text));
}

Result<Period> parse_period(std::string_view text) {
  unsigned count = 0;
  std::chrono::hours unit{0};
  if (!text.empty()) {
    switch (text.back()) {
      case 'h':
        unit = std::chrono::hours{1};
        break;
      case 'd':
        unit = std::chrono::hours{24};
        break;
      case 'w':
        unit = std::chrono::hours{7 * 24};
        break;
      default:
        break;
    }
  }
  // At most four digits and no leading zero: one period has one spelling in the cache keys.
  const bool shaped = unit.count() > 0 && text.size() >= 2 && text.size() <= 5 && text.front() >= '1' &&
                      text.front() <= '9' && parse_whole(text.substr(0, text.size() - 1), count);
  if (!shaped || unit * count > kLongestPeriod) {
    return expected("period", "hours, days or weeks up to 90 days, as 24h, 30d or 4w", text);
  }
  return Period{std::string(text), unit * count};
}

Result<Period> period_parameter(const ApiRequest& request) {
  const std::string_view text = request.query_parameter("period");
  return parse_period(text.empty() ? "30d" : text);
}

Result<std::string> text_member(const base::Json& body, std::string_view name, TextRule rule,
                                std::optional<std::string_view> by_default) {
  const base::Json* member = body.find(name);
  const bool absent = !member || member->is_null();
  if (absent && by_default) return std::string(*by_default);
  if (absent) return Error{Errc::kMalformed, fmt::format("{}: expected a text, it is missing", name)};
  const std::string* text = member->as_string();
  if (!text) return expected(name, "a text", member->dump());
  const std::size_t length = characters(*text);
  if (length < rule.least_characters || length > rule.most_characters) {
    return Error{Errc::kMalformed, fmt::format("{}: expected {} to {} characters, came {}", name, rule.least_characters,
                                               rule.most_characters, length)};
  }
  if (text->find('\0') != std::string::npos) {
    return Error{Errc::kMalformed, fmt::format("{}: expected a text without NUL, it has one", name)};
  }
  return *text;
}

Result<std::string> choice_member(const base::Json& body, std::string_view name,
                                  std::initializer_list<std::string_view> choices, std::string_view by_default) {
  const base::Json* member = body.find(name);
  if (!member || member->is_null()) return std::string(by_default);
  const std::string_view text = member->string_or("");
  if (std::ranges::find(choices, text) == choices.end()) {
    return expected(name, fmt::format("one of {}", fmt::join(choices, ", ")),
                    member->is_string() ? std::string(text) : member->dump());
  }
  return std::string(text);
}

Result<std::string> id_in_path(const ApiRequest& request, std::string_view name, std::string_view what) {
  const std::string_view text = request.path_parameter(name);
  if (!is_id(text)) return Error{Errc::kNotFound, fmt::format("no {} '{}'", what, shown(text))};
  return std::string(text);
}

}  // namespace securebase::lambda
