#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "stack/functions/function.h"
#include "stack/functions/text.h"

namespace securebase::stack {

namespace {

constexpr std::size_t kMostResultBytes = std::size_t{64} << 20;

Value::List as_list(const std::vector<std::string>& texts) { return Value::List(texts.begin(), texts.end()); }

Value chomp(Arguments& a) {
  std::string text = a.text(0);
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

Value endswith(Arguments& a) { return a.text(0).ends_with(a.text(1)); }
Value startswith(Arguments& a) { return a.text(0).starts_with(a.text(1)); }
Value strcontains(Arguments& a) { return a.text(0).find(a.text(1)) != std::string::npos; }

Value indent(Arguments& a) {
  const auto spaces = a.integer(0);
  if (spaces < 0 || spaces > 10'000) return a.fail(0, "the number of spaces is 0 to 10000");
  const std::string margin(static_cast<std::size_t>(spaces), ' ');
  std::string out;
  for (const char c : a.text(1)) {
    out += c;
    if (c == '\n') out += margin;
    if (out.size() > kMostResultBytes) return a.fail("the result is too large");
  }
  return out;
}

Value join(Arguments& a) {
  const std::string separator = a.text(0);
  std::vector<std::string> all;
  for (std::size_t i = 1; i < a.size(); ++i) {
    for (auto& text : a.texts(i)) all.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(all, separator));
}

Value split(Arguments& a) {
  const std::string separator = a.text(0);
  const std::string text = a.text(1);
  Value::List parts;
  if (separator.empty()) {
    for (const auto character : characters(text)) parts.emplace_back(character);
    return parts;
  }
  std::size_t from = 0;
  for (std::size_t at; (at = text.find(separator, from)) != std::string::npos; from = at + separator.size()) {
    parts.emplace_back(text.substr(from, at - from));
  }
  parts.emplace_back(text.substr(from));
  return parts;
}

Value lower_of(Arguments& a) { return lower(a.text(0)); }
Value upper_of(Arguments& a) { return upper(a.text(0)); }

Value title(Arguments& a) {
  const std::string text = a.text(0);
  std::string out;
  bool word_start = true;
  for (const auto character : characters(text)) {
    out += word_start ? upper(character) : std::string(character);
    const auto c = static_cast<unsigned char>(character[0]);
    word_start = !(c >= 0x80 || std::isalnum(c) || c == '_');
  }
  return out;
}

// A pattern between slashes is an RE2 expression, anything else is taken literally.
Value replace(Arguments& a) {
  std::string text = a.text(0);
  const std::string wanted = a.text(1);
  const std::string with = a.text(2);
  if (wanted.size() > 1 && wanted.starts_with('/') && wanted.ends_with('/')) {
    const RE2 expression(wanted.substr(1, wanted.size() - 2), RE2::Quiet);
    if (!expression.ok()) return a.fail(1, fmt::format("no valid regular expression: {}", expression.error()));
    // Go writes groups as $1, ${1} and ${name}; RE2 as \1.
    std::string out;
    std::vector<re2::StringPiece> groups(static_cast<std::size_t>(expression.NumberOfCapturingGroups()) + 1);
    const auto& names = expression.NamedCapturingGroups();
    std::size_t at = 0;
    while (at <= text.size() &&
           expression.Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
      const auto found = static_cast<std::size_t>(groups[0].data() - text.data());
      out.append(text, at, found - at);
      for (std::size_t i = 0; i < with.size(); ++i) {
        if (with[i] != '$' || i + 1 >= with.size()) {
          out += with[i];
          continue;
        }
        if (with[i + 1] == '$') {
          out += '$';
          ++i;
          continue;
        }
        const bool braced = with[i + 1] == '{';
        std::size_t end = i + 1 + (braced ? 1 : 0);
        const std::size_t start = end;
        while (end < with.size() && (std::isalnum(static_cast<unsigned char>(with[end])) || with[end] == '_')) ++end;
        const std::string name = with.substr(start, end - start);
        const bool numeric =
            !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
        std::size_t group = groups.size();
        if (numeric && name.size() < 4) group = static_cast<std::size_t>(std::stoi(name));
        if (const auto named = names.find(name); named != names.end()) group = static_cast<std::size_t>(named->second);
        if (group < groups.size()) out.append(groups[group].data(), groups[group].size());
        i = end - (braced && end < with.size() && with[end] == '}' ? 0 : 1);
      }
      at = found + groups[0].size();
      if (groups[0].empty()) {
        if (at < text.size()) out += text[at];
        ++at;
      }
      if (out.size() > kMostResultBytes) return a.fail("the result is too large");
    }
    if (at < text.size()) out.append(text, at);
    return out;
  }
  if (wanted.empty()) {
    std::string out = with;
    for (const auto character : characters(text)) out += std::string(character) + with;
    return out;
  }
  for (std::size_t at = 0; (at = text.find(wanted, at)) != std::string::npos; at += with.size()) {
    text.replace(at, wanted.size(), with);
    if (text.size() > kMostResultBytes) return a.fail("the result is too large");
  }
  return text;
}

// The match as regex() gives it: a list of groups, a map when they have names, else the matched text.
Value match_value(const RE2& expression, const std::vector<re2::StringPiece>& groups) {
  const auto text_of = [](const re2::StringPiece& piece) {
    return piece.data() ? Value(std::string(piece.data(), piece.size())) : Value();
  };
  if (groups.size() == 1) return text_of(groups[0]);
  const auto& names = expression.NamedCapturingGroups();
  if (!names.empty()) {
    Value::Map map;
    for (const auto& [name, index] : names) map.emplace(name, text_of(groups[static_cast<std::size_t>(index)]));
    return map;
  }
  Value::List list;
  for (std::size_t i = 1; i < groups.size(); ++i) list.push_back(text_of(groups[i]));
  return list;
}

Value matches_of(Arguments& a, bool all) {
  const RE2 expression(a.text(0), RE2::Quiet);
  if (!expression.ok()) return a.fail(0, fmt::format("no valid regular expression: {}", expression.error()));
  const std::string text = a.text(1);
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(expression.NumberOfCapturingGroups()) + 1);
  Value::List found;
  std::size_t at = 0;
  while (at <= text.size() &&
         expression.Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
    if (!all) return match_value(expression, groups);
    found.push_back(match_value(expression, groups));
    at = static_cast<std::size_t>(groups[0].data() - text.data()) + std::max<std::size_t>(1, groups[0].size());
  }
  if (!all) return a.fail("pattern did not match any part of the given string");
  return found;
}
Value regex(Arguments& a) { return matches_of(a, false); }
Value regexall(Arguments& a) { return matches_of(a, true); }

Value strrev(Arguments& a) {
  const std::string text = a.text(0);
  const auto all = characters(text);
  std::string out;
  for (auto one = all.rbegin(); one != all.rend(); ++one) out += *one;
  return out;
}

Value substr(Arguments& a) {
  const std::string text = a.text(0);
  const auto all = characters(text);
  const auto size = static_cast<std::int64_t>(all.size());
  auto offset = a.integer(1);
  const auto length = a.integer(2);
  if (offset < 0) offset = std::max<std::int64_t>(0, offset + size);
  offset = std::min(offset, size);
  const auto end = length < 0 ? size : std::min(size, offset + std::min(length, size));
  std::string out;
  for (auto i = offset; i < end; ++i) out += all[static_cast<std::size_t>(i)];
  return out;
}

std::string trimmed(std::string_view text, std::string_view cutset, bool left, bool right) {
  const auto cut = characters(cutset);
  auto all = characters(text);
  const auto goes = [&](std::string_view c) { return std::find(cut.begin(), cut.end(), c) != cut.end(); };
  std::size_t from = 0;
  std::size_t to = all.size();
  while (left && from < to && goes(all[from])) ++from;
  while (right && to > from && goes(all[to - 1])) --to;
  std::string out;
  for (std::size_t i = from; i < to; ++i) out += all[i];
  return out;
}
Value trim(Arguments& a) { return trimmed(a.text(0), a.text(1), true, true); }
Value trimprefix(Arguments& a) {
  const std::string text = a.text(0);
  const std::string prefix = a.text(1);
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}
Value trimsuffix(Arguments& a) {
  const std::string text = a.text(0);
  const std::string suffix = a.text(1);
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}
Value trimspace(Arguments& a) { return trimmed(a.text(0), " \t\n\v\f\r", true, true); }

Value sort(Arguments& a) {
  auto texts = a.texts(0);
  std::sort(texts.begin(), texts.end());
  return as_list(texts);
}

constexpr Function kStringFunctions[] = {
    {"chomp", 1, 1, chomp},
    {"endswith", 2, 2, endswith},
    {"indent", 2, 2, indent},
    {"join", 2, kAnyNumber, join},
    {"lower", 1, 1, lower_of},
    {"regex", 2, 2, regex},
    {"regexall", 2, 2, regexall},
    {"replace", 3, 3, replace},
    {"sort", 1, 1, sort},
    {"split", 2, 2, split},
    {"startswith", 2, 2, startswith},
    {"strcontains", 2, 2, strcontains},
    {"strrev", 1, 1, strrev},
    {"substr", 3, 3, substr},
    {"title", 1, 1, title},
    {"trim", 2, 2, trim},
    {"trimprefix", 2, 2, trimprefix},
    {"trimspace", 1, 1, trimspace},
    {"trimsuffix", 2, 2, trimsuffix},
    {"upper", 1, 1, upper_of},
};

}  // namespace

std::span<const Function> string_functions() { return kStringFunctions; }

}  // namespace securebase::stack
