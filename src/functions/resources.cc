#include "functions/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "functions/functions.h"
#include "stack/declare.h"

namespace securebase::functions {

namespace {

using stack::Context;

std::string function_arn(const FunctionResource& f, const Context& c) {
  return c.arn("lambda", "function:" + f.function_name);
}

constexpr std::size_t kEnvironmentBytes = 4096;

std::size_t environment_bytes(const std::map<std::string, std::string>& environment) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : environment) bytes += name.size() + value.size();
  return bytes;
}

std::string version_of(const FunctionResource& f) { return f.publish ? "1" : "$LATEST"; }

std::string invoke_arn(const std::string& arn, const Context& c) {
  return fmt::format("arn:{}:apigateway:{}:lambda:path/2015-03-31/functions/{}/invocations", c.partition, c.region,
                     arn);
}

std::string alias_arn(const AliasResource& a, const Context& c) {
  return c.arn("lambda", fmt::format("function:{}:{}", name_of(a.function_name), a.name));
}

// What a function and a published version of it have in common.
stack::Block<FunctionResource> function_block(std::string type, std::string sentence) {
  static const auto environment =
      stack::block<Environment>("environment", "What the function finds in its environment.")
          .attribute("variables", &Environment::variables, {}, "Names and values.")
          .sensitive()
          .effect("starts new instances of the function");
  static const auto tracing = stack::block<Tracing>("tracing_config", "X-Ray.")
                                  .attribute("mode", &Tracing::mode, "PassThrough",
                                             stack::matches("Active|PassThrough"), "Whether traces begin here.");
  static const auto ephemeral =
      stack::block<Ephemeral>("ephemeral_storage", "/tmp.")
          .attribute("size", &Ephemeral::size, 512, stack::between(512, 10'240), "Its size, in MB.");
  auto made = stack::resource<FunctionResource>(std::move(type), "functions", std::move(sentence));
  made.attribute("function_name", &FunctionResource::function_name, "", stack::matches("[a-zA-Z0-9_-]{0,64}"),
                 "Its name.")
      .replaces()
      .provider_requires()
      .attribute("runtime", &FunctionResource::runtime, "", "What runs the code: python3.11 or provided.")
      .effect("starts new instances of the function")
      .attribute("handler", &FunctionResource::handler, "", "module.function, for Python.")
      .effect("starts new instances of the function")
      .attribute("filename", &FunctionResource::filename, std::nullopt, "Its code: a zip, or here also a directory.")
      .effect("starts new instances of the function")
      .attribute("s3_bucket", &FunctionResource::s3_bucket, std::nullopt, "Where a zip lies in S3.")
      .attribute("image_uri", &FunctionResource::image_uri, std::nullopt, "A container image.")
      .attribute("source_code_hash", &FunctionResource::source_code_hash, std::nullopt,
                 "What makes Terraform see that the code changed.")
      .effect("starts new instances of the function")
      .attribute("memory_size", &FunctionResource::memory_size, 128, stack::between(128, 10'240),
                 "Memory in MB; CPU comes in proportion, one whole at 1769 MB.")
      .effect("starts new instances of the function")
      .attribute("timeout", &FunctionResource::timeout, 3, stack::between(1, 900), "Seconds that a call may take.")
      .attribute("reserved_concurrent_executions", &FunctionResource::reserved, -1, stack::at_least(-1),
                 "Calls at a time, kept for it and never exceeded; -1 is no limit of its own.")
      .attribute("publish", &FunctionResource::publish, false, "Whether the code gets a version number.")
      .attribute("layers", &FunctionResource::layers, {}, stack::any(), "ARNs of layers, unpacked into /opt in order.")
      .effect("starts new instances of the function")
      .attribute("role", &FunctionResource::role, "", "The role that it calls AWS APIs with; kept, not enforced.")
      .attribute("description", &FunctionResource::description, "", "A sentence about it.")
      .attribute("last_modified", &FunctionResource::last_modified, "1970-01-01T00:00:00.000+0000",
                 "When an API call last changed it; files have no time.")
      .nested(environment, &FunctionResource::environment, "Its environment.")
      .nested(tracing, &FunctionResource::tracing, "Tracing.")
      .nested(ephemeral, &FunctionResource::ephemeral, "Temporary files.")
      .known("architectures", "code runs on this machine's architecture")
      .known("vpc_config", "one machine has one network")
      .known("package_type")
      .known("kms_key_arn")
      .known("dead_letter_config", "events that are given up are counted and logged")
      .known("snap_start", "instances are started from their package")
      .known("logging_config")
      .known("image_config")
      .known("file_system_config")
      .known("s3_key")
      .known("s3_object_version")
      .computed("arn", function_arn);
  return made;
}

const auto& function_declaration() {
  static const auto made =
      function_block("aws_lambda_function", "Code that runs when it is called.")
          .attribute("tags", &FunctionResource::tags, {}, "Labels.")
          .computed("invoke_arn",
                    [](const FunctionResource& f, const Context& c) { return invoke_arn(function_arn(f, c), c); })
          .computed("version", version_of)
          .computed("qualified_arn", [](const FunctionResource& f,
                                        const Context& c) { return function_arn(f, c) + ":" + version_of(f); })
          .computed("qualified_invoke_arn",
                    [](const FunctionResource& f, const Context& c) {
                      return invoke_arn(function_arn(f, c) + ":" + version_of(f), c);
                    })
          .computed("id", [](const FunctionResource& f) { return f.function_name; });
  return made;
}

// Made by the API only (PublishVersion): Terraform has no type for it.
const auto& version_declaration() {
  static const auto made =
      function_block(std::string(kVersionType), "A published version: what the function was when it was published.")
          .attribute("version", &FunctionResource::version, 1, stack::at_least(1), "Its number.")
          .computed("id", [](const FunctionResource& f) { return fmt::format("{}:{}", f.function_name, f.version); });
  return made;
}

const auto& alias_declaration() {
  static const auto routing =
      stack::block<Routing>("routing_config", "Shares of the calls for other versions.")
          .attribute("additional_version_weights", &Routing::weights, {}, stack::between(0.0, 1.0),
                     "By version, the share of the calls that go there.");
  static const auto made =
      stack::resource<AliasResource>("aws_lambda_alias", "functions", "Another name for a version of a function.")
          .required("name", &AliasResource::name, stack::matches("[a-zA-Z0-9_-]{1,128}"), "The alias.")
          .replaces()
          .required("function_name", &AliasResource::function_name, "The function's name or ARN.")
          .replaces()
          .required("function_version", &AliasResource::function_version, "$LATEST or a version's number.")
          .attribute("description", &AliasResource::description, "", "A sentence about it.")
          .nested(routing, &AliasResource::routing, "A second version for some of the calls.")
          .computed("arn", alias_arn)
          .computed("id", alias_arn)
          .computed("invoke_arn",
                    [](const AliasResource& a, const Context& c) { return invoke_arn(alias_arn(a, c), c); });
  return made;
}

const auto& layer_declaration() {
  static const auto arn = [](const LayerResource& l, const Context& c) {
    return c.arn("lambda", "layer:" + l.layer_name);
  };
  static const auto made =
      stack::resource<LayerResource>("aws_lambda_layer_version", "functions", "Files that functions share, in /opt.")
          .required("layer_name", &LayerResource::layer_name, stack::matches("[a-zA-Z0-9_-]{1,140}"), "Its name.")
          .replaces()
          .attribute("filename", &LayerResource::filename, std::nullopt, "A zip, or here also a directory.")
          .effect("starts new instances of the functions that use it")
          .attribute("version", &LayerResource::version, 1, stack::at_least(1), "Its number; the API counts it up.")
          .attribute("description", &LayerResource::description, "", "A sentence about it.")
          .attribute("license_info", &LayerResource::license_info, "", "Its license.")
          .attribute("compatible_runtimes", &LayerResource::compatible_runtimes, {}, stack::any(),
                     "Runtimes it is meant for; kept, not enforced.")
          .attribute("created_date", &LayerResource::created_date, "1970-01-01T00:00:00.000+0000",
                     "When an API call published it; files have no time.")
          .known("source_code_hash")
          .known("compatible_architectures")
          .known("skip_destroy")
          .computed("arn",
                    [](const LayerResource& l, const Context& c) { return fmt::format("{}:{}", arn(l, c), l.version); })
          .computed("layer_arn", arn)
          .computed("id", [](const LayerResource& l, const Context& c) {
            return fmt::format("{}:{}", arn(l, c), l.version);
          });
  return made;
}

const auto& provisioned_declaration() {
  static const auto made =
      stack::resource<ProvisionedResource>("aws_lambda_provisioned_concurrency_config", "functions",
                                           "Instances that are kept warm.")
          .required("function_name", &ProvisionedResource::function_name, "The function's name or ARN.")
          .required("qualifier", &ProvisionedResource::qualifier, "The alias or version.")
          .required("provisioned_concurrent_executions", &ProvisionedResource::executions, stack::between(1, 1000),
                    "How many.")
          .effect("starts or stops warm instances")
          .known("skip_destroy")
          .computed("id", [](const ProvisionedResource& p) { return p.function_name + "," + p.qualifier; });
  return made;
}

const auto& permission_declaration() {
  static const auto made =
      stack::resource<PermissionResource>("aws_lambda_permission", "functions",
                                          "Who may call a function; here the gateway of the same stack always may.")
          .required("function_name", &PermissionResource::function_name, "The function's name or ARN.")
          .required("action", &PermissionResource::action, "lambda:InvokeFunction.")
          .required("principal", &PermissionResource::principal, "The service or account.")
          .attribute("statement_id", &PermissionResource::statement_id, std::nullopt, "Its name in the policy.")
          .known("statement_id_prefix")
          .attribute("source_arn", &PermissionResource::source_arn, "", "On whose behalf; kept, not enforced.")
          .attribute("source_account", &PermissionResource::source_account, "", "Of which account; kept, not enforced.")
          .attribute("qualifier", &PermissionResource::qualifier, "", "The alias or version it is about.")
          .known("event_source_token")
          .known("principal_org_id")
          .known("function_url_auth_type", "functions have no URLs here")
          .computed("id", [](const PermissionResource& p, const Context& c) {
            return p.statement_id.value_or("terraform-" + c.id(26, "0123456789"));
          });
  return made;
}

const auto& event_invoke_declaration() {
  static const auto made =
      stack::resource<EventInvokeResource>("aws_lambda_function_event_invoke_config", "functions",
                                           "How asynchronous calls are retried.")
          .required("function_name", &EventInvokeResource::function_name, "The function's name or ARN.")
          .attribute("qualifier", &EventInvokeResource::qualifier, "", "The alias or version it is about.")
          .attribute("maximum_event_age_in_seconds", &EventInvokeResource::age, 21'600, stack::between(60, 21'600),
                     "An event that waits longer is dropped.")
          .attribute("maximum_retry_attempts", &EventInvokeResource::retries, 2, stack::between(0, 2),
                     "How often a call that ended in an error is made again.")
          .known("destination_config", "what becomes of an event is counted and logged")
          .computed("id", [](const EventInvokeResource& e) {
            return e.qualifier.empty() ? e.function_name : e.function_name + ":" + e.qualifier;
          });
  return made;
}

class Reader {
 public:
  explicit Reader(const stack::Stack& stack) : stack_(stack) {}

  Result<std::shared_ptr<const Config>, stack::Diagnostics> read() {
    for (const auto& found : stack_.all<FunctionResource>("aws_lambda_function")) {
      const std::size_t problems_before = problems_.size();
      add_function(found, version_of(found.value));
      if (problems_.size() > problems_before) refused_.insert(found.value.function_name);
    }
    for (const auto& found : stack_.all<FunctionResource>(kVersionType)) add_version(found);
    for (const auto& found : stack_.all<AliasResource>("aws_lambda_alias")) add_alias(found);
    for (const auto& found : stack_.all<ProvisionedResource>("aws_lambda_provisioned_concurrency_config")) {
      add_provisioned(found);
    }
    for (const auto& found : stack_.all<EventInvokeResource>("aws_lambda_function_event_invoke_config")) {
      const std::string name = name_of(found.value.function_name);
      config_.event_invokes.insert_or_assign(
          found.value.qualifier.empty() ? name : name + ":" + found.value.qualifier,
          EventInvoke{std::chrono::seconds{found.value.age}, static_cast<unsigned>(found.value.retries)});
    }
    if (problems_.has_errors()) return std::move(problems_);
    return std::make_shared<const Config>(std::move(config_));
  }

 private:
  // As Terraform: relative to the root module's directory.
  std::filesystem::path path_of(const std::string& written) const {
    const std::filesystem::path path(written);
    return path.is_absolute() ? path : (stack_.directory / path).lexically_normal();
  }

  FunctionConfig* find(const std::string& name, const std::string& version) {
    const auto found = std::find_if(config_.functions.begin(), config_.functions.end(),
                                    [&](const auto& one) { return one.name == name && one.version == version; });
    return found == config_.functions.end() ? nullptr : &*found;
  }

  // What stands for $LATEST; null, and said, when there is no such function. What the API made goes with its function,
  // as in Lambda, so there it is left out.
  FunctionConfig* function(const stack::Resource& from, const std::string& name) {
    if (auto* latest = find(name, "$LATEST")) return latest;
    for (const auto& alias : config_.qualifiers) {
      if (alias.function == name && alias.name == "$LATEST") return find(name, alias.version);
    }
    if (from.origin == stack::Resource::Origin::kApi || refused_.contains(name)) return nullptr;
    problems_.error("Missing function",
                    fmt::format("{} is about the function \"{}\", which this stack does not have.", from.address, name),
                    from.range());
    return nullptr;
  }

  void add_version(const stack::Found<FunctionResource>& found) {
    const auto* latest = function(found.resource, found.value.function_name);
    const auto number = std::to_string(found.value.version);
    // What the files publish counts more than what was once kept of it.
    if (!latest || find(latest->name, number)) return;
    const auto reserved = latest->reserved;
    add_function(found, number);
    if (auto* made = find(found.value.function_name, number)) made->reserved = reserved;
  }

  void add_alias(const stack::Found<AliasResource>& found) {
    const std::string name = name_of(found.value.function_name);
    if (!function(found.resource, name)) return;
    Qualifier made{name, found.value.name, found.value.function_version, {}};
    if (found.value.routing) {
      for (const auto& [version, share] : found.value.routing->weights) made.shares.emplace_back(version, share);
    }
    config_.qualifiers.push_back(std::move(made));
  }

  void add_provisioned(const stack::Found<ProvisionedResource>& found) {
    const std::string name = name_of(found.value.function_name);
    auto* one = function(found.resource, name);
    if (!one) return;
    std::string version = found.value.qualifier;
    for (const auto& alias : config_.qualifiers) {
      if (alias.function == name && alias.name == found.value.qualifier) version = alias.version;
    }
    // The files may name a version that is not there: it is the function itself that they mean.
    if (auto* meant = find(name, version)) one = meant;
    one->provisioned = std::max(one->provisioned, static_cast<std::size_t>(found.value.executions));
  }

  void add_function(const stack::Found<FunctionResource>& found, std::string version) {
    const FunctionResource& wanted = found.value;
    const auto& range = found.resource.range();
    if (wanted.s3_bucket || wanted.image_uri) {
      problems_.error("Unsupported code",
                      fmt::format("{} takes its code from {}. Here code is a zip or a directory: set filename.",
                                  found.resource.address, wanted.s3_bucket ? "S3" : "a container image"),
                      range);
      return;
    }
    // Blocks of documentation leave out name or code; there is nothing to run then.
    if (wanted.function_name.empty() || !wanted.filename) return;

    FunctionConfig made;
    made.name = wanted.function_name;
    made.arn = found.resource.attributes["arn"].to_text().value_or("");
    made.version = std::move(version);
    made.runtime_name = wanted.runtime;
    if (wanted.runtime == "python3.11") {
      made.runtime = Runtime::kPython311;
    } else if (wanted.runtime == "provided" || wanted.runtime == "provided.al2" ||
               wanted.runtime == "provided.al2023") {
      made.runtime = Runtime::kProvided;
    } else {
      problems_.error(
          "Unsupported runtime",
          fmt::format("{} wants the runtime \"{}\". There are: {}.", found.resource.address, wanted.runtime, kRuntimes),
          range);
      return;
    }
    made.handler = wanted.handler;
    if (made.runtime == Runtime::kPython311 && made.handler.find('.') == std::string::npos) {
      problems_.error(
          "Invalid handler",
          fmt::format("The handler of {} is \"{}\"; expected module.function.", found.resource.address, made.handler),
          range);
    }
    made.code = path_of(*wanted.filename);
    made.layers = layers_of(found.resource, wanted.layers);
    made.timeout = std::chrono::seconds{wanted.timeout};
    made.memory_mb = static_cast<std::size_t>(wanted.memory_size);
    if (wanted.ephemeral) made.ephemeral_mb = static_cast<std::size_t>(wanted.ephemeral->size);
    if (wanted.reserved >= 0) made.reserved = static_cast<std::size_t>(wanted.reserved);
    made.traced = wanted.tracing && wanted.tracing->mode == "Active";
    if (wanted.environment) made.environment = wanted.environment->variables;
    if (const auto bytes = environment_bytes(made.environment); bytes > kEnvironmentBytes) {
      problems_.error("Too large an environment",
                      fmt::format("The variables of {} have {} bytes, names included; Lambda takes {}.",
                                  found.resource.address, bytes, kEnvironmentBytes),
                      range);
    }

    const auto same_name = [&](const FunctionConfig& one) { return one.name == made.name; };
    if (found.resource.type != kVersionType &&
        std::any_of(config_.functions.begin(), config_.functions.end(), same_name)) {
      problems_.error("Duplicate function", fmt::format("A second function is called \"{}\".", made.name), range);
      return;
    }
    if (wanted.publish) config_.qualifiers.push_back({made.name, "$LATEST", made.version, {}});
    config_.functions.push_back(std::move(made));
  }

  std::vector<Layer> layers_of(const stack::Resource& from, const std::vector<std::string>& arns) {
    std::vector<Layer> layers;
    for (const auto& arn : arns) {
      const auto all = stack_.all<LayerResource>("aws_lambda_layer_version");
      const auto found = std::find_if(all.begin(), all.end(),
                                      [&](const auto& one) { return one.resource.attributes["arn"].to_text() == arn; });
      if (found == all.end() || !found->value.filename) {
        problems_.error(
            "Missing layer",
            fmt::format("{} uses the layer {}, which no aws_lambda_layer_version with a filename of this stack "
                        "makes.",
                        from.address, arn),
            from.range());
        continue;
      }
      layers.push_back({arn, path_of(*found->value.filename)});
    }
    return layers;
  }

  const stack::Stack& stack_;
  Config config_;
  stack::Diagnostics problems_;
  std::set<std::string> refused_;  // functions of the files that are wrong themselves, which was said
};

}  // namespace

std::string name_of(std::string_view name_or_arn) {
  const auto at = name_or_arn.find(":function:");
  if (at == std::string_view::npos) return std::string(name_or_arn);
  name_or_arn.remove_prefix(at + 10);
  return std::string(name_or_arn.substr(0, name_or_arn.find(':')));
}

void declare(stack::Catalogue& catalogue) {
  catalogue.add(function_declaration());
  catalogue.add(version_declaration());
  catalogue.add(alias_declaration());
  catalogue.add(layer_declaration());
  catalogue.add(provisioned_declaration());
  catalogue.add(permission_declaration());
  catalogue.add(event_invoke_declaration());
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  return Reader(stack).read();
}

}  // namespace securebase::functions
