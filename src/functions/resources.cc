// The Terraform types of Lambda.
#include <fmt/format.h>

#include <algorithm>

#include "functions/functions.h"
#include "stack/declare.h"

namespace securebase::functions {

namespace {

using stack::Context;

constexpr std::string_view kRuntimes = "python3.11, provided, provided.al2, provided.al2023";

struct Environment {
  std::map<std::string, std::string> variables;
};

struct Tracing {
  std::string mode;
};

struct Ephemeral {
  std::int64_t size = 512;
};

struct FunctionResource {
  std::string function_name;
  std::string runtime;
  std::string handler;
  std::optional<std::string> filename;
  std::optional<std::string> s3_bucket;
  std::optional<std::string> image_uri;
  std::int64_t memory_size = 128;
  std::int64_t timeout = 3;
  std::int64_t reserved = -1;
  bool publish = false;
  std::vector<std::string> layers;
  std::optional<std::string> source_code_hash;
  std::optional<Environment> environment;
  std::optional<Tracing> tracing;
  std::optional<Ephemeral> ephemeral;
  std::map<std::string, std::string> tags;
};

struct AliasResource {
  std::string name;
  std::string function_name;
  std::string function_version;
};

struct LayerResource {
  std::string layer_name;
  std::optional<std::string> filename;
};

struct ProvisionedResource {
  std::string function_name;
  std::string qualifier;
  std::int64_t executions = 1;
};

std::string function_arn(const FunctionResource& f, const Context& c) {
  return c.arn("lambda", "function:" + f.function_name);
}

std::string version_of(const FunctionResource& f) { return f.publish ? "1" : "$LATEST"; }

std::string invoke_arn(const std::string& arn, const Context& c) {
  return fmt::format("arn:{}:apigateway:{}:lambda:path/2015-03-31/functions/{}/invocations", c.partition, c.region,
                     arn);
}

// A function is referred to by its name or its ARN.
std::string name_of(std::string_view name_or_arn) {
  const auto at = name_or_arn.find(":function:");
  if (at == std::string_view::npos) return std::string(name_or_arn);
  name_or_arn.remove_prefix(at + 10);
  return std::string(name_or_arn.substr(0, name_or_arn.find(':')));
}

std::string alias_arn(const AliasResource& a, const Context& c) {
  return c.arn("lambda", fmt::format("function:{}:{}", name_of(a.function_name), a.name));
}

const auto& function_declaration() {
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
  static const auto made =
      stack::resource<FunctionResource>("aws_lambda_function", "functions", "Code that runs when it is called.")
          .attribute("function_name", &FunctionResource::function_name, "", stack::matches("[a-zA-Z0-9_-]{0,64}"),
                     "Its name.")
          .replaces()
          .provider_requires()
          .attribute("runtime", &FunctionResource::runtime, "", "What runs the code: python3.11 or provided.")
          .effect("starts new instances of the function")
          .attribute("handler", &FunctionResource::handler, "", "module.function, for Python.")
          .effect("starts new instances of the function")
          .attribute("filename", &FunctionResource::filename, std::nullopt,
                     "Its code: a zip, or here also a directory.")
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
          .attribute("layers", &FunctionResource::layers, {}, stack::any(),
                     "ARNs of layers, unpacked into /opt in order.")
          .effect("starts new instances of the function")
          .attribute("tags", &FunctionResource::tags, {}, "Labels.")
          .nested(environment, &FunctionResource::environment, "Its environment.")
          .nested(tracing, &FunctionResource::tracing, "Tracing.")
          .nested(ephemeral, &FunctionResource::ephemeral, "Temporary files.")
          .known("role", "functions call no AWS API with a role yet")
          .known("description")
          .known("architectures", "code runs on this machine's architecture")
          .known("vpc_config", "one machine has one network")
          .known("package_type")
          .known("kms_key_arn")
          .known("dead_letter_config", "there are no asynchronous calls yet")
          .known("snap_start", "instances are started from their package")
          .known("logging_config")
          .known("image_config")
          .known("file_system_config")
          .known("s3_key")
          .known("s3_object_version")
          .computed("arn", function_arn)
          .computed("invoke_arn",
                    [](const FunctionResource& f, const Context& c) { return invoke_arn(function_arn(f, c), c); })
          .computed("version", version_of)
          .computed("qualified_arn", [](const FunctionResource& f,
                                        const Context& c) { return function_arn(f, c) + ":" + version_of(f); })
          .computed("qualified_invoke_arn",
                    [](const FunctionResource& f, const Context& c) {
                      return invoke_arn(function_arn(f, c) + ":" + version_of(f), c);
                    })
          .computed("id", [](const FunctionResource& f) { return f.function_name; })
          .computed("last_modified", [](const FunctionResource&) { return "1970-01-01T00:00:00.000+0000"; });
  return made;
}

const auto& alias_declaration() {
  static const auto made =
      stack::resource<AliasResource>("aws_lambda_alias", "functions", "Another name for a version of a function.")
          .required("name", &AliasResource::name, stack::matches("[a-zA-Z0-9_-]{1,128}"), "The alias.")
          .replaces()
          .required("function_name", &AliasResource::function_name, "The function's name or ARN.")
          .replaces()
          .required("function_version", &AliasResource::function_version, "$LATEST or a version's number.")
          .known("description")
          .known("routing_config", "a function has one version here")
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
          .known("source_code_hash")
          .known("compatible_runtimes")
          .known("compatible_architectures")
          .known("description")
          .known("license_info")
          .known("skip_destroy")
          .computed("arn", [](const LayerResource& l, const Context& c) { return arn(l, c) + ":1"; })
          .computed("layer_arn", arn)
          .computed("id", [](const LayerResource& l, const Context& c) { return arn(l, c) + ":1"; })
          .computed("version", [](const LayerResource&) { return "1"; });
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

// Known, so that a misspelling in them is found, and that `plan` says why they change nothing here.
struct PermissionResource {
  std::string function_name;
  std::string action;
  std::string principal;
  std::optional<std::string> statement_id;
};

struct EventInvokeResource {
  std::string function_name;
};

const auto& permission_declaration() {
  static const auto made =
      stack::resource<PermissionResource>("aws_lambda_permission", "functions",
                                          "Who may call a function; here the gateway of the same stack always may.")
          .required("function_name", &PermissionResource::function_name, "The function's name or ARN.")
          .required("action", &PermissionResource::action, "lambda:InvokeFunction.")
          .required("principal", &PermissionResource::principal, "The service or account.")
          .attribute("statement_id", &PermissionResource::statement_id, std::nullopt, "Its name in the policy.")
          .known("statement_id_prefix")
          .known("source_arn", "the gateway of the same stack always may call")
          .known("source_account")
          .known("qualifier")
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
          .known("qualifier")
          .known("maximum_event_age_in_seconds", "there are no asynchronous calls yet")
          .known("maximum_retry_attempts", "there are no asynchronous calls yet")
          .known("destination_config", "there are no asynchronous calls yet")
          .computed("id", [](const EventInvokeResource& e) { return e.function_name; });
  return made;
}

class Reader {
 public:
  explicit Reader(const stack::Stack& stack) : stack_(stack) {}

  Result<std::shared_ptr<const Config>, stack::Diagnostics> read() {
    for (const auto& found : stack_.all<FunctionResource>("aws_lambda_function")) add_function(found);
    for (const auto& found : stack_.all<AliasResource>("aws_lambda_alias")) {
      const std::string name = name_of(found.value.function_name);
      if (function(found.resource, name)) {
        config_.qualifiers.push_back({name, found.value.name, found.value.function_version});
      }
    }
    for (const auto& found : stack_.all<ProvisionedResource>("aws_lambda_provisioned_concurrency_config")) {
      auto* one = function(found.resource, name_of(found.value.function_name));
      if (one) one->provisioned = std::max(one->provisioned, static_cast<std::size_t>(found.value.executions));
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

  FunctionConfig* function(const stack::Resource& from, const std::string& name) {
    const auto found = std::find_if(config_.functions.begin(), config_.functions.end(),
                                    [&](const FunctionConfig& one) { return one.name == name; });
    if (found != config_.functions.end()) return &*found;
    std::vector<std::string> names;
    for (const auto& one : config_.functions) names.push_back(one.name);
    problems_.error("Missing function",
                    fmt::format("{} is about the function \"{}\", which this stack does not have.", from.address, name),
                    from.range());
    return nullptr;
  }

  void add_function(const stack::Found<FunctionResource>& found) {
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
    made.version = version_of(wanted);
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

    const auto same_name = [&](const FunctionConfig& one) { return one.name == made.name; };
    if (std::any_of(config_.functions.begin(), config_.functions.end(), same_name)) {
      problems_.error("Duplicate function", fmt::format("A second function is called \"{}\".", made.name), range);
      return;
    }
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
};

}  // namespace

void declare(stack::Catalogue& catalogue) {
  catalogue.add(function_declaration());
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
