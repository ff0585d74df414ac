// Published versions and aliases.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/file.h"
#include "functions/api/lambda_api.h"

namespace securebase::functions {

using aws::Fault;
using aws::Value;

// What is written of a function, as a version keeps it.
stack::Value::Map LambdaApi::version_attributes(stack::Value::Map attributes, std::int64_t number,
                                                std::string_view description) {
  for (const char* of_the_function : {"publish", "tags", "tags_all", "reserved_concurrent_executions", "depends_on"}) {
    attributes.erase(of_the_function);
  }
  attributes.insert_or_assign("version", number);
  if (!description.empty()) attributes.insert_or_assign("description", description);
  return attributes;
}

// A version's code does not change with the file that it came from: it is kept by its content.
Result<Done, Fault> LambdaApi::freeze_code(const stack::Stack& stack, const FoundFunction& found,
                                           stack::Value::Map& attributes, Pins& pins) const {
  const std::filesystem::path written(attributes["filename"].to_text().value_or(""));
  const auto file = written.is_absolute() ? written : (stack.directory / written).lexically_normal();
  std::error_code failure;
  if (std::filesystem::is_directory(file, failure)) {
    const auto kept = doors_.functions.package_of(found.value.function_name, "$LATEST");
    if (!kept) return Fault{"ServiceException", "the function's package is not there", 500, {}};
    attributes.insert_or_assign("filename", kept->native());
    return Done{};
  }
  auto bytes = base::read_file(file);
  if (!bytes) return Fault{"ServiceException", bytes.error().message, 500, {}};
  auto pin = doors_.functions.code().put(*bytes);
  if (!pin) return Fault{"ServiceException", pin.error().message, 500, {}};
  attributes.insert_or_assign("filename", pin->file().native());
  pins.push_back(std::move(*pin));
  return Done{};
}

Result<LambdaApi::Edits, Fault> LambdaApi::keep_published(const stack::Stack& stack, const FoundFunction& found,
                                                          Pins& pins) const {
  if (!found.value.publish) return Edits{};
  for (const auto& version : versions_of(stack, found.value.function_name)) {
    if (version.value.version == 1) return Edits{};
  }
  auto attributes = version_attributes(found.resource.body.as_value().members(), 1, "");
  if (auto frozen = freeze_code(stack, found, attributes, pins); !frozen) return std::move(frozen.error());
  return Edits{stack::create(std::string(kVersionType), found.value.function_name + ":1", std::move(attributes))};
}

Result<std::string, Fault> LambdaApi::publishing(const stack::Stack& stack, const FoundFunction& found,
                                                 stack::Value::Map attributes, Edits& edits,
                                                 std::string_view description, Pins& pins) const {
  const auto versions = versions_of(stack, found.value.function_name);
  std::int64_t newest = versions.empty() ? 0 : versions.back().value.version;
  if (found.value.publish) newest = std::max<std::int64_t>(newest, 1);
  if (auto frozen = freeze_code(stack, found, attributes, pins); !frozen) return std::move(frozen.error());
  // What does not make another version of it.
  const auto essence = [](stack::Value::Map all) {
    for (const char* name : {"version", "last_modified", "description", "source_code_hash"}) all.erase(name);
    std::erase_if(all, [](const auto& one) { return one.second.is_null(); });
    return stack::Value(std::move(all));
  };
  auto next = version_attributes(std::move(attributes), newest + 1, description);
  if (!versions.empty() && essence(versions.back().resource.body.as_value().members()) == essence(next)) {
    return std::to_string(newest);
  }
  edits.push_back(stack::create(std::string(kVersionType), fmt::format("{}:{}", found.value.function_name, newest + 1),
                                std::move(next)));
  return std::to_string(newest + 1);
}

aws::Outcome LambdaApi::publish_version(const aws::Call& call) {
  const Named name = named(call);
  std::string version;
  Pins pins;
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto found = require(current, {name.function, ""});
    if (!found) return std::move(found.error());
    const std::string revision = text_of(call.input["RevisionId"]);
    if (!revision.empty() && revision != revision_of(found->resource)) return faults::precondition();
    const auto digest = doors_.functions.code_digest(name.function, "$LATEST");
    const std::string expected = text_of(call.input["CodeSha256"]);
    if (!expected.empty() && digest && expected != base::base64(*digest)) {
      return faults::invalid("CodeSha256 does not match the code of the function");
    }
    Edits edits;
    if (found->value.publish && versions_of(current, name.function).empty()) {
      version = "1";  // the files have published what it still is
      return edits;
    }
    auto attributes = found->resource.body.as_value().members();
    auto made = publishing(current, *found, std::move(attributes), edits, text_of(call.input["Description"]), pins);
    if (!made) return std::move(made.error());
    version = std::move(*made);
    return edits;
  });
  if (!now) return std::move(now.error());
  const auto made = find(**now, name.function, version);
  if (!made) return faults::not_found("Function not found: " + name.function);
  return description(**now, *made, version);
}

aws::Outcome LambdaApi::list_versions_by_function(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const Named name = named(call);
  auto found = require(*stack, {name.function, ""});
  if (!found) return std::move(found.error());
  Value all = Value::list({description(*stack, *found, "$LATEST")});
  if (found->value.publish) all.push_back(description(*stack, *found, "1"));
  for (const auto& version : versions_of(*stack, name.function)) {
    if (found->value.publish && version.value.version == 1) continue;
    all.push_back(description(*stack, version, std::to_string(version.value.version)));
  }
  return Value::structure({{"Versions", std::move(all)}});
}

// --- aliases --------------------------------------------------------------------------------------------------------

