#include "logs/store/cut_message.h"

#include <array>
#include <cstdint>

namespace securebase::logs {

namespace {

enum : std::uint8_t { kPartOfRun = 1, kDigit = 2, kPartOfNumber = 4, kSpace = 8 };

constexpr auto kKinds = [] {
  std::array<std::uint8_t, 256> kinds{};
  for (int c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (digit || letter || c == '.' || c == '-' || c == '_') kinds[c] |= kPartOfRun;
    if (digit) kinds[c] |= kDigit;
    if (digit || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E') kinds[c] |= kPartOfNumber;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') kinds[c] |= kSpace;
  }
  return kinds;
}();

bool is(char c, std::uint8_t kind) { return (kKinds[static_cast<unsigned char>(c)] & kind) != 0; }

// "22:13:20" is one variable.
bool is_colon_of_clock(std::string_view message, std::size_t begin, std::size_t at) {
  return message[at] == ':' && at > begin && is(message[at - 1], kDigit) && at + 1 < message.size() &&
         is(message[at + 1], kDigit);
}

std::size_t end_of_run(std::string_view text, std::size_t at, std::uint8_t kind) {
  while (at < text.size() && is(text[at], kind)) ++at;
  return at;
}

// Where the string that began before `at` has its quote; npos: nowhere.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at < text.size() ? at : std::string_view::npos;
}

// Of a number, true or false; `at`: there is none of them. null is part of the shape: it is no field.
std::size_t end_of_bare_value(std::string_view text, std::size_t at) {
  const auto rest = text.substr(at);
  if (!rest.empty() && (rest.front() == '-' || is(rest.front(), kDigit))) return end_of_run(text, at, kPartOfNumber);
  if (rest.starts_with("true")) return at + 4;
  if (rest.starts_with("false")) return at + 5;
  return at;
}

}  // namespace

bool may_be_in_variable(char c) { return is(c, kPartOfRun) || c == ':'; }

bool cut_text(std::string_view message, std::string& shape, std::vector<std::string_view>& variables) {
  shape.clear();
  variables.clear();
  std::size_t at = 0;
  while (at < message.size()) {
    if (!is(message[at], kPartOfRun)) {
      if (message[at] == kVariable) return false;
      shape.push_back(message[at++]);
      continue;
    }
    auto end = at;
    bool digits = false;
    while (end < message.size() && (is(message[end], kPartOfRun) || is_colon_of_clock(message, at, end))) {
      digits = digits || is(message[end], kDigit);
      ++end;
    }
    const auto run = message.substr(at, end - at);
    if (digits) {
      if (variables.size() >= kVariablesOfMessage) return false;
      variables.push_back(run);
      shape.push_back(kVariable);
    } else {
      shape.append(run);
    }
    at = end;
  }
  return true;
}

bool cut_json(std::string_view message, std::string& shape, std::vector<std::string_view>& variables) {
  shape.clear();
  variables.clear();
  if (message.empty() || message.front() != '{' || message.find(kVariable) != std::string_view::npos) return false;
  const auto cut = [&](std::size_t begin, std::size_t end) {
    if (variables.size() >= kVariablesOfMessage) return false;
    variables.push_back(message.substr(begin, end - begin));
    shape.push_back(kVariable);
    return true;
  };
  std::size_t at = 0;
  while (at < message.size()) {
    const char c = message[at];
    if (c == '"') {
      const auto end = end_of_string(message, at + 1);
      if (end == std::string_view::npos) return false;
      const auto after = end_of_run(message, end + 1, kSpace);
      if (after < message.size() && message[after] == ':') {  // a name
        shape.append(message.substr(at, after + 1 - at));
        at = after + 1;
        continue;
      }
      shape.push_back('"');
      if (!cut(at + 1, end)) return false;
      shape.push_back('"');
      at = end + 1;
      continue;
    }
    const auto end = end_of_bare_value(message, at);
    if (end == at) {
      shape.push_back(message[at++]);
      continue;
    }
    if (!cut(at, end)) return false;
    at = end;
  }
  return true;
}

// A variable behind a quote ends at the next one; another where the run of its bytes does.
bool cut_like(std::string_view message, std::string_view shape, std::vector<std::string_view>& variables) {
  variables.clear();
  const bool json = shape.starts_with('{');
  for (;;) {
    const auto hole = shape.find(kVariable);
    const auto fixed = shape.substr(0, hole);
    if (!message.starts_with(fixed)) return false;
    message.remove_prefix(fixed.size());
    if (hole == std::string_view::npos) return message.empty();
    shape.remove_prefix(hole + 1);
    std::size_t end = 0;
    if (json && fixed.ends_with('"')) {
      end = message.find('"');
      if (end == std::string_view::npos || message.substr(0, end).find('\\') != std::string_view::npos) return false;
    } else if (json) {
      end = end_of_bare_value(message, 0);
      if (end == 0) return false;
    } else {
      bool digits = false;
      while (end < message.size() && (is(message[end], kPartOfRun) || is_colon_of_clock(message, 0, end))) {
        digits = digits || is(message[end], kDigit);
        ++end;
      }
      if (!digits) return false;
    }
    const auto variable = message.substr(0, end);
    if (variable.find(kVariable) != std::string_view::npos) return false;
    variables.push_back(variable);
    message.remove_prefix(end);
  }
}

}  // namespace securebase::logs
