#include "k6/gjson.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace securebase::k6 {

namespace {

constexpr std::size_t kMostPath = 4096;
constexpr int kMostSteps = 64;

using Found = Result<std::optional<base::Json>>;

Error bad_path(std::string_view path, std::string_view why) {
  return Error{Errc::kMalformed, fmt::format("json(): the path '{}' cannot be followed: {}", path.substr(0, 100), why)};
}

// * and ? as in file names. No recursion but a place to come back to.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

struct Step {
  std::string text;       // of a name, without backslashes; of a query its inside
  bool wild = false;      // has * or ? that were not escaped
  bool query = false;     // #(...)
  bool all = false;       // #(...)#
  bool piped = false;     // '|' followed, not '.'
  std::string_view rest;  // of the path
  bool last = true;
};

Result<Step> take_step(std::string_view path, std::string_view whole) {
  Step step;
  std::size_t i = 0;
  if (path.starts_with("#(")) {
    step.query = true;
    int depth = 0;
    bool quoted = false;
    for (i = 1; i < path.size(); ++i) {
      if (path[i] == '\\') {
        ++i;
      } else if (path[i] == '"') {
        quoted = !quoted;
      } else if (!quoted && path[i] == '(') {
        ++depth;
      } else if (!quoted && path[i] == ')' && --depth == 0) {
        break;
      }
    }
    if (i >= path.size()) return bad_path(whole, "expected ')' at the end of the query");
    step.text = std::string(path.substr(2, i - 2));
    ++i;
    if (i < path.size() && path[i] == '#') {
      step.all = true;
      ++i;
    }
    if (i < path.size() && path[i] != '.' && path[i] != '|') return bad_path(whole, "expected '.' behind the query");
  } else {
    for (; i < path.size() && path[i] != '.' && path[i] != '|'; ++i) {
      if (path[i] == '\\' && i + 1 < path.size()) {
        ++i;
      } else if (path[i] == '*' || path[i] == '?') {
        step.wild = true;
      }
      step.text += path[i];
    }
    if (step.text.empty()) return bad_path(whole, "expected a name");
  }
  if (i < path.size()) {
    step.last = false;
    step.piped = path[i] == '|';
    step.rest = path.substr(i + 1);
    if (step.rest.empty()) return bad_path(whole, "expected a name at its end");
  }
  return step;
}

std::optional<std::size_t> index_of(const std::string& text) {
  std::size_t index = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return index;
}

// left operator right, as in last=="Craig"; without an operator: that it is there.
struct Condition {
  std::string path;
  std::string comparison;
  std::optional<base::Json> value;
  std::string pattern;  // of % and !%
};

Result<Condition> condition_from(const std::string& text, std::string_view whole) {
  Condition condition;
  // The comparison of this query, not of one inside it.
  std::size_t at = std::string::npos;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size() && at == std::string::npos; ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted) continue;
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (depth == 0 && std::string_view("=!<>%").find(text[i]) != std::string_view::npos) at = i;
  }
  condition.path = text.substr(0, at);
  while (condition.path.ends_with(' ')) condition.path.pop_back();
  if (at == std::string::npos) return condition;
  std::size_t end = at;
  while (end < text.size() && std::string_view("=!<>%").find(text[end]) != std::string_view::npos) ++end;
  condition.comparison = text.substr(at, end - at);
  while (end < text.size() && text[end] == ' ') ++end;
  const std::string value = text.substr(end);
  static constexpr std::string_view kKnown[] = {"=", "==", "!=", "<", "<=", ">", ">=", "%", "!%"};
  bool known = false;
  for (const auto one : kKnown) known = known || one == condition.comparison;
  if (!known) return bad_path(whole, fmt::format("'{}' is no comparison", condition.comparison));
  auto parsed = base::Json::parse(value);
  condition.value = parsed ? *parsed : base::Json(value);
  condition.pattern = condition.value->is_string() ? *condition.value->as_string() : value;
  return condition;
}

bool compare(const base::Json& found, const Condition& condition) {
  const auto& wanted = *condition.value;
  const std::string& how = condition.comparison;
  if (how == "%" || how == "!%") {
    const bool fits = found.is_string() && matches(condition.pattern, *found.as_string());
    return fits == (how == "%");
  }
  int order = 0;
  if (found.is_number() && wanted.is_number()) {
    const double a = found.number_or(0), b = wanted.number_or(0);
    order = a < b ? -1 : a > b ? 1 : 0;
  } else if (found.is_string() && wanted.is_string()) {
    order = found.as_string()->compare(*wanted.as_string());
  } else {
    const bool equal = found == wanted;
    return how == "!=" ? !equal : (how == "=" || how == "==") && equal;
  }
  if (how == "=" || how == "==") return order == 0;
  if (how == "!=") return order != 0;
  if (how == "<") return order < 0;
  if (how == "<=") return order <= 0;
  if (how == ">") return order > 0;
  return order >= 0;
}

