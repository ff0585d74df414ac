#include "stack/builtin/builtin.h"

#include <fmt/format.h>

namespace securebase::stack {

namespace {

std::optional<Value::Map> null_data_source(const BuiltinCall& call) {
  return Value::Map{{"id", "static"}, {"outputs", call.resource.body["inputs"]}};
}

std::optional<Value::Map> terraform_data(const BuiltinCall& call) {
  return Value::Map{{"id", call.context.id(36, "0123456789abcdef")}, {"output", call.resource.body["input"]}};
}

std::optional<Value::Map> not_asked(const BuiltinCall& call) {
  return call.fail("Data source cannot be read",
                   fmt::format("\"{}\" asks something outside of the stack's files, and reading a stack asks nobody. "
                               "Put what it would answer into a variable.",
                               call.resource.type));
}

}  // namespace

std::nullopt_t BuiltinCall::fail(std::string summary, std::string detail) const {
  diagnostics.error(std::move(summary), std::move(detail), resource.range()).context =
      fmt::format("{} \"{}\" \"{}\"", resource.mode == Declaration::Mode::kData ? "data" : "resource", resource.type,
                  resource.name);
  return std::nullopt;
}

Builtin find_builtin(Declaration::Mode mode, std::string_view type) {
  if (mode == Declaration::Mode::kData) {
    if (type == "archive_file") return archive_file;
    if (type == "aws_iam_policy_document") return iam_policy_document;
    if (type == "local_file" || type == "local_sensitive_file") return local_file;
    if (type == "null_data_source") return null_data_source;
    if (type == "external") return external;
    if (type == "http" || type == "terraform_remote_state") return not_asked;
    return find_identity(type);
  }
  if (type == "terraform_data") return terraform_data;
  return find_random(type);
}

}  // namespace securebase::stack
