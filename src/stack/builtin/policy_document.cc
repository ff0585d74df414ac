// aws_iam_policy_document: the JSON as the provider prints it, to the order of its lists (they are sorted backwards)
// and the indentation, so that a policy compares equal with one that was applied to AWS.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/hash.h"
#include "base/json.h"
#include "stack/builtin/builtin.h"
#include "stack/functions/encoding.h"

namespace securebase::stack {

namespace {

using base::Json;

// The provider's way to write ${aws:username} in a file where ${ begins a template.
std::string with_policy_variables(std::string text) {
  for (std::size_t at = 0; (at = text.find("&{", at)) != std::string::npos; at += 2) text[at] = '$';
  return text;
}

std::vector<std::string> texts(const Value& list) {
  std::vector<std::string> made;
  if (!list.is_sequence()) return made;
  for (const auto& element : list.elements()) {
    if (const auto text = element.to_text()) made.push_back(with_policy_variables(*text));
  }
  return made;
}

Json one_or_more(const std::vector<std::string>& list) {
  if (list.size() == 1) return list[0];
  Json::Array array(list.begin(), list.end());
  return array;
}

std::vector<std::string> backwards(std::vector<std::string> list) {
  std::sort(list.begin(), list.end(), std::greater<>());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

Json principals(const std::vector<const Body*>& blocks) {
  if (blocks.size() == 1 && (*blocks[0])["type"] == Value("*") &&
      texts((*blocks[0])["identifiers"]) == std::vector<std::string>{"*"}) {
    return "*";
  }
  std::map<std::string, std::vector<std::string>> by_type;
  for (const auto* block : blocks) {
    auto& all = by_type[(*block)["type"].to_text().value_or("")];
    for (auto& one : backwards(texts((*block)["identifiers"]))) all.push_back(std::move(one));
  }
  Json made = Json::object();
  for (const auto& [type, list] : by_type) made.set(type, one_or_more(list));
  return made;
}

Json conditions(const std::vector<const Body*>& blocks) {
  std::map<std::string, std::map<std::string, std::vector<std::string>>> by_test;
  for (const auto* block : blocks) {
    auto& values = by_test[(*block)["test"].to_text().value_or("")][(*block)["variable"].to_text().value_or("")];
    for (auto& one : texts((*block)["values"])) values.push_back(std::move(one));
  }
  Json made = Json::object();
  for (const auto& [test, variables] : by_test) {
    Json inner = Json::object();
    for (const auto& [variable, values] : variables) inner.set(variable, one_or_more(values));
    made.set(test, std::move(inner));
  }
  return made;
}

Json statement(const Body& block) {
  Json made = Json::object();
  if (const auto sid = block["sid"].to_text(); sid && !sid->empty()) made.set("Sid", *sid);
  made.set("Effect", block["effect"].to_text().value_or("Allow"));
  static constexpr std::pair<std::string_view, std::string_view> kLists[] = {
      {"actions", "Action"}, {"not_actions", "NotAction"}, {"resources", "Resource"}, {"not_resources", "NotResource"}};
  for (const auto& [attribute, name] : kLists) {
    const auto list = backwards(texts(block[attribute]));
    if (!list.empty()) made.set(name, one_or_more(list));
  }
  if (const auto blocks = block.blocks_named("principals"); !blocks.empty()) made.set("Principal", principals(blocks));
  if (const auto blocks = block.blocks_named("not_principals"); !blocks.empty())
    made.set("NotPrincipal", principals(blocks));
  if (const auto blocks = block.blocks_named("condition"); !blocks.empty()) made.set("Condition", conditions(blocks));
  return made;
}

class Document {
 public:
  // Statements with a Sid that is there already replace it when they override, or are refused.
  bool add(Json statement, bool overrides, std::string& repeated) {
    const std::string sid(statement["Sid"].string_or(""));
    const auto same = std::find_if(statements_.begin(), statements_.end(),
                                   [&](const Json& one) { return !sid.empty() && one["Sid"].string_or("") == sid; });
    if (same == statements_.end()) {
      statements_.push_back(std::move(statement));
    } else if (overrides) {
      *same = std::move(statement);
    } else {
      repeated = sid;
      return false;
    }
    return true;
  }

  // The statements of a whole policy in JSON.
  Result<Done> add_policy(const std::string& text, bool overrides) {
    if (text.empty()) return Done{};
    const auto json = Json::parse(text);
    if (!json) return json.error();
    const Json& given = (*json)["Statement"];
    std::string repeated;
    bool right = true;
    if (const auto* list = given.as_array()) {
      for (const auto& one : *list) right = right && add(one, overrides, repeated);
    } else if (given.is_object()) {
      right = add(given, overrides, repeated);
    }
    if (right) return Done{};
    return Error{Errc::kConflict, fmt::format("the Sid \"{}\" is used twice", repeated)};
  }

  Json json(const std::string& version, const std::string& id) const {
    Json made = Json::object();
    made.set("Version", version);
    if (!id.empty()) made.set("Id", id);
    if (!statements_.empty()) made.set("Statement", statements_);
    return made;
  }

 private:
  Json::Array statements_;
};

// Go's encoder hides these three from HTML; they occur only inside strings.
std::string as_go_writes(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u00{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::optional<Value::Map> iam_policy_document(const BuiltinCall& call) {
  const Body& body = call.resource.body;
  Document document;
  const auto add_all = [&](std::string_view attribute, bool overrides) -> Result<Done> {
    const Value& list = body[attribute];
    if (list.is_string()) return document.add_policy(list.string(), overrides);
    if (!list.is_sequence()) return Done{};
    for (const auto& policy : list.elements()) {
      auto added = document.add_policy(policy.to_text().value_or(""), overrides);
      if (!added) return added;
    }
    return Done{};
  };
  for (const auto* attribute : {"source_json", "source_policy_documents"}) {
    if (const auto added = add_all(attribute, false); !added) {
      return call.fail("Invalid policy document", fmt::format("{}: {}.", attribute, added.error().message));
    }
  }
  std::vector<std::string> own_sids;
  for (const auto* block : body.blocks_named("statement")) {
    std::string repeated;
    const std::string sid = (*block)["sid"].to_text().value_or("");
    if (!sid.empty() && std::find(own_sids.begin(), own_sids.end(), sid) != own_sids.end()) {
      return call.fail("Invalid policy document",
                       fmt::format("The sid \"{}\" is used twice. Give each statement its own.", sid));
    }
    own_sids.push_back(sid);
    document.add(statement(*block), true, repeated);
  }
  for (const auto* attribute : {"override_json", "override_policy_documents"}) {
    if (const auto added = add_all(attribute, true); !added) {
      return call.fail("Invalid policy document", fmt::format("{}: {}.", attribute, added.error().message));
    }
  }
  const Json json =
      document.json(body["version"].to_text().value_or("2012-10-17"), body["policy_id"].to_text().value_or(""));
  const std::string text = as_go_writes(json.dump(2));
  return Value::Map{{"id", std::to_string(base::hash64(text) & 0xffffffff)},
                    {"json", text},
                    {"minified_json", as_go_writes(json.dump())}};
}

}  // namespace securebase::stack
