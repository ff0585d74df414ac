#include "gateway/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/encoding.h"
#include "base/hash.h"
#include "gateway/assemble.h"
#include "gateway/routes.h"
#include "gateway/yaml.h"

namespace securebase::gateway {
namespace {

using base::Json;
using Texts = std::map<std::string, std::string>;

Texts texts_of(const Json& object) {
  Texts out;
  if (const auto* members = object.as_object()) {
    for (const auto& [name, value] : *members) {
      out.emplace(name, value.as_string() ? *value.as_string() : value.dump());
    }
  }
  return out;
}

// A part of a JSON pointer: "~1" is '/' and "~0" is '~'.
std::string unescaped(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '~' && i + 1 < part.size()) {
      out += part[++i] == '1' ? '/' : '~';
    } else {
      out += part[i];
    }
  }
  return out;
}

std::string text_of(const Json& value) { return value.is_number() ? value.dump() : std::string(value.string_or("")); }

class Document {
 public:
  Document(const Json& root, bool any_identity, Api& api) : root_(root), any_identity_(any_identity), api_(api) {}

  Result<Done> read() {
    if (root_["openapi"].is_null() && root_["swagger"].is_null()) {
      return Error{Errc::kMalformed, "body is no OpenAPI document: it has neither \"openapi\" nor \"swagger\""};
    }
    if (auto done = settings(); !done) return done.error();
    if (auto done = security_schemes(); !done) return done.error();
    const auto* paths = root_["paths"].as_object();
    if (!paths) return Error{Errc::kMalformed, "the OpenAPI document has no \"paths\""};
    for (const auto& [path, item] : *paths) {
      if (auto done = resource(path, item); !done) return done.error().within(fmt::format("path \"{}\"", path));
    }
    return Done{};
  }

 private:
  Result<Done> settings() {
    if (const auto* types = root_["x-amazon-apigateway-binary-media-types"].as_array()) {
      for (const auto& type : *types) api_.binary_media_types.emplace_back(type.string_or(""));
    }
    const auto compression = root_["x-amazon-apigateway-minimum-compression-size"].integer_or(-1);
    if (compression >= 0) api_.minimum_compression_bytes = static_cast<std::size_t>(compression);
    if (const auto* responses = root_["x-amazon-apigateway-gateway-responses"].as_object()) {
      for (const auto& [type, response] : *responses) {
        auto made =
            make_gateway_response(type, text_of(response["statusCode"]), texts_of(response["responseParameters"]),
                                  texts_of(response["responseTemplates"]));
        if (!made) return made.error();
        api_.gateway_responses.insert_or_assign(type, std::move(*made));
      }
    }
    return Done{};
  }

  // components.securitySchemes of OpenAPI 3, securityDefinitions of 2.
  Result<Done> security_schemes() {
    const Json& schemes =
        root_["swagger"].is_null() ? root_["components"]["securitySchemes"] : root_["securityDefinitions"];
    const auto* members = schemes.as_object();
    if (!members) return Done{};
    for (const auto& [name, scheme] : *members) {
      const Json& extension = scheme["x-amazon-apigateway-authorizer"];
      if (extension.is_null()) continue;  // an error only when a method asks for it
      AuthorizerSource source;
      source.name = name;
      source.id = base::hex(base::sha256(api_.id + "/" + name)).substr(0, 6);
      source.type = extension["type"].string_or("token");
      source.uri = extension["authorizerUri"].string_or("");
      source.identity_source = extension["identitySource"].string_or("");
      if (source.identity_source.empty() && scheme["in"].string_or("") == "header") {
        source.identity_source = "method.request.header." + std::string(scheme["name"].string_or("Authorization"));
      }
      source.validation_expression = extension["identityValidationExpression"].string_or("");
      source.ttl = std::chrono::seconds{extension["authorizerResultTtlInSeconds"].integer_or(300)};
      source.any_identity = any_identity_;
      auto made = make_authorizer(source);
      if (!made) return made.error().within(fmt::format("security scheme \"{}\"", name));
      authorizers_.emplace(name, std::move(*made));
    }
    return Done{};
  }

  Result<Done> resource(const std::string& path, const Json& item) {
    static constexpr std::pair<std::string_view, std::string_view> kMethods[] = {
        {"get", "GET"},         {"put", "PUT"},   {"post", "POST"},   {"delete", "DELETE"},
        {"options", "OPTIONS"}, {"head", "HEAD"}, {"patch", "PATCH"}, {"x-amazon-apigateway-any-method", "ANY"}};
    if (auto names = parameter_names(path); !names) return names.error();
    auto at = std::find_if(api_.resources.begin(), api_.resources.end(),
                           [&path](const Resource& each) { return each.path == path; });
    if (at == api_.resources.end()) {
      Resource made;
      made.path = path;
      made.id = base::hex(base::sha256(api_.id + path)).substr(0, 6);
      at = api_.resources.insert(at, std::move(made));
    }
    for (const auto& [key, name] : kMethods) {
      const Json* operation = item.find(key);
      if (!operation || !operation->is_object()) continue;
      auto method = read_method(std::string(name), *operation, item);
      if (!method) return method.error().within(name);
      std::erase_if(at->methods, [name = name](const Method& each) { return each.name == name; });
      at->methods.push_back(std::move(*method));
    }
    return Done{};
  }

