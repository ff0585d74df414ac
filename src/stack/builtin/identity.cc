// Who and where the stack is: account, region, partition, zones.
#include <fmt/format.h>

#include "stack/builtin/builtin.h"

namespace securebase::stack {

namespace {

std::string suffix(const Context& context) {
  return context.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
}

std::optional<Value::Map> caller_identity(const BuiltinCall& call) {
  const std::string& account = call.context.account;
  return Value::Map{{"id", account},
                    {"account_id", account},
                    {"arn", fmt::format("arn:{}:iam::{}:root", call.context.partition, account)},
                    {"user_id", account}};
}

std::optional<Value::Map> region(const BuiltinCall& call) {
  const std::string name = call.resource.body["region"].to_text().value_or(
      call.resource.body["name"].to_text().value_or(call.context.region));
  return Value::Map{{"id", name},
                    {"name", name},
                    {"region", name},
                    {"description", name},
                    {"endpoint", fmt::format("ec2.{}.{}", name, suffix(call.context))}};
}

std::optional<Value::Map> partition(const BuiltinCall& call) {
  const std::string dns = suffix(call.context);
  return Value::Map{{"id", call.context.partition},
                    {"partition", call.context.partition},
                    {"dns_suffix", dns},
                    {"reverse_dns_prefix", dns == "amazonaws.com" ? "com.amazonaws" : "cn.com.amazonaws"}};
}

std::optional<Value::Map> availability_zones(const BuiltinCall& call) {
  Value::List names, ids;
  for (const char letter : {'a', 'b', 'c'}) {
    names.emplace_back(call.context.region + letter);
    ids.emplace_back(fmt::format("{}-az{}", call.context.region, letter - 'a' + 1));
  }
  return Value::Map{{"id", call.context.region},
                    {"names", Value(std::move(names))},
                    {"zone_ids", Value(std::move(ids))},
                    {"group_names", Value::set({Value(call.context.region)})}};
}

std::optional<Value::Map> canonical_user_id(const BuiltinCall& call) {
  const std::string id = Context{.address = "account " + call.context.account}.id(64, "0123456789abcdef");
  return Value::Map{{"id", id}, {"display_name", "securebase"}};
}

std::optional<Value::Map> service_principal(const BuiltinCall& call) {
  const std::string service = call.resource.body["service_name"].to_text().value_or("");
  const std::string dns = suffix(call.context);
  return Value::Map{
      {"id", fmt::format("{}.{}", service, dns)}, {"name", fmt::format("{}.{}", service, dns)}, {"suffix", dns}};
}

std::optional<Value::Map> session_context(const BuiltinCall& call) {
  const std::string arn = call.resource.body["arn"].to_text().value_or("");
  return Value::Map{{"id", arn}, {"issuer_arn", arn}, {"issuer_id", ""}, {"issuer_name", ""}, {"session_name", ""}};
}

}  // namespace

Builtin find_identity(std::string_view type) {
  static constexpr std::pair<std::string_view, Builtin> kTypes[] = {{"aws_caller_identity", caller_identity},
                                                                    {"aws_region", region},
                                                                    {"aws_partition", partition},
                                                                    {"aws_availability_zones", availability_zones},
                                                                    {"aws_canonical_user_id", canonical_user_id},
                                                                    {"aws_service_principal", service_principal},
                                                                    {"aws_iam_session_context", session_context}};
  for (const auto& [name, builtin] : kTypes) {
    if (name == type) return builtin;
  }
  return nullptr;
}

}  // namespace securebase::stack
