// Who am I, and temporary credentials: STS, and the one operation of IAM that clients ask to find that out.
#include <fmt/format.h>

#include "secrets/api.h"

namespace securebase::secrets {

namespace {

using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

Value credentials_of(const TemporaryCredentials& made) {
  return Value::structure({{"AccessKeyId", made.access_key_id},
                           {"SecretAccessKey", made.secret_access_key.reveal()},
                           {"SessionToken", made.session_token},
                           {"Expiration", made.expires}});
}

bool is_temporary(const aws::Identity& identity) { return identity.access_key_id.starts_with("ASIA"); }
bool is_root(const aws::Identity& identity) { return identity.arn.ends_with(":root"); }

Outcome get_caller_identity(const Call& call) {
  return Value::structure(
      {{"UserId", call.identity.user_id}, {"Account", call.identity.account}, {"Arn", call.identity.arn}});
}

Outcome get_session_token(Users& users, const Call& call) {
  if (is_temporary(call.identity)) {
    return Fault{"AccessDenied", "Cannot call GetSessionToken with session credentials", 403, {}};
  }
  // The root user's sessions last an hour at most, as with AWS.
  auto seconds = std::chrono::seconds(call.input["DurationSeconds"].integer_or(12 * 3600));
  if (is_root(call.identity)) seconds = std::min(seconds, std::chrono::seconds(3600));
  return Value::structure(
      {{"Credentials", credentials_of(users.make_session(call.identity, call.identity.access_key_id, seconds))}});
}

// arn:aws:iam::123456789012:role/path/name of a role that the stack declares. Trust policies are not evaluated: who may
// call may assume.
Outcome assume_role(Users& users, const Secrets& secrets, const Call& call) {
  const auto arn = call.input["RoleArn"].string_or("");
  const auto role = secrets.role(arn);
  if (!role) {
    return Fault{
        "AccessDenied",
        fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}: the stack declares "
                    "no such aws_iam_role",
                    call.identity.arn, arn),
        403,
        {}};
  }
  const auto seconds = std::chrono::seconds(call.input["DurationSeconds"].integer_or(3600));
  if (seconds > role->longest_session) {
    return Fault{
        "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", 400, {}};
  }
  const auto session = call.input["RoleSessionName"].string_or("");
  const aws::Identity identity{
      "", call.identity.account,
      fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", call.identity.account, role->name, session),
      fmt::format("{}:{}", role->id, session)};
  const auto parent = users.parent_of(call.identity, call.request.headers.get("X-Amz-Security-Token").value_or(""));
  return Value::structure(
      {{"Credentials", credentials_of(users.make_session(identity, parent, seconds))},
       {"AssumedRoleUser", Value::structure({{"AssumedRoleId", identity.user_id}, {"Arn", identity.arn}})}});
}

Outcome get_access_key_info(const Call& call) { return Value::structure({{"Account", call.account}}); }

Outcome get_user(const Users& users, const Call& call) {
  const auto asked = call.input["UserName"].string_or("");
  if (asked.empty() && is_root(call.identity)) {
    return Value::structure({{"User", Value::structure({{"Path", "/"},
                                                        {"UserName", "root"},
                                                        {"UserId", call.identity.user_id},
                                                        {"Arn", call.identity.arn},
                                                        {"CreateDate", base::TimePoint{}}})}});
  }
  for (const auto& user : users.list()) {
    if (asked.empty() ? user.access_key_id != call.identity.access_key_id : user.name != asked) continue;
    return Value::structure(
        {{"User", Value::structure({{"Path", "/"},
                                    {"UserName", user.name},
                                    {"UserId", user.id},
                                    {"Arn", fmt::format("arn:aws:iam::{}:user/{}", call.account, user.name)},
                                    {"CreateDate", user.created}})}});
  }
  if (asked.empty()) {
    return Fault{"ValidationError", "Must specify userName when calling with non-User credentials", 400, {}};
  }
  return Fault{"NoSuchEntity", fmt::format("The user with name {} cannot be found.", asked), 404, {}};
}

}  // namespace

void add_sts_operations(aws::Operations& operations, Users& users, const Secrets& secrets) {
  operations.add("sts", "GetCallerIdentity", get_caller_identity);
  operations.add("sts", "GetAccessKeyInfo", get_access_key_info);
  operations.add("sts", "GetSessionToken", [&users](const Call& call) { return get_session_token(users, call); });
  operations.add("sts", "AssumeRole",
                 [&users, &secrets](const Call& call) { return assume_role(users, secrets, call); });
  operations.add("iam", "GetUser", [&users](const Call& call) { return get_user(users, call); });
}

}  // namespace securebase::secrets
