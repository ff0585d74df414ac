// Functions: made, told, changed, removed.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/file.h"
#include "functions/api/lambda_api.h"
#include "functions/code_links.h"

namespace securebase::functions {

namespace {

using aws::Fault;
using aws::Value;
using Attributes = stack::Value::Map;

constexpr std::size_t kZipBytes = 50 << 20;  // Lambda's quota of a zip in a request

std::optional<Fault> wrong_kind(const Value& input) {
  if (const auto type = input["PackageType"].string_or("Zip"); type != "Zip") {
    return faults::invalid(fmt::format("PackageType {}: code is a zip here; container images are not run", type));
  }
  for (const auto& one : input["Architectures"].elements()) {
    if (one.string_or("") != "x86_64") {
      return faults::invalid(
          fmt::format("Architectures {}: functions run on this machine, which is x86_64", one.string_or("")));
    }
  }
  if (const auto* runtime = input["Runtime"].as_string();
      runtime && (", " + std::string(kRuntimes) + ",").find(", " + *runtime + ",") == std::string::npos) {
    return faults::invalid(
        fmt::format("Value {} at 'runtime' failed to satisfy constraint: Member must satisfy enum "
                    "value set: [{}]",
                    *runtime, kRuntimes));
  }
  return std::nullopt;
}

stack::Value list_of(const Value& values) {
  stack::Value::List all;
  for (const auto& one : values.elements()) all.emplace_back(text_of(one));
  return all;
}

stack::Value map_of(const Value& values) {
  stack::Value::Map all;
  for (const auto& [name, value] : values.members()) all.emplace(name, text_of(value));
  return all;
}

// What CreateFunction and UpdateFunctionConfiguration both set, where it is given.
void set_configuration(const Value& input, Attributes& to) {
  const auto text = [&](const char* member, const char* attribute) {
    if (const auto* value = input[member].as_string()) to.insert_or_assign(attribute, *value);
  };
  text("Role", "role");
  text("Handler", "handler");
  text("Description", "description");
  text("Runtime", "runtime");
  if (input["Timeout"].is_integer()) to.insert_or_assign("timeout", input["Timeout"].integer_or(3));
  if (input["MemorySize"].is_integer()) to.insert_or_assign("memory_size", input["MemorySize"].integer_or(128));
  if (input["Layers"].is_list()) to.insert_or_assign("layers", list_of(input["Layers"]));
  const auto block = [&to](const char* attribute, stack::Value::Map members) {
    to.insert_or_assign(attribute, stack::Value::list({stack::Value(std::move(members))}));
  };
  if (!input["Environment"].is_null()) block("environment", {{"variables", map_of(input["Environment"]["Variables"])}});
  if (const auto* mode = input["TracingConfig"]["Mode"].as_string()) block("tracing_config", {{"mode", *mode}});
  if (input["EphemeralStorage"]["Size"].is_integer()) {
    block("ephemeral_storage", {{"size", input["EphemeralStorage"]["Size"].integer_or(512)}});
  }
}

std::uint64_t bytes_of(const std::filesystem::path& code) {
  std::error_code failure;
  if (!std::filesystem::is_directory(code, failure)) {
    const auto size = std::filesystem::file_size(code, failure);
    return failure ? 0 : size;
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(code, failure)) {
    if (entry.is_regular_file(failure)) bytes += entry.file_size(failure);
  }
  return bytes;
}

}  // namespace

Result<CodeStore::Pin, Fault> LambdaApi::code_from(const Value& code) {
  std::string from_s3;
  std::string_view zip;
  if (const auto* bytes = code["ZipFile"].as_blob()) {
    zip = bytes->bytes;
  } else if (const auto* bucket = code["S3Bucket"].as_string()) {
    if (!doors_.fetch_object) return faults::invalid("Code in S3 cannot be read here; send it as ZipFile");
    auto fetched = doors_.fetch_object(*bucket, text_of(code["S3Key"]));
    if (!fetched) {
      return faults::invalid(fmt::format(
          "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: {}", fetched.error().message));
    }
    from_s3 = std::move(*fetched);
    zip = from_s3;
  } else if (!code["ImageUri"].is_null()) {
    return faults::invalid("ImageUri: code is a zip here; container images are not run");
  } else {
    return faults::invalid("Please provide a source for function code: ZipFile, or S3Bucket and S3Key.");
  }
  if (zip.empty()) return faults::invalid("Uploaded file must be a non-empty zip");
  if (from_s3.empty() && zip.size() > kZipBytes) {
    return Fault{
        "RequestEntityTooLargeException",
        fmt::format("The zip has {} bytes; at most {} travel in a request, more through S3", zip.size(), kZipBytes),
        413,
        {}};
  }
  if (!zip.starts_with("PK")) {
    return faults::invalid("Could not unzip uploaded file. Please check your file, then try to upload again.");
  }
  auto kept = doors_.functions.code().put(zip);
  if (!kept) return Fault{"ServiceException", kept.error().message, 500, {}};
  return std::move(*kept);
}

Value LambdaApi::description(const stack::Stack& stack, const FoundFunction& found, std::string_view qualifier) const {
  const FunctionResource& f = found.value;
  const bool is_version = found.resource.type == kVersionType;
  const std::string version = is_version ? std::to_string(f.version) : "$LATEST";
  const std::string digest = doors_.functions.code_digest(f.function_name, version).value_or("");
  std::string arn = fmt::format("{}function:{}", arn_prefix(stack), f.function_name);
  if (!qualifier.empty()) arn += fmt::format(":{}", qualifier);
  Value made = Value::structure(
      {{"FunctionName", f.function_name},
       {"FunctionArn", arn},
       {"Runtime", f.runtime},
       {"Role", f.role},
       {"Handler", f.handler},
       {"CodeSize", f.filename ? bytes_of(place_of(stack, *f.filename)) : 0},
       {"Description", f.description},
       {"Timeout", f.timeout},
       {"MemorySize", f.memory_size},
       {"LastModified", f.last_modified},
       {"CodeSha256", base::base64(digest)},
       {"Version", !is_version && f.publish && qualifier == "1" ? "1" : version},
       {"TracingConfig", Value::structure({{"Mode", f.tracing ? f.tracing->mode : "PassThrough"}})},
       {"RevisionId", revision_of(found.resource)},
       {"State", "Active"},
       {"LastUpdateStatus", "Successful"},
       {"PackageType", "Zip"},
       {"Architectures", Value::list({"x86_64"})},
       {"EphemeralStorage", Value::structure({{"Size", f.ephemeral ? f.ephemeral->size : 512}})},
       {"LoggingConfig", Value::structure({{"LogFormat", "Text"}, {"LogGroup", "/aws/lambda/" + f.function_name}})}});
  if (f.environment && !f.environment->variables.empty()) {
    Value variables = Value::structure();
    for (const auto& [name, value] : f.environment->variables) variables.set(name, value);
    made.set("Environment", Value::structure({{"Variables", std::move(variables)}}));
  }
  Value layers = Value::list();
  for (const auto& layer : f.layers) {
    Value one = Value::structure({{"Arn", layer}});
    for (const auto& known : stack.all<LayerResource>("aws_lambda_layer_version")) {
      if (known.resource.attributes["arn"].to_text() == layer && known.value.filename) {
        one.set("CodeSize", bytes_of(place_of(stack, *known.value.filename)));
      }
    }
    layers.push_back(std::move(one));
  }
  if (!f.layers.empty()) made.set("Layers", std::move(layers));
  return made;
}

aws::Outcome LambdaApi::create_function(const aws::Call& call) {
  const Value& in = call.input;
  if (auto wrong = wrong_kind(in)) return *std::move(wrong);
  if (in["Runtime"].is_null())
    return faults::invalid("Runtime is mandatory for functions created with deployment packages.");
  auto code = code_from(in["Code"]);
  if (!code) return std::move(code.error());
  const Named name = named(call);
  Attributes attributes{
      {"function_name", name.function}, {"filename", code->file().native()}, {"last_modified", lambda_time(call.now)}};
  set_configuration(in, attributes);
  if (!in["Tags"].is_null()) attributes.insert_or_assign("tags", map_of(in["Tags"]));
  const bool publish = in["Publish"].bool_or(false);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    if (find(current, name.function)) return faults::conflict("Function already exist: " + name.function);
    Edits edits{stack::create("aws_lambda_function", name.function, attributes)};
    if (publish) {
      auto version = version_attributes(attributes, 1, text_of(in["Description"]));
      edits.push_back(stack::create(std::string(kVersionType), name.function + ":1", std::move(version)));
    }
    return edits;
  });
  if (!now) return std::move(now.error());
  const auto made = find(**now, name.function, publish ? "1" : "$LATEST");
  if (!made) return Fault{"ServiceException", "The function is not there", 500, {}};
  return description(**now, *made, publish ? "1" : "");
}