Found follow(const base::Json& value, std::string_view path, std::string_view whole, int steps);

Found modify(const base::Json& value, const std::string& name, std::string_view whole) {
  if (name == "@this") return std::optional(value);
  if (name == "@reverse") {
    base::Json copy = value;
    if (auto* list = copy.as_array()) std::reverse(list->begin(), list->end());
    return std::optional(std::move(copy));
  }
  if (name == "@keys" || name == "@values") {
    base::Json list = base::Json::array();
    if (const auto* object = value.as_object()) {
      for (const auto& [key, member] : *object) list.push_back(name == "@keys" ? base::Json(key) : member);
    }
    return std::optional(std::move(list));
  }
  if (name == "@flatten") {
    base::Json flat = base::Json::array();
    if (const auto* list = value.as_array()) {
      for (const auto& element : *list) {
        if (const auto* inner = element.as_array()) {
          for (const auto& one : *inner) flat.push_back(one);
        } else {
          flat.push_back(element);
        }
      }
    }
    return std::optional(std::move(flat));
  }
  return bad_path(whole, fmt::format("the modifier '{}' is not supported", name));
}

Found query(const base::Json::Array& list, const Step& step, std::string_view whole, int steps) {
  auto condition = condition_from(step.text, whole);
  if (!condition) return condition.error();
  base::Json all = base::Json::array();
  for (const auto& element : list) {
    std::optional<base::Json> found = element;
    if (!condition->path.empty()) {
      auto followed = follow(element, condition->path, whole, steps + 1);
      if (!followed) return followed.error();
      found = std::move(*followed);
    }
    if (!found || (condition->value && !compare(*found, *condition))) continue;
    if (!step.all) {
      if (step.last) return std::optional(element);
      return follow(element, step.rest, whole, steps + 1);
    }
    if (step.last || step.piped) {
      all.push_back(element);
      continue;
    }
    auto inner = follow(element, step.rest, whole, steps + 1);
    if (!inner) return inner.error();
    if (*inner) all.push_back(std::move(**inner));
  }
  if (!step.all) return std::optional<base::Json>();
  if (step.piped) return follow(all, step.rest, whole, steps + 1);
  return std::optional(std::move(all));
}

Found follow(const base::Json& value, std::string_view path, std::string_view whole, int steps) {
  if (steps > kMostSteps) return bad_path(whole, "it has more than 64 steps");
  auto taken = take_step(path, whole);
  if (!taken) return taken.error();
  const Step& step = *taken;
  if (step.text.starts_with('@') && !step.query) {
    auto modified = modify(value, step.text, whole);
    if (!modified || step.last) return modified;
    return follow(**modified, step.rest, whole, steps + 1);
  }
  if (!step.query && (step.text.front() == '{' || step.text.front() == '[')) {
    return bad_path(whole, "several paths in one ({...} and [...]) are not supported: ask for each");
  }
  if (const auto* list = value.as_array()) {
    if (step.query) return query(*list, step, whole, steps);
    if (step.text == "#") {
      if (step.last) return std::optional(base::Json(static_cast<std::int64_t>(list->size())));
      base::Json all = base::Json::array();
      for (const auto& element : *list) {
        auto inner = follow(element, step.rest, whole, steps + 1);
        if (!inner) return inner.error();
        if (*inner) all.push_back(std::move(**inner));
      }
      return std::optional(std::move(all));
    }
    const auto index = index_of(step.text);
    if (!index || *index >= list->size()) return std::optional<base::Json>();
    if (step.last) return std::optional((*list)[*index]);
    return follow((*list)[*index], step.rest, whole, steps + 1);
  }
  const auto* object = value.as_object();
  if (!object || step.query) return std::optional<base::Json>();
  for (const auto& [name, member] : *object) {
    if (step.wild ? !matches(step.text, name) : name != step.text) continue;
    if (step.last) return std::optional(member);
    return follow(member, step.rest, whole, steps + 1);
  }
  return std::optional<base::Json>();
}

}  // namespace

Result<std::optional<base::Json>> gjson(const base::Json& value, std::string_view path) {
  if (path.size() > kMostPath) return bad_path(path, "it is longer than 4 KiB");
  if (path.empty()) return bad_path(path, "it is empty");
  return follow(value, path, path, 0);
}

}  // namespace securebase::k6
