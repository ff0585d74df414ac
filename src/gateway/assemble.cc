#include "gateway/assemble.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/hash.h"
#include "gateway/mapping_template.h"

namespace securebase::gateway {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

Result<int> status_of(std::string_view text) {
  int status = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (failure != std::errc{} || end != text.data() + text.size() || status < 100 || status > 599) {
    return Error{Errc::kMalformed, fmt::format("\"{}\" is no HTTP status", text)};
  }
  return status;
}

Result<MockResponse> make_mock_response(const IntegrationSource::Response& source) {
  constexpr std::string_view kHeader = "method.response.header.";
  MockResponse made;
  auto status = status_of(source.status_code);
  if (!status) return status.error();
  made.status = *status;
  made.selection_pattern = source.selection_pattern;
  if (!made.selection_pattern.empty() && !RE2(made.selection_pattern, RE2::Quiet).ok()) {
    return Error{Errc::kMalformed, fmt::format("selection_pattern \"{}\" is no expression", made.selection_pattern)};
  }
  for (const auto& [name, mapping] : source.parameters) {
    const auto literal = literal_of(mapping);
    if (!name.starts_with(kHeader) || !literal) {
      return Error{Errc::kUnsupported,
                   fmt::format("expected method.response.header.NAME = \"'literal'\", got {} = {}", name, mapping)};
    }
    made.fixed.emplace_back(name.substr(kHeader.size()), *literal);
  }
  for (const auto& [type, text] : source.templates) {
    if (auto parsed = MappingTemplate::parse(text); !parsed) return parsed.error();
    made.templates.emplace(type, text);
  }
  return made;
}

Result<Done> complete_mock(Integration& made, const IntegrationSource& source) {
  for (const auto& [type, text] : source.request_templates) {
    if (auto parsed = MappingTemplate::parse(text); !parsed) return parsed.error();
    made.request_templates.emplace(type, text);
  }
  for (const auto& response : source.responses) {
    auto mock = make_mock_response(response);
    if (!mock) return mock.error();
    made.mock_responses.push_back(std::move(*mock));
  }
  return Done{};
}

Result<Done> complete_http(Integration& made, const IntegrationSource& source) {
  constexpr std::string_view kPath = "integration.request.path.";
  if (!source.uri.starts_with("http://") && !source.uri.starts_with("https://")) {
    return Error{Errc::kMalformed, fmt::format("expected an http:// or https:// URL, got \"{}\"", source.uri)};
  }
  made.uri = source.uri;
  made.http_method = source.http_method.empty() ? "ANY" : upper(source.http_method);
  for (const auto& [name, from] : source.request_parameters) {
    if (!name.starts_with(kPath)) {
      return Error{Errc::kUnsupported,
                   fmt::format("of HTTP_PROXY only integration.request.path.NAME can be mapped, not {}", name)};
    }
    auto parameter = Parameter::parse(from);
    if (!parameter) return parameter.error();
    made.path_parameters.emplace(name.substr(kPath.size()), std::move(*parameter));
  }
  return Done{};
}

}  // namespace

Result<Integration> make_integration(const IntegrationSource& source) {
  Integration made;
  made.timeout = source.timeout;
  for (const auto& text : source.cache_key_parameters) {
    auto parameter = Parameter::parse(text);
    if (!parameter) return parameter.error().within("cache key parameters");
    made.cache_key.push_back(std::move(*parameter));
  }
  const std::string type = upper(source.type);
  if (type == "AWS_PROXY") {
    made.type = Integration::Type::kAwsProxy;
    auto function = function_of_uri(source.uri);
    if (!function) return function.error();
    made.function = std::move(*function);
    return made;
  }
  if (type == "MOCK") {
    made.type = Integration::Type::kMock;
    if (auto done = complete_mock(made, source); !done) return done.error();
    return made;
  }
  if (type == "HTTP_PROXY") {
    made.type = Integration::Type::kHttpProxy;
    if (auto done = complete_http(made, source); !done) return done.error();
    return made;
  }
  return Error{
      Errc::kUnsupported,
      fmt::format("an integration of type \"{}\" is not to be had here: AWS_PROXY calls a function, HTTP_PROXY "
                  "asks a URL, MOCK answers by itself",
                  source.type)};
}

Result<std::shared_ptr<const Authorizer>> make_authorizer(const AuthorizerSource& source) {
  Authorizer made;
  made.id = source.id;
  made.name = source.name;
  const std::string type = upper(source.type);
  if (type != "TOKEN" && type != "REQUEST") {
    return Error{
        Errc::kUnsupported,
        fmt::format("an authorizer of type \"{}\" is not to be had here, only TOKEN and REQUEST", source.type)};
  }
  made.type = type == "TOKEN" ? Authorizer::Type::kToken : Authorizer::Type::kRequest;
  auto function = function_of_uri(source.uri);
  if (!function) return function.error();
  made.function = std::move(*function);
  made.ttl = source.ttl;
  made.any_identity = source.any_identity;
  std::string_view rest = source.identity_source;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    auto one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (one.empty()) continue;
    auto parameter = Parameter::parse(one);
    if (!parameter) return parameter.error().within("identity source");
    made.identity.push_back(std::move(*parameter));
  }
  if (made.type == Authorizer::Type::kToken &&
      (made.identity.size() != 1 || made.identity[0].from != Parameter::From::kHeader)) {
    return Error{Errc::kMalformed, "the identity source of a TOKEN authorizer is one method.request.header.NAME"};
  }
  if (made.identity.empty() && made.ttl.count() > 0) {
    return Error{Errc::kMalformed,
                 "an authorizer whose verdicts are kept has an identity source: it is what they are found by"};
  }
  made.validation_expression = source.validation_expression;
  if (!made.validation_expression.empty() && !RE2(made.validation_expression, RE2::Quiet).ok()) {
    return Error{Errc::kMalformed,
                 fmt::format("identity_validation_expression \"{}\" is no RE2 expression", made.validation_expression)};
  }
  made.version = base::hex(
      base::sha256(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", made.id, type, made.function, source.identity_source,
                               made.validation_expression, made.ttl.count(), made.any_identity)));
  return std::make_shared<const Authorizer>(std::move(made));
}

Result<GatewayResponse> make_gateway_response(const std::string& type, const std::string& status_code,
                                              const std::map<std::string, std::string>& parameters,
                                              const std::map<std::string, std::string>& templates) {
  constexpr std::string_view kHeader = "gatewayresponse.header.";
  GatewayResponse made;
  if (!status_code.empty()) {
    auto status = status_of(status_code);
    if (!status) return status.error().within(type);
    made.status = *status;
  }
  for (const auto& [name, mapping] : parameters) {
    const auto literal = literal_of(mapping);
    if (!name.starts_with(kHeader) || !literal) {
      return Error{
          Errc::kUnsupported,
          fmt::format("{}: expected gatewayresponse.header.NAME = \"'literal'\", got {} = {}", type, name, mapping)};
    }
    made.headers.emplace(name.substr(kHeader.size()), *literal);
  }
  if (const auto found = templates.find("application/json"); found != templates.end()) {
    made.body_template = found->second;
  }
  return made;
}

}  // namespace securebase::gateway
