#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "functions/api/lambda_api.h"

namespace securebase::functions {

namespace faults {

aws::Fault invalid(std::string message) { return {"InvalidParameterValueException", std::move(message), 400, {}}; }
aws::Fault conflict(std::string message) { return {"ResourceConflictException", std::move(message), 409, {}}; }
aws::Fault not_found(std::string message) { return {"ResourceNotFoundException", std::move(message), 404, {}}; }
aws::Fault precondition() {
  return {"PreconditionFailedException",
          "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
          "retrieve the latest Revision Id",
          412,
          {}};
}

}  // namespace faults

namespace {

// What the platform could not do with a change that was right by Lambda's rules.
aws::Fault fault_of(const Error& error) {
  switch (error.code) {
    case Errc::kMalformed:
    case Errc::kDenied:
    case Errc::kLimit:
    case Errc::kNotFound:  // a bootstrap that is not in the zip
      return faults::invalid(error.message);
    case Errc::kConflict:
      return faults::conflict(error.message);
    default:
      return {"ServiceException", error.message, 500, {}};
  }
}

}  // namespace

std::string text_of(const aws::Value& value) { return std::string(value.string_or("")); }

std::filesystem::path place_of(const stack::Stack& stack, const std::string& written) {
  const std::filesystem::path path(written);
  return path.is_absolute() ? path : (stack.directory / path).lexically_normal();
}

std::string lambda_time(base::TimePoint time) {
  std::string text = base::iso8601_millis(time);
  text.pop_back();
  return text + "+0000";
}

LambdaApi::LambdaApi(ApiDoors doors) : doors_(std::move(doors)) {}

LambdaApi::Named LambdaApi::named(const aws::Call& call) {
  std::string_view name = call.input["FunctionName"].string_or("");
  constexpr std::string_view kMark = "function:";
  if (const auto at = name.find(kMark); at != name.npos) name.remove_prefix(at + kMark.size());
  Named made;
  const auto colon = name.find(':');
  made.function = name.substr(0, colon);
  if (colon != name.npos) made.qualifier = name.substr(colon + 1);
  if (const auto asked = call.input["Qualifier"].string_or(""); !asked.empty()) made.qualifier = asked;
  return made;
}

Result<LambdaApi::Now, aws::Fault> LambdaApi::change(const Decide& decide) {
  std::optional<aws::Fault> fault;
  auto now = doors_.changes.change([&](const stack::Stack& current) -> Result<Edits> {
    auto edits = decide(current);
    if (edits) return std::move(*edits);
    fault = std::move(edits.error());
    return Error{Errc::kDenied, fault->message};
  });
  if (fault) return *std::move(fault);
  if (!now) return fault_of(now.error());
  std::set<std::filesystem::path> used;
  const auto use = [&used](const std::optional<std::string>& file) {
    if (file) used.insert(*file);
  };
  for (const auto& found : (*now)->all<FunctionResource>("aws_lambda_function")) use(found.value.filename);
  for (const auto& found : (*now)->all<FunctionResource>(kVersionType)) use(found.value.filename);
  for (const auto& found : (*now)->all<LayerResource>("aws_lambda_layer_version")) use(found.value.filename);
  doors_.functions.code().collect(used);
  return std::move(*now);
}

std::optional<LambdaApi::FoundFunction> LambdaApi::find(const stack::Stack& stack, std::string_view function,
                                                        std::string_view version) {
  for (const auto& found : stack.all<FunctionResource>("aws_lambda_function")) {
    if (found.value.function_name != function || !found.value.filename) continue;
    if (version == "$LATEST" || (found.value.publish && version == "1")) return found;
  }
  for (const auto& found : stack.all<FunctionResource>(kVersionType)) {
    if (found.value.function_name == function && std::to_string(found.value.version) == version) return found;
  }
  return std::nullopt;
}

std::vector<LambdaApi::FoundFunction> LambdaApi::versions_of(const stack::Stack& stack, std::string_view function) {
  std::map<std::int64_t, FoundFunction> by_number;
  for (const auto& found : stack.all<FunctionResource>(kVersionType)) {
    if (found.value.function_name == function) by_number.emplace(found.value.version, found);
  }
  std::vector<FoundFunction> all;
  for (const auto& [number, found] : by_number) all.push_back(found);
  return all;
}

std::optional<stack::Found<AliasResource>> LambdaApi::alias_of(const stack::Stack& stack, const Named& named) {
  for (const auto& found : stack.all<AliasResource>("aws_lambda_alias")) {
    if (name_of(found.value.function_name) == named.function && found.value.name == named.qualifier) return found;
  }
  return std::nullopt;
}

std::optional<std::string> LambdaApi::version_of(const stack::Stack& stack, const Named& named) {
  if (named.qualifier.empty() || named.qualifier == "$LATEST") return "$LATEST";
  if (const auto alias = alias_of(stack, named)) return alias->value.function_version;
  if (find(stack, named.function, named.qualifier)) return named.qualifier;
  return std::nullopt;
}

Result<LambdaApi::FoundFunction, aws::Fault> LambdaApi::require(const stack::Stack& stack, const Named& named) {
  if (const auto version = version_of(stack, named)) {
    if (auto found = find(stack, named.function, *version)) return *found;
  }
  return faults::not_found(fmt::format("Function not found: {}function:{}", arn_prefix(stack), named.whole()));
}

// Changes with everything that is set of the resource, and with nothing else; in the form that Lambda's own has.
std::string LambdaApi::revision_of(const stack::Resource& resource) {
  const std::string digest = base::hex(base::sha256(resource.address + resource.body.as_value().to_json().dump()));
  return fmt::format("{}-{}-{}-{}-{}", digest.substr(0, 8), digest.substr(8, 4), digest.substr(12, 4),
                     digest.substr(16, 4), digest.substr(20, 12));
}

}  // namespace securebase::functions
