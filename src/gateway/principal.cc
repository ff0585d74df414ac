#include "gateway/principal.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"

namespace securebase::gateway {
namespace {

constexpr std::size_t kPayloadBytes = 64 << 10;

Error no_verdict(std::string_view why) {
  return {Errc::kMalformed, fmt::format("the authorizer's answer is no verdict: {}", why)};
}

}  // namespace

Result<Principal> Principal::parse(std::string_view payload) {
  if (payload.size() > kPayloadBytes) return no_verdict("it is longer than 64 KiB");
  auto json = base::Json::parse(payload);
  if (!json) return no_verdict("it is no JSON");
  if (!json->is_object()) return no_verdict("it is no object");

  Principal made;
  const auto& id = (*json)["principalId"];
  if (const auto* text = id.as_string()) {
    made.principal_id = *text;
  } else if (id.is_number()) {
    made.principal_id = id.dump();
  } else {
    return no_verdict("it has no principalId");
  }
  auto policy = Policy::parse((*json)["policyDocument"]);
  if (!policy) return no_verdict(policy.error().message);
  made.policy = std::move(*policy);
  made.usage_identifier_key = (*json)["usageIdentifierKey"].string_or("");

  made.event_members = "\"principalId\":";
  base::append_json_string(made.event_members, made.principal_id);
  const auto& context = (*json)["context"];
  if (!context.is_null() && !context.is_object()) return no_verdict("context is no object");
  if (const auto* members = context.as_object()) {
    for (const auto& [name, value] : *members) {
      // Developer Guide, "Output from an API Gateway Lambda authorizer": strings, numbers and booleans only. In the
      // proxy event all of them arrive as strings.
      if (value.is_null()) continue;
      if (value.is_object() || value.is_array()) return no_verdict("context holds an object or a list");
      std::string text = value.as_string() ? *value.as_string() : value.dump();
      if (name == "principalId" || name == "integrationLatency") continue;
      made.event_members += ',';
      base::append_json_string(made.event_members, name);
      made.event_members += ':';
      base::append_json_string(made.event_members, text);
      made.context.emplace_back(name, std::move(text));
    }
  }
  // The members are JSON strings one after the other and the policy is JSON: no two different pairs give one text.
  made.key = base::hex(base::sha256(made.event_members + "\n" + (*json)["policyDocument"].dump())).substr(0, 32);
  return made;
}

}  // namespace securebase::gateway
