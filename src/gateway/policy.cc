#include "gateway/policy.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::gateway {
namespace {

constexpr std::size_t kStatements = 1000;  // far beyond IAM's 6 KB; bounds what one answer may make us evaluate

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// A string, or an array of strings with at least one.
Result<std::vector<std::string>> strings(const base::Json& value, std::string_view name) {
  std::vector<std::string> out;
  if (const auto* one = value.as_string()) {
    out.push_back(*one);
  } else if (const auto* list = value.as_array()) {
    for (const auto& element : *list) {
      if (!element.as_string())
        return Error{Errc::kMalformed, fmt::format("{} holds something else than strings", name)};
      out.push_back(*element.as_string());
    }
  }
  if (out.empty()) return Error{Errc::kMalformed, fmt::format("{} is no string and no list of strings", name)};
  return out;
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [text](const auto& pattern) { return matches_wildcard(pattern, text); });
}

}  // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<Policy> Policy::parse(const base::Json& document) {
  if (!document.is_object()) return Error{Errc::kMalformed, "policyDocument is no object"};
  const auto* listed = document.find("Statement");
  if (!listed) return Error{Errc::kMalformed, "policyDocument has no Statement"};
  base::Json::Array one;
  if (listed->is_object()) one.push_back(*listed);
  const base::Json::Array* statements = listed->is_object() ? &one : listed->as_array();
  if (!statements || statements->size() > kStatements) return Error{Errc::kMalformed, "Statement is no list"};

  Policy policy;
  for (const auto& each : *statements) {
    Statement statement;
    const auto effect = each["Effect"].string_or("");
    if (effect != "Allow" && effect != "Deny") return Error{Errc::kMalformed, "Effect is neither Allow nor Deny"};
    statement.allows = effect == "Allow";
    if (const auto* condition = each.find("Condition");
        condition && !(condition->is_object() && condition->as_object()->empty())) {
      return Error{Errc::kUnsupported, "a Condition in an authorizer's policy is not evaluated here"};
    }
    statement.not_action = each.find("NotAction") != nullptr;
    auto actions = strings(each[statement.not_action ? "NotAction" : "Action"], "Action");
    if (!actions) return actions.error();
    for (const auto& action : *actions) statement.actions.push_back(lower(action));
    statement.not_resource = each.find("NotResource") != nullptr;
    auto resources = strings(each[statement.not_resource ? "NotResource" : "Resource"], "Resource");
    if (!resources) return resources.error();
    statement.resources = std::move(*resources);
    policy.statements_.push_back(std::move(statement));
  }
  return policy;
}

Policy::Decision Policy::evaluate(std::string_view action, std::string_view arn) const {
  const std::string wanted = lower(action);
  auto decision = Decision::kDenied;
  for (const auto& statement : statements_) {
    if (any_matches(statement.actions, wanted) == statement.not_action) continue;
    if (any_matches(statement.resources, arn) == statement.not_resource) continue;
    if (!statement.allows) return Decision::kExplicitlyDenied;
    decision = Decision::kAllowed;
  }
  return decision;
}

}  // namespace securebase::gateway
