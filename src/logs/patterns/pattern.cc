#include "logs/patterns/pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "logs/patterns/node.h"
#include "logs/store/flatten.h"

namespace securebase::logs {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<base::Json> json_of(std::string_view message) {
  const auto object = first_json_object(message);
  if (object.empty()) return std::nullopt;
  auto json = base::Json::parse(object);
  if (!json || !json->is_object()) return std::nullopt;
  return std::move(*json);
}

bool matches_terms(const Terms& pattern, std::string_view message) {
  bool any_optional = false;
  bool has_optional = false;
  for (const auto& term : pattern.terms) {
    const bool within = term.matcher.is_within(message);
    switch (term.kind) {
      case Term::Kind::kRequired:
        if (!within) return false;
        break;
      case Term::Kind::kExcluded:
        if (within) return false;
        break;
      case Term::Kind::kOptional:
        any_optional = true;
        has_optional = has_optional || within;
        break;
    }
  }
  return !any_optional || has_optional;
}

void add_extracted(const Condition& condition, const base::Json& root, std::map<std::string, std::string>& into) {
  for (const auto& one : condition.of) add_extracted(one, root, into);
  if (condition.kind != Condition::Kind::kCompare) return;
  std::vector<const base::Json*> found;
  find_values(root, condition.selector, found);
  if (!found.empty()) into.emplace(condition.selector.text, json_text(*found.front()));
}

}  // namespace

bool matches_wildcards(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t after_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool Matcher::equals(std::string_view value) const {
  if (regex) return RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *regex);
  if (text.find('*') != std::string::npos) return matches_wildcards(text, value);
  return text == value;
}

bool Matcher::is_within(std::string_view value) const {
  if (regex) return RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *regex);
  return value.find(text) != std::string_view::npos;
}

bool compare(Comparison comparison, const Matcher& matcher, std::string_view value, std::optional<double> number) {
  const bool numeric = number && matcher.number;
  switch (comparison) {
    case Comparison::kEqual:
      return numeric ? *number == *matcher.number : matcher.equals(value);
    case Comparison::kNotEqual:
      return numeric ? *number != *matcher.number : !matcher.equals(value);
    case Comparison::kLess:
      return numeric && *number < *matcher.number;
    case Comparison::kLessOrEqual:
      return numeric && *number <= *matcher.number;
    case Comparison::kGreater:
      return numeric && *number > *matcher.number;
    case Comparison::kGreaterOrEqual:
      return numeric && *number >= *matcher.number;
    default:
      return false;
  }
}

Pattern::Pattern() : node_(std::make_unique<Node>()) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

Result<Pattern> Pattern::compile(std::string_view text) {
  if (text.size() > kMostBytes) {
    return Error{Errc::kLimit,
                 fmt::format("Invalid filter pattern: it has {} bytes and may have {}", text.size(), kMostBytes)};
  }
  text = trimmed(text);
  Pattern pattern;
  if (text.starts_with('{')) {
    auto parsed = parse_json_condition(text);
    if (!parsed) return parsed.error();
    pattern.node_->what = std::move(*parsed);
  } else if (text.starts_with('[')) {
    auto parsed = parse_fields(text);
    if (!parsed) return parsed.error();
    pattern.node_->what = std::move(*parsed);
  } else {
    auto parsed = parse_terms(text);
    if (!parsed) return parsed.error();
    pattern.node_->what = std::move(*parsed);
  }
  return pattern;
}

bool Pattern::matches(std::string_view message) const {
  if (const auto* terms = std::get_if<Terms>(&node_->what)) return matches_terms(*terms, message);
  if (const auto* fields = std::get_if<Fields>(&node_->what)) return matches_fields(*fields, message);
  const auto json = json_of(message);
  return json && matches_json(std::get<JsonCondition>(node_->what).condition, *json);
}

bool Pattern::matches_everything() const {
  const auto* terms = std::get_if<Terms>(&node_->what);
  return terms && terms->terms.empty();
}

std::vector<std::string> Pattern::texts() const {
  std::vector<std::string> found;
  if (const auto* terms = std::get_if<Terms>(&node_->what)) {
    for (const auto& term : terms->terms) {
      if (term.kind == Term::Kind::kRequired && !term.matcher.regex) found.push_back(term.matcher.text);
    }
  }
  return found;
}

std::optional<std::string> Pattern::value(std::string_view selector, std::string_view message) const {
  if (!selector.starts_with('$')) return std::string(selector);
  if (const auto* fields = std::get_if<Fields>(&node_->what)) {
    const auto values = match_fields(*fields, message);
    if (!values) return std::nullopt;
    for (std::size_t i = 0; i < fields->fields.size(); ++i) {
      if (fields->fields[i].name == selector.substr(1)) return std::string((*values)[i]);
    }
    return std::nullopt;
  }
  const auto json = json_of(message);
  const auto* found = json ? json_at(*json, selector) : nullptr;
  if (!found || found->is_null() || found->is_object() || found->is_array()) return std::nullopt;
  return json_text(*found);
}

std::map<std::string, std::string> Pattern::extracted(std::string_view message) const {
  std::map<std::string, std::string> all;
  if (const auto* fields = std::get_if<Fields>(&node_->what)) {
    if (const auto values = match_fields(*fields, message)) {
      for (std::size_t i = 0; i < fields->fields.size(); ++i) {
        if (!fields->fields[i].ellipsis) all.emplace("$" + fields->fields[i].name, (*values)[i]);
      }
    }
  } else if (const auto* condition = std::get_if<JsonCondition>(&node_->what)) {
    if (const auto json = json_of(message)) add_extracted(condition->condition, *json, all);
  }
  return all;
}

const base::Json* json_at(const base::Json& root, std::string_view selector) {
  const auto parsed = parse_selector(selector);
  if (!parsed) return nullptr;
  std::vector<const base::Json*> found;
  find_values(root, *parsed, found);
  return found.empty() ? nullptr : found.front();
}

}  // namespace securebase::logs