Value LambdaApi::alias_description(const stack::Found<AliasResource>& found) const {
  Value made = Value::structure({{"AliasArn", found.resource.attributes["arn"].to_text().value_or("")},
                                 {"Name", found.value.name},
                                 {"FunctionVersion", found.value.function_version},
                                 {"Description", found.value.description},
                                 {"RevisionId", revision_of(found.resource)}});
  if (found.value.routing && !found.value.routing->weights.empty()) {
    Value weights = Value::structure();
    for (const auto& [version, share] : found.value.routing->weights) weights.set(version, share);
    made.set("RoutingConfig", Value::structure({{"AdditionalVersionWeights", std::move(weights)}}));
  }
  return made;
}

namespace {

void set_alias(const Value& input, stack::Value::Map& to) {
  if (const auto* version = input["FunctionVersion"].as_string()) to.insert_or_assign("function_version", *version);
  if (const auto* words = input["Description"].as_string()) to.insert_or_assign("description", *words);
  if (input["RoutingConfig"].is_null()) return;
  stack::Value::Map weights;
  for (const auto& [version, share] : input["RoutingConfig"]["AdditionalVersionWeights"].members()) {
    weights.emplace(version, share.number_or(0));
  }
  to.insert_or_assign("routing_config",
                      weights.empty() ? stack::Value()
                                      : stack::Value::list({stack::Value::map(
                                            {{"additional_version_weights", stack::Value(std::move(weights))}})}));
}

}  // namespace

// Every version that an alias would lead to is there.
std::optional<Fault> LambdaApi::missing_version(const stack::Stack& stack, const std::string& function,
                                                const stack::Value::Map& alias) {
  std::vector<std::string> versions;
  if (const auto found = alias.find("function_version"); found != alias.end()) {
    versions.push_back(found->second.to_text().value_or(""));
  }
  if (const auto found = alias.find("routing_config"); found != alias.end() && found->second.size() > 0) {
    for (const auto& [version, share] : found->second.elements()[0]["additional_version_weights"].members()) {
      versions.push_back(version);
    }
  }
  for (const auto& version : versions) {
    if (!find(stack, function, version)) {
      return faults::not_found(
          fmt::format("Function not found: {}function:{}:{}", arn_prefix(stack), function, version));
    }
  }
  return std::nullopt;
}

aws::Outcome LambdaApi::create_alias(const aws::Call& call) {
  Named name = named(call);
  name.qualifier = text_of(call.input["Name"]);
  stack::Value::Map attributes{{"name", name.qualifier}, {"function_name", name.function}};
  set_alias(call.input, attributes);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto found = require(current, {name.function, ""});
    if (!found) return std::move(found.error());
    if (alias_of(current, name)) {
      return faults::conflict(fmt::format("Alias already exists: {}function:{}", arn_prefix(current), name.whole()));
    }
    if (name.qualifier.find_first_not_of("0123456789") == std::string::npos) {
      return faults::invalid("An alias is no number: that is a version");
    }
    if (auto missing = missing_version(current, name.function, attributes)) return *std::move(missing);
    return Edits{stack::create("aws_lambda_alias", name.whole(), attributes)};
  });
  if (!now) return std::move(now.error());
  return alias_description(*alias_of(**now, name));
}

aws::Outcome LambdaApi::get_alias(const aws::Call& call) {
  Named name = named(call);
  name.qualifier = text_of(call.input["Name"]);
  const auto stack = doors_.changes.current();
  const auto found = alias_of(*stack, name);
  if (!found)
    return faults::not_found(fmt::format("Cannot find alias arn: {}function:{}", arn_prefix(*stack), name.whole()));
  return alias_description(*found);
}

aws::Outcome LambdaApi::list_aliases(const aws::Call& call) {
  const Named name = named(call);
  const auto stack = doors_.changes.current();
  auto function = require(*stack, {name.function, ""});
  if (!function) return std::move(function.error());
  const std::string version = text_of(call.input["FunctionVersion"]);
  Value all = Value::list();
  for (const auto& found : stack->all<AliasResource>("aws_lambda_alias")) {
    if (name_of(found.value.function_name) != name.function) continue;
    if (version.empty() || found.value.function_version == version) all.push_back(alias_description(found));
  }
  return Value::structure({{"Aliases", std::move(all)}});
}

aws::Outcome LambdaApi::update_alias(const aws::Call& call) {
  Named name = named(call);
  name.qualifier = text_of(call.input["Name"]);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    const auto found = alias_of(current, name);
    if (!found)
      return faults::not_found(fmt::format("Alias not found: {}function:{}", arn_prefix(current), name.whole()));
    const std::string revision = text_of(call.input["RevisionId"]);
    if (!revision.empty() && revision != revision_of(found->resource)) return faults::precondition();
    stack::Value::Map set;
    set_alias(call.input, set);
    if (auto missing = missing_version(current, name.function, set)) return *std::move(missing);
    return Edits{stack::update(found->resource.address, std::move(set))};
  });
  if (!now) return std::move(now.error());
  return alias_description(*alias_of(**now, name));
}

aws::Outcome LambdaApi::delete_alias(const aws::Call& call) {
  Named name = named(call);
  name.qualifier = text_of(call.input["Name"]);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    const auto found = alias_of(current, name);
    if (!found) return Edits{};  // as Lambda: deleting what is not there succeeds
    Edits edits{stack::remove(found->resource.address)};
    for (const auto& warm : current.all<ProvisionedResource>("aws_lambda_provisioned_concurrency_config")) {
      if (name_of(warm.value.function_name) == name.function && warm.value.qualifier == name.qualifier) {
        edits.push_back(stack::remove(warm.resource.address));
      }
    }
    return edits;
  });
  if (!now) return std::move(now.error());
  return Value::structure();
}

}  // namespace securebase::functions