aws::Outcome LambdaApi::get_function(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const Named name = named(call);
  auto found = require(*stack, name);
  if (!found) return std::move(found.error());
  Value code = Value::structure({{"RepositoryType", "S3"}});
  const auto version = version_of(*stack, name).value_or("$LATEST");
  if (doors_.links && function_zip(*stack, name.function, version)) {
    code.set("Location", doors_.links->link(CodeLinks::Kind::kFunction, name.function, version));
  }
  Value made =
      Value::structure({{"Configuration", description(*stack, *found, name.qualifier)}, {"Code", std::move(code)}});
  Value tags = Value::structure();
  for (const auto& [key, value] : found->value.tags) tags.set(key, value);
  if (!found->value.tags.empty()) made.set("Tags", std::move(tags));
  if (found->value.reserved >= 0) {
    made.set("Concurrency", Value::structure({{"ReservedConcurrentExecutions", found->value.reserved}}));
  }
  return made;
}

aws::Outcome LambdaApi::get_function_configuration(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const Named name = named(call);
  auto found = require(*stack, name);
  if (!found) return std::move(found.error());
  return description(*stack, *found, name.qualifier);
}

aws::Outcome LambdaApi::list_functions(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  Value all = Value::list();
  std::map<std::string_view, FoundFunction> functions;
  for (const auto& found : stack->all<FunctionResource>("aws_lambda_function")) {
    if (found.value.filename) functions.emplace(found.value.function_name, found);
  }
  const bool with_versions = call.input["FunctionVersion"].string_or("") == "ALL";
  for (const auto& [name, found] : functions) {
    all.push_back(description(*stack, found, with_versions ? "$LATEST" : ""));
    if (!with_versions) continue;
    if (found.value.publish) all.push_back(description(*stack, found, "1"));
    for (const auto& version : versions_of(*stack, found.value.function_name)) {
      all.push_back(description(*stack, version, std::to_string(version.value.version)));
    }
  }
  return Value::structure({{"Functions", std::move(all)}});
}

