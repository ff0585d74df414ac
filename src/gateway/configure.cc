// From a stack's resources to a Config: who belongs to whom, and what cannot be.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/assemble.h"
#include "gateway/gateway.h"
#include "gateway/openapi.h"
#include "gateway/resources.h"
#include "gateway/routes.h"

namespace securebase::gateway {
namespace {

namespace tf = terraform;
using stack::Diagnostics;
using stack::Stack;

std::string id_of(const stack::Resource& resource) {
  const auto* id = resource.attributes.find("id");
  return id && id->is_string() ? id->string() : std::string();
}

std::string lower(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

class Configuration {
 public:
  explicit Configuration(const Stack& stack) : stack_(stack) {}

  Result<std::shared_ptr<const Config>, Diagnostics> read() {
    made_.account = stack_.account;
    made_.region = stack_.region;
    apis();
    resources();
    authorizers();
    methods();
    bodies();
    gateway_responses();
    stages();
    method_settings();
    domains();
    check_routes();
    if (wrong_.has_errors()) return std::move(wrong_);
    return std::make_shared<const Config>(std::move(made_));
  }

 private:
  void error(const stack::Resource& about, std::string detail, std::string_view attribute = {}) {
    const auto* at = attribute.empty() ? nullptr : about.body.find(attribute);
    auto& said = wrong_.error("Unusable API configuration", std::move(detail), at ? at->value_range : about.range());
    said.context = fmt::format("resource \"{}\" \"{}\"", about.type, about.name);
  }

  Api* api(const stack::Resource& about, const std::string& id) {
    const auto found =
        std::find_if(made_.apis.begin(), made_.apis.end(), [&id](const Api& each) { return each.id == id; });
    if (found != made_.apis.end()) return &*found;
    error(about, fmt::format("There is no aws_api_gateway_rest_api with the id \"{}\" in this stack.", id),
          "rest_api_id");
    return nullptr;
  }

  Resource* resource(const stack::Resource& about, Api& api, const std::string& id) {
    for (auto& each : api.resources) {
      if (each.id == id) return &each;
    }
    error(about, fmt::format("The API has no resource with the id \"{}\".", id), "resource_id");
    return nullptr;
  }

  void apis() {
    for (const auto& [about, value] : stack_.all<tf::RestApi>("aws_api_gateway_rest_api")) {
      Api made;
      made.id = id_of(about);
      made.name = value.name;
      made.account = stack_.account;
      made.region = stack_.region;
      const auto tag = value.tags.find("securebase:authorizer-identity");
      if (tag != value.tags.end() && tag->second != "any" && tag->second != "all") {
        error(about,
              fmt::format("The tag securebase:authorizer-identity is \"any\" or \"all\", not \"{}\".", tag->second),
              "tags");
      }
      any_identity_[made.id] = tag != value.tags.end() && tag->second == "any";
      if (std::any_of(made_.apis.begin(), made_.apis.end(), [&made](const Api& each) { return each.id == made.id; })) {
        error(about, fmt::format("Two APIs have the id \"{}\"; pin another one by the tag securebase:id.", made.id));
        continue;
      }
      Resource root;
      if (const auto* root_id = about.attributes.find("root_resource_id"); root_id && root_id->is_string()) {
        root.id = root_id->string();
      }
      root.path = "/";
      made.resources.push_back(std::move(root));
      made_.apis.push_back(std::move(made));
    }
  }

  // A resource may stand before its parent only if it does not refer to it: then its id was written by hand, and the
  // order of the stack would not do. So they are read until no more find their parents.
  void resources() {
    auto waiting = stack_.all<tf::Resource>("aws_api_gateway_resource");
    for (bool some_found = true; some_found && !waiting.empty();) {
      std::vector<stack::Found<tf::Resource>> still;
      for (const auto& each : waiting) {
        if (!add_resource(each.resource, each.value)) still.push_back(each);
      }
      some_found = still.size() < waiting.size();
      waiting.swap(still);
    }
    for (const auto& [about, value] : waiting) {
      error(about, fmt::format("The API has no resource with the id \"{}\".", value.parent_id), "parent_id");
    }
  }

  // False: its parent is not there (yet).
  bool add_resource(const stack::Resource& about, const tf::Resource& value) {
    Api* owner = api(about, value.rest_api_id);
    if (!owner) return true;
    for (const auto& parent : owner->resources) {
      if (parent.id != value.parent_id) continue;
      Resource made;
      made.id = id_of(about);
      made.path = (parent.path == "/" ? "" : parent.path) + "/" + value.path_part;
      if (auto names = parameter_names(made.path); !names) error(about, names.error().message, "path_part");
      owner->resources.push_back(std::move(made));
      return true;
    }
    return false;
  }

  void authorizers() {
    for (const auto& [about, value] : stack_.all<tf::Authorizer>("aws_api_gateway_authorizer")) {
      if (!api(about, value.rest_api_id)) continue;
      AuthorizerSource source;
      source.id = id_of(about);
      source.name = value.name;
      source.type = value.type;
      source.uri = value.authorizer_uri.value_or("");
      source.identity_source = value.identity_source.value_or("");
      source.validation_expression = value.identity_validation_expression.value_or("");
      source.ttl = value.ttl;
      source.any_identity = any_identity_[value.rest_api_id];
      auto made = make_authorizer(source);
      if (!made) {
        error(about, made.error().message);
        continue;
      }
      authorizers_[source.id] = std::move(*made);
    }
  }

  void methods() {
    std::map<std::string, bool> validators;
    for (const auto& [about, value] : stack_.all<tf::RequestValidator>("aws_api_gateway_request_validator")) {
      validators[id_of(about)] = value.validate_request_parameters;
    }
    for (const auto& [about, value] : stack_.all<tf::Method>("aws_api_gateway_method")) {
      Api* owner = api(about, value.rest_api_id);
      Resource* place = owner ? resource(about, *owner, value.resource_id) : nullptr;
      if (!place) continue;
      Method made;
      made.name = value.http_method;
      if (value.api_key_required) {
        error(about, "API keys are not checked here: a method that requires one would be open.", "api_key_required");
      }
      if (value.authorization == "CUSTOM") {
        const auto found = authorizers_.find(value.authorizer_id.value_or(""));
        if (found == authorizers_.end()) {
          error(about, "authorization is CUSTOM, but there is no authorizer with that id.", "authorizer_id");
          continue;
        }
        made.authorizer = found->second;
      } else if (value.authorization != "NONE") {
        error(about,
              fmt::format("authorization \"{}\" is not to be had here: NONE, or CUSTOM with an authorizer.",
                          value.authorization),
              "authorization");
      }
      if (value.request_validator_id && validators[*value.request_validator_id]) {
        for (const auto& [name, required] : value.request_parameters) {
          auto parameter = Parameter::parse(name);
          if (!parameter) error(about, parameter.error().message, "request_parameters");
          if (parameter && required) made.required.push_back(std::move(*parameter));
        }
      }
      integration(about, value, made);
      place->methods.push_back(std::move(made));
    }
  }

  void integration(const stack::Resource& method, const tf::Method& value, Method& made) {
    const auto belongs = [&value](const auto& other) {
      return other.rest_api_id == value.rest_api_id && other.resource_id == value.resource_id &&
             other.http_method == value.http_method;
    };
    for (const auto& [about, found] : stack_.all<tf::Integration>("aws_api_gateway_integration")) {
      if (!belongs(found)) continue;
      IntegrationSource source;
      source.type = found.type;
      source.uri = found.uri.value_or("");
      source.http_method = found.integration_http_method.value_or("");
      source.timeout = found.timeout;
      source.cache_key_parameters = found.cache_key_parameters;
      source.request_parameters = found.request_parameters;
      source.request_templates = found.request_templates;
      for (const auto& [place, response] :
           stack_.all<tf::IntegrationResponse>("aws_api_gateway_integration_response")) {
        if (!belongs(response)) continue;
        source.responses.push_back({response.status_code, response.selection_pattern.value_or(""),
                                    response.response_parameters, response.response_templates});
      }
      auto integration = make_integration(source);
      if (!integration) return error(about, integration.error().message);
      made.integration = std::move(*integration);
      return;
    }
    error(method, "The method has no aws_api_gateway_integration.");
  }

  void bodies() {
    for (const auto& [about, value] : stack_.all<tf::RestApi>("aws_api_gateway_rest_api")) {
      const auto id = id_of(about);
      const auto found = std::find_if(made_.apis.begin(), made_.apis.end(), [&id](const Api& a) { return a.id == id; });
      if (found == made_.apis.end()) continue;
      if (value.body) {
        auto document = parse_document(*value.body);
        if (!document) {
          error(about, "body is neither JSON nor YAML: " + document.error().message, "body");
        } else if (auto done = read_openapi(*document, any_identity_[id], *found); !done) {
          error(about, done.error().message, "body");
        }
      }
      // What Terraform says wins over the document, as in the provider.
      if (value.minimum_compression_size) {
        found->minimum_compression_bytes.reset();
        if (*value.minimum_compression_size >= 0) {
          found->minimum_compression_bytes = static_cast<std::size_t>(*value.minimum_compression_size);
        }
      }
      if (value.binary_media_types) found->binary_media_types = *value.binary_media_types;
      for (auto& type : found->binary_media_types) type = lower(type);
    }
  }

  void gateway_responses() {
    for (const auto& [about, value] : stack_.all<tf::GatewayResponse>("aws_api_gateway_gateway_response")) {
      Api* owner = api(about, value.rest_api_id);
      if (!owner) continue;
      auto made = make_gateway_response(value.response_type, value.status_code.value_or(""), value.response_parameters,
                                        value.response_templates);
      if (!made) {
        error(about, made.error().message);
        continue;
      }
      owner->gateway_responses.insert_or_assign(value.response_type, std::move(*made));
    }
  }

  void stages() {
    for (const auto& [about, value] : stack_.all<tf::Stage>("aws_api_gateway_stage")) {
      Api* owner = api(about, value.rest_api_id);
      if (!owner) continue;
      Stage made;
      made.name = value.stage_name;
      made.deployment_id = value.deployment_id;
      made.variables = value.variables;
      made.cache_enabled = value.cache_cluster_enabled;
      made.cache_bytes = static_cast<std::size_t>(std::stod(value.cache_cluster_size.value_or("0.5")) * 1e9);
      if (value.access_log) {
        auto group = log_group_of_arn(value.access_log->destination_arn);
        if (!group) {
          error(about, group.error().message);
        } else {
          made.access_log_group = std::move(*group);
          made.access_log_format = value.access_log->format;
        }
      }
      owner->stages.push_back(std::move(made));
    }
    for (const auto& [about, value] : stack_.all<tf::Deployment>("aws_api_gateway_deployment")) {
      Api* owner = api(about, value.rest_api_id);
      if (!owner || !value.stage_name || stage(*owner, *value.stage_name)) continue;
      Stage made;
      made.name = *value.stage_name;
      made.deployment_id = id_of(about);
      made.variables = value.variables;
      owner->stages.push_back(std::move(made));
    }
  }

  static Stage* stage(Api& api, const std::string& name) {
    for (auto& each : api.stages) {
      if (each.name == name) return &each;
    }
    return nullptr;
  }

  void method_settings() {
    for (const auto& [about, value] : stack_.all<tf::MethodSettingsResource>("aws_api_gateway_method_settings")) {
      Api* owner = api(about, value.rest_api_id);
      if (!owner) continue;
      Stage* place = stage(*owner, value.stage_name);
      if (!place) {
        error(about, fmt::format("The API has no stage \"{}\".", value.stage_name), "stage_name");
        continue;
      }
      const auto path = normal_method_path(value.method_path);
      if (path.find('/') == std::string::npos && path != "GET" && path != "ANY") {
        error(about, fmt::format("expected */* or RESOURCE/METHOD, got \"{}\".", value.method_path), "method_path");
      }
      place->settings.insert_or_assign(path, value.settings);
    }
  }

  void domains() {
    for (const auto& [about, value] : stack_.all<tf::DomainName>("aws_api_gateway_domain_name")) {
      made_.domains.push_back({lower(value.domain_name), {}});
    }
    for (const auto& [about, value] : stack_.all<tf::BasePathMapping>("aws_api_gateway_base_path_mapping")) {
      const auto name = lower(value.domain_name);
      const auto found = std::find_if(made_.domains.begin(), made_.domains.end(),
                                      [&name](const Domain& each) { return each.name == name; });
      if (found == made_.domains.end()) {
        error(about, fmt::format("There is no aws_api_gateway_domain_name \"{}\" in this stack.", value.domain_name),
              "domain_name");
        continue;
      }
      Api* owner = nullptr;
      for (auto& each : made_.apis) {
        if (each.id == value.api_id) owner = &each;
      }
      if (!owner || (value.stage_name && !stage(*owner, *value.stage_name))) {
        error(about, owner ? fmt::format("The API has no stage \"{}\".", *value.stage_name)
                           : fmt::format("There is no API with the id \"{}\" in this stack.", value.api_id));
        continue;
      }
      auto base_path = value.base_path.value_or("");
      if (base_path == "(none)") base_path.clear();
      found->mappings.push_back({base_path, value.api_id, value.stage_name.value_or("")});
    }
    // The longest base path that fits wins.
    for (auto& domain : made_.domains) {
      std::stable_sort(domain.mappings.begin(), domain.mappings.end(),
                       [](const auto& a, const auto& b) { return a.base_path.size() > b.base_path.size(); });
    }
  }

  void check_routes() {
    for (const auto& [about, value] : stack_.all<tf::RestApi>("aws_api_gateway_rest_api")) {
      const auto id = id_of(about);
      for (const auto& each : made_.apis) {
        if (each.id != id) continue;
        Routes routes;
        for (std::size_t i = 0; i < each.resources.size(); ++i) {
          if (each.resources[i].methods.empty()) continue;
          if (auto done = routes.add(each.resources[i].path, i); !done) error(about, done.error().message);
        }
      }
    }
  }

  const Stack& stack_;
  Config made_;
  Diagnostics wrong_;
  std::map<std::string, bool> any_identity_;  // by API id
  std::map<std::string, std::shared_ptr<const Authorizer>> authorizers_;
};

}  // namespace

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  return Configuration(stack).read();
}

std::vector<stack::Finding> notes(const stack::Stack& stack) {
  std::vector<stack::Finding> notes;
  for (const auto& [about, value] : stack.all<tf::RestApi>("aws_api_gateway_rest_api")) {
    auto document = value.body ? parse_document(*value.body) : Result<base::Json>(base::Json());
    if (!document) continue;  // configure() says so
    for (const auto& name : extensions_without_effect(*document)) {
      const bool policy = name == "x-amazon-apigateway-policy";
      const auto* at = about.body.find("body");
      notes.push_back({stack::Finding::Kind::kNotHonoured, about.address, "body." + name,
                       policy ? "resource policies are not evaluated here" : "", at ? at->value_range : about.range()});
    }
  }
  return notes;
}

}  // namespace securebase::gateway