  Result<Method> read_method(std::string name, const Json& operation, const Json& item) {
    Method method;
    method.name = std::move(name);
    auto authorizer = authorizer_of(operation);
    if (!authorizer) return authorizer.error();
    method.authorizer = std::move(*authorizer);
    // Left out, it would leave the method open.
    if (const auto type = operation["x-amazon-apigateway-auth"]["type"].string_or("NONE");
        !http::equal_ignoring_case(type, "none")) {
      return Error{Errc::kUnsupported, fmt::format("x-amazon-apigateway-auth of type {} is not to be had here", type)};
    }
    const Json& extension = operation["x-amazon-apigateway-integration"];
    if (extension.is_null()) return Error{Errc::kMalformed, "it has no x-amazon-apigateway-integration"};
    auto integration = make_integration(integration_of(extension));
    if (!integration) return integration.error();
    method.integration = std::move(*integration);
    if (validates_parameters(operation)) {
      for (const Json* parameters : {&operation["parameters"], &item["parameters"]}) {
        if (auto done = required_parameters(method, *parameters); !done) return done.error();
      }
    }
    return method;
  }

  static IntegrationSource integration_of(const Json& extension) {
    IntegrationSource source;
    source.type = extension["type"].string_or("");
    source.uri = extension["uri"].string_or("");
    source.http_method = extension["httpMethod"].string_or("");
    source.timeout = std::chrono::milliseconds{
        std::clamp<std::int64_t>(extension["timeoutInMillis"].integer_or(29'000), 50, 300'000)};
    if (const auto* keys = extension["cacheKeyParameters"].as_array()) {
      for (const auto& key : *keys) source.cache_key_parameters.emplace_back(key.string_or(""));
    }
    source.request_parameters = texts_of(extension["requestParameters"]);
    source.request_templates = texts_of(extension["requestTemplates"]);
    if (const auto* responses = extension["responses"].as_object()) {
      for (const auto& [pattern, response] : *responses) {
        source.responses.push_back({text_of(response["statusCode"]), pattern == "default" ? "" : pattern,
                                    texts_of(response["responseParameters"]), texts_of(response["responseTemplates"])});
      }
    }
    return source;
  }

  // The operation's `security`, else the document's. {} in the list would mean that nobody need be asked.
  Result<std::shared_ptr<const Authorizer>> authorizer_of(const Json& operation) {
    const Json* security = operation.find("security");
    if (!security) security = root_.find("security");
    const auto* list = security ? security->as_array() : nullptr;
    std::shared_ptr<const Authorizer> none;
    if (!list || list->empty()) return none;
    if (list->size() > 1) return Error{Errc::kUnsupported, "\"security\" names more than one scheme"};
    const auto* scheme = list->front().as_object();
    if (!scheme || scheme->empty()) return none;
    if (scheme->size() > 1) return Error{Errc::kUnsupported, "\"security\" asks for more than one scheme at once"};
    const auto found = authorizers_.find(scheme->front().first);
    if (found != authorizers_.end()) return found->second;
    return Error{Errc::kUnsupported,
                 fmt::format("security scheme \"{}\" is no Lambda authorizer (x-amazon-apigateway-authorizer of type "
                             "token or request); API keys, IAM and Cognito are not to be had here",
                             scheme->front().first)};
  }

  bool validates_parameters(const Json& operation) const {
    const auto name = operation["x-amazon-apigateway-request-validator"].string_or(
        root_["x-amazon-apigateway-request-validator"].string_or(""));
    if (name.empty()) return false;
    return root_["x-amazon-apigateway-request-validators"][name]["validateRequestParameters"].bool_or(false);
  }

  Result<Done> required_parameters(Method& method, const Json& parameters) const {
    const auto* list = parameters.as_array();
    if (!list) return Done{};
    for (const auto& written : *list) {
      const Json* each = meant_by(written);
      if (!each) {
        return Error{Errc::kMalformed, fmt::format("the parameter {} is not in this document", written.dump())};
      }
      const auto in = (*each)["in"].string_or("");
      if (!(*each)["required"].bool_or(false) || (in != "query" && in != "header")) continue;
      method.required.push_back({in == "query" ? Parameter::From::kQuery : Parameter::From::kHeader,
                                 std::string((*each)["name"].string_or(""))});
    }
    return Done{};
  }

  // {"$ref": "#/components/parameters/Page"} is what stands there (RFC 6901); null: nothing does.
  const Json* meant_by(const Json& written) const {
    const auto reference = written["$ref"].string_or("");
    if (reference.empty()) return &written;
    if (!reference.starts_with("#/")) return nullptr;
    const Json* at = &root_;
    for (std::string_view rest = reference.substr(1); at && !rest.empty();) {
      rest.remove_prefix(1);
      const auto end = std::min(rest.find('/'), rest.size());
      at = at->find(unescaped(rest.substr(0, end)));
      rest.remove_prefix(end);
    }
    return at;
  }

  const Json& root_;
  const bool any_identity_;
  Api& api_;
  std::map<std::string, std::shared_ptr<const Authorizer>> authorizers_;
};

}  // namespace

std::vector<std::string> extensions_without_effect(const Json& document) {
  static constexpr std::array<std::string_view, 6> kHonoured = {"binary-media-types", "minimum-compression-size",
                                                                "gateway-responses",  "request-validator",
                                                                "request-validators", "importexport-version"};
  static constexpr std::string_view kPrefix = "x-amazon-apigateway-";
  std::vector<std::string> names;
  const auto* members = document.as_object();
  if (!members) return names;
  for (const auto& [name, value] : *members) {
    if (!name.starts_with(kPrefix)) continue;
    const auto extension = std::string_view(name).substr(kPrefix.size());
    if (std::find(kHonoured.begin(), kHonoured.end(), extension) == kHonoured.end()) names.emplace_back(name);
  }
  return names;
}

Result<Done> read_openapi(const Json& document, bool any_identity, Api& api) {
  return Document(document, any_identity, api).read();
}

Result<Json> parse_document(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && body[first] == '{') return Json::parse(body);
  return parse_yaml(body);
}

}  // namespace securebase::gateway