// Both updates: `set` are the attributes that change.
aws::Outcome LambdaApi::update(const aws::Call& call, const Attributes& set, bool publish, bool dry_run) {
  const Named name = named(call);
  const std::string revision = text_of(call.input["RevisionId"]);
  std::string version = "$LATEST";
  Pins pins;
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto found = require(current, {name.function, ""});
    if (!found) return std::move(found.error());
    if (!revision.empty() && revision != revision_of(found->resource)) return faults::precondition();
    if (dry_run) return Edits{};
    auto kept = keep_published(current, *found, pins);
    if (!kept) return std::move(kept.error());
    Edits edits = std::move(*kept);
    Attributes changes = set;
    changes.insert_or_assign("last_modified", lambda_time(call.now));
    if (found->value.publish) changes.insert_or_assign("publish", false);
    if (publish) {
      Attributes after = found->resource.body.as_value().members();
      for (const auto& [attribute, value] : changes) after.insert_or_assign(attribute, value);
      auto made = publishing(current, *found, std::move(after), edits, text_of(call.input["Description"]), pins);
      if (!made) return std::move(made.error());
      version = std::move(*made);
    }
    edits.push_back(stack::update(found->resource.address, std::move(changes)));
    return edits;
  });
  if (!now) return std::move(now.error());
  const auto after = find(**now, name.function, version);
  if (!after) return faults::not_found("Function not found: " + name.function);
  return description(**now, *after, version == "$LATEST" ? "" : version);
}

aws::Outcome LambdaApi::update_function_code(const aws::Call& call) {
  if (auto wrong = wrong_kind(call.input)) return *std::move(wrong);
  auto code = code_from(call.input);
  if (!code) return std::move(code.error());
  return update(call, {{"filename", code->file().native()}, {"source_code_hash", nullptr}},
                call.input["Publish"].bool_or(false), call.input["DryRun"].bool_or(false));
}

aws::Outcome LambdaApi::update_function_configuration(const aws::Call& call) {
  if (auto wrong = wrong_kind(call.input)) return *std::move(wrong);
  Attributes set;
  set_configuration(call.input, set);
  return update(call, set, false, false);
}

// With the function goes all that is about it; a version goes alone.
aws::Outcome LambdaApi::delete_function(const aws::Call& call) {
  const Named name = named(call);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto found = require(current, name);
    if (!found) return std::move(found.error());
    if (!name.qualifier.empty()) return without_version(current, name);
    Edits edits;
    for (const auto& resource : current.resources) {
      if (resource.mode != stack::Declaration::Mode::kResource || !resource.type.starts_with("aws_lambda_")) {
        if (resource.type != kVersionType) continue;
      }
      const auto about = resource.attributes["function_name"].to_text();
      if (about && name_of(*about) == name.function) edits.push_back(stack::remove(resource.address));
    }
    return edits;
  });
  if (!now) return std::move(now.error());
  return Value::structure();
}

Result<LambdaApi::Edits, Fault> LambdaApi::without_version(const stack::Stack& stack, const Named& name) {
  if (name.qualifier == "$LATEST")
    return faults::invalid("$LATEST version cannot be deleted without deleting the function.");
  const auto found = find(stack, name.function, name.qualifier);
  if (!found) return faults::invalid("Deletion of aliases is not currently supported.");  // DeleteAlias does that
  if (found->resource.type != kVersionType) {
    return faults::conflict(
        fmt::format("Version {} is published by the files (publish = true); change them", name.qualifier));
  }
  for (const auto& alias : stack.all<AliasResource>("aws_lambda_alias")) {
    const bool uses = alias.value.function_version == name.qualifier ||
                      (alias.value.routing && alias.value.routing->weights.contains(name.qualifier));
    if (name_of(alias.value.function_name) == name.function && uses) {
      return faults::conflict(fmt::format("Function version {} can not be deleted: the alias {} points to it.",
                                          name.qualifier, alias.value.name));
    }
  }
  return Edits{stack::remove(found->resource.address)};
}

}  // namespace securebase::functions
