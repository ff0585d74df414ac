// The resource policy, which is kept and given back, and tags.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/json.h"
#include "functions/api/lambda_api.h"

namespace securebase::functions {

namespace {

using aws::Fault;
using aws::Value;
using base::Json;
using FoundPermission = stack::Found<PermissionResource>;

std::string sid_of(const FoundPermission& found) {
  return found.value.statement_id.value_or(found.resource.attributes["id"].to_text().value_or(""));
}

std::vector<FoundPermission> permissions_of(const stack::Stack& stack, std::string_view function,
                                            std::string_view qualifier) {
  std::vector<FoundPermission> all;
  for (const auto& found : stack.all<PermissionResource>("aws_lambda_permission")) {
    if (name_of(found.value.function_name) == function && found.value.qualifier == qualifier) all.push_back(found);
  }
  return all;
}

// As Lambda writes it: a service by "Service", anybody else by "AWS".
Json statement_of(const PermissionResource& permission, const std::string& sid, const std::string& arn) {
  const std::string& who = permission.principal;
  Json principal = who == "*" ? Json(who) : Json::object({{who.find('.') == who.npos ? "AWS" : "Service", who}});
  Json made = Json::object({{"Sid", sid},
                            {"Effect", "Allow"},
                            {"Principal", std::move(principal)},
                            {"Action", permission.action},
                            {"Resource", arn}});
  Json condition = Json::object();
  if (!permission.source_account.empty()) {
    condition.set("StringEquals", Json::object({{"AWS:SourceAccount", permission.source_account}}));
  }
  if (!permission.source_arn.empty()) {
    condition.set("ArnLike", Json::object({{"AWS:SourceArn", permission.source_arn}}));
  }
  if (!condition.as_object()->empty()) made.set("Condition", std::move(condition));
  return made;
}

Fault no_policy() { return faults::not_found("The resource you requested does not exist."); }

}  // namespace

aws::Outcome LambdaApi::add_permission(const aws::Call& call) {
  const Value& in = call.input;
  const Named name = named(call);
  const std::string sid = text_of(in["StatementId"]);
  stack::Value::Map attributes{{"function_name", name.function},
                               {"statement_id", sid},
                               {"action", text_of(in["Action"])},
                               {"principal", text_of(in["Principal"])}};
  if (!name.qualifier.empty()) attributes.emplace("qualifier", name.qualifier);
  if (const auto* arn = in["SourceArn"].as_string()) attributes.emplace("source_arn", *arn);
  if (const auto* account = in["SourceAccount"].as_string()) attributes.emplace("source_account", *account);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto function = require(current, name);
    if (!function) return std::move(function.error());
    for (const auto& found : permissions_of(current, name.function, name.qualifier)) {
      if (sid_of(found) != sid) continue;
      return faults::conflict(fmt::format(
          "The statement id ({}) provided already exists. Please provide a new statement id, or remove the existing "
          "statement.",
          sid));
    }
    return Edits{stack::create("aws_lambda_permission", name.whole() + "/" + sid, attributes)};
  });
  if (!now) return std::move(now.error());
  for (const auto& found : permissions_of(**now, name.function, name.qualifier)) {
    if (sid_of(found) != sid) continue;
    const std::string arn = fmt::format("{}function:{}", arn_prefix(**now), name.whole());
    return Value::structure({{"Statement", statement_of(found.value, sid, arn).dump()}});
  }
  return no_policy();
}

aws::Outcome LambdaApi::get_policy(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const Named name = named(call);
  auto function = require(*stack, name);
  if (!function) return std::move(function.error());
  Json statements = Json::array();
  const std::string arn = fmt::format("{}function:{}", arn_prefix(*stack), name.whole());
  const auto permissions = permissions_of(*stack, name.function, name.qualifier);
  if (permissions.empty()) return no_policy();
  for (const auto& found : permissions) statements.push_back(statement_of(found.value, sid_of(found), arn));
  const std::string policy =
      Json::object({{"Version", "2012-10-17"}, {"Id", "default"}, {"Statement", std::move(statements)}}).dump();
  const std::string digest = base::hex(base::sha256(policy));
  return Value::structure(
      {{"Policy", policy},
       {"RevisionId", fmt::format("{}-{}-{}-{}-{}", digest.substr(0, 8), digest.substr(8, 4), digest.substr(12, 4),
                                  digest.substr(16, 4), digest.substr(20, 12))}});
}

aws::Outcome LambdaApi::remove_permission(const aws::Call& call) {
  const Named name = named(call);
  const std::string sid = text_of(call.input["StatementId"]);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    for (const auto& found : permissions_of(current, name.function, name.qualifier)) {
      if (sid_of(found) == sid) return Edits{stack::remove(found.resource.address)};
    }
    return faults::not_found("Statement " + sid + " is not found in resource policy.");
  });
  if (!now) return std::move(now.error());
  return Value::structure();
}

// --- tags -----------------------------------------------------------------------------------------------------------

aws::Outcome LambdaApi::change_tags(const aws::Call& call,
                                    const std::function<void(std::map<std::string, std::string>& tags)>& edit) {
  const std::string function = name_of(call.input["Resource"].string_or(""));
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto found = require(current, {function, ""});
    if (!found) return std::move(found.error());
    auto tags = found->value.tags;
    edit(tags);
    if (tags.size() > 50) return faults::invalid("A function has at most 50 tags");
    stack::Value::Map set;
    for (const auto& [key, value] : tags) set.emplace(key, value);
    return Edits{stack::update(found->resource.address, {{"tags", stack::Value(std::move(set))}})};
  });
  if (!now) return std::move(now.error());
  return Value::structure();
}

aws::Outcome LambdaApi::tag_resource(const aws::Call& call) {
  return change_tags(call, [&call](auto& tags) {
    for (const auto& [key, value] : call.input["Tags"].members()) tags.insert_or_assign(key, text_of(value));
  });
}

aws::Outcome LambdaApi::untag_resource(const aws::Call& call) {
  return change_tags(call, [&call](auto& tags) {
    for (const auto& key : call.input["TagKeys"].elements()) tags.erase(text_of(key));
  });
}

aws::Outcome LambdaApi::list_tags(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  auto found = require(*stack, {name_of(call.input["Resource"].string_or("")), ""});
  if (!found) return std::move(found.error());
  Value tags = Value::structure();
  for (const auto& [key, value] : found->value.tags) tags.set(key, value);
  return Value::structure({{"Tags", std::move(tags)}});
}

}  // namespace securebase::functions
