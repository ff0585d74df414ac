// What a stack may say, and what is refused when it is read.
#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

std::string errors_of(const std::string& text) {
  const auto config = configured(text);
  return config ? "no error" : stack::render(config.error());
}

TEST(Configure, RefusesWhatWouldLeaveAMethodOpen) {
  const auto method = [](std::string_view attributes, std::string_view integration) {
    return fmt::format(R"(
resource "aws_api_gateway_rest_api" "a" {{
  name = "a"
}}
resource "aws_api_gateway_resource" "r" {{
  rest_api_id = aws_api_gateway_rest_api.a.id
  parent_id   = aws_api_gateway_rest_api.a.root_resource_id
  path_part   = "x"
}}
resource "aws_api_gateway_method" "m" {{
  rest_api_id = aws_api_gateway_rest_api.a.id
  resource_id = aws_api_gateway_resource.r.id
  http_method = "GET"
  {}
}}
resource "aws_api_gateway_integration" "i" {{
  rest_api_id = aws_api_gateway_rest_api.a.id
  resource_id = aws_api_gateway_resource.r.id
  http_method = aws_api_gateway_method.m.http_method
  {}
}}
)",
                       attributes, integration);
  };
  const std::string mock = "type = \"MOCK\"";
  EXPECT_EQ(errors_of(method("authorization = \"NONE\"", mock)), "no error");
  EXPECT_THAT(errors_of(method("authorization = \"AWS_IAM\"", mock)), HasSubstr("not to be had here"));
  EXPECT_THAT(errors_of(method("authorization = \"CUSTOM\"", mock)), HasSubstr("no authorizer with that id"));
  EXPECT_THAT(errors_of(method("authorization = \"NONE\"\n  api_key_required = true", mock)), HasSubstr("API keys"));
  EXPECT_THAT(errors_of(method("authorization = \"NONE\"", "type = \"AWS\"\n  uri = \"x\"")),
              HasSubstr("type \"AWS\" is not to be had here"));
  EXPECT_THAT(errors_of(method("authorization = \"NONE\"", "type = \"AWS_PROXY\"\n  uri = \"x\"")),
              HasSubstr("expected the invoke_arn of a function"));
}

std::string document(std::string_view extensions, std::string_view of_method) {
  return fmt::format(R"(
resource "aws_api_gateway_rest_api" "a" {{
  name = "a"
  body = jsonencode({{
    openapi = "3.0.1"
    {}
    paths = {{ "/x" = {{ get = {{
      {}
      "x-amazon-apigateway-integration" = {{ type = "mock" }}
    }} }} }}
  }})
}}
)",
                     extensions, of_method);
}

TEST(Configure, RefusesADocumentsSignedMethodsToo) {
  EXPECT_EQ(errors_of(document("", "")), "no error");
  EXPECT_EQ(errors_of(document("", R"("x-amazon-apigateway-auth" = { type = "NONE" })")), "no error");
  EXPECT_THAT(errors_of(document("", R"("x-amazon-apigateway-auth" = { type = "AWS_IAM" })")),
              HasSubstr("AWS_IAM is not to be had here"));
}

TEST(Notes, SayWhatOfADocumentHasNoEffect) {
  const auto notes_of = [](const std::string& text) {
    std::string all;
    for (const auto& note : notes(*loaded(text)))
      all += note.address + " " + note.attribute + ": " + note.reason + "\n";
    return all;
  };
  EXPECT_EQ(notes_of(document("\"x-amazon-apigateway-binary-media-types\" = [\"image/*\"]", "")), "");
  EXPECT_EQ(notes_of(document(
                "\"x-amazon-apigateway-policy\" = {}\n\"x-amazon-apigateway-endpoint-configuration\" = {}", "")),
            "aws_api_gateway_rest_api.a body.x-amazon-apigateway-endpoint-configuration: \n"
            "aws_api_gateway_rest_api.a body.x-amazon-apigateway-policy: resource policies are not evaluated here\n");
}

}  // namespace
}  // namespace securebase::gateway
