#include "lambda/api_request.h"

#include <gtest/gtest.h>

#include "lambda/parameters.h"
#include "lambda/router.h"

namespace securebase::lambda {
namespace {

constexpr std::string_view kEvent = R"({
  "resource": "/v1/customers/{id}/invoices", "path": "/v1/customers/42/invoices", "httpMethod": "GET",
  "headers": {"X-API-Key": "k"}, "multiValueHeaders": {"X-API-Key": ["k"]},
  "queryStringParameters": {"limit": "5", "from": "2026-01-31"}, "multiValueQueryStringParameters": null,
  "pathParameters": {"id": "42"}, "stageVariables": null,
  "requestContext": {"authorizer": {"customer_id": "42", "tier": "standard", "scope": "read write"}},
  "body": null, "isBase64Encoded": false})";

ApiRequest request_with(ApiRequest::Fields query) {
  ApiRequest request = *ApiRequest::parse(kEvent);
  request.query = std::move(query);
  return request;
}

TEST(ApiRequest, ReadsAProxyEvent) {
  auto request = ApiRequest::parse(kEvent);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->resource, "/v1/customers/{id}/invoices");
  EXPECT_EQ(request->header("x-api-key"), "k");
  EXPECT_EQ(request->path_parameter("id"), "42");
  EXPECT_EQ(request->query_parameter("limit"), "5");
  EXPECT_EQ(request->query_parameter("none"), "");
  EXPECT_EQ(request->customer_id, "42");
  EXPECT_TRUE(request->has_scope("write"));
  EXPECT_FALSE(request->has_scope("admin"));
  EXPECT_FALSE(request->has_scope("rea"));
}

TEST(ApiRequest, DecodesABinaryBody) {
  auto request =
      ApiRequest::parse(R"({"httpMethod":"POST","resource":"/","body":"eyJhIjoxfQ==","isBase64Encoded":true})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->json_body()->operator[]("a").integer_or(0), 1);
}

TEST(ApiRequest, RefusesWhatIsNoProxyEvent) {
  for (const auto* event : {"", "[]", "{}", R"({"httpMethod":"GET"})"}) EXPECT_FALSE(ApiRequest::parse(event)) << event;
}

TEST(Parameters, OneTenantIsNotAnother) {
  ApiRequest request = *ApiRequest::parse(kEvent);
  EXPECT_EQ(*authorised_customer(request, "read"), "42");
  EXPECT_EQ(authorised_customer(request, "admin").error().code, Errc::kDenied);
  request.path_parameters = {{"id", "43"}};
  EXPECT_EQ(authorised_customer(request, "read").error().code, Errc::kDenied);
  request.path_parameters = {{"id", ""}};
  request.customer_id = "";
  EXPECT_EQ(authorised_customer(request, "read").error().code, Errc::kDenied);
}

TEST(Parameters, TheQuerysCustomerIsTheCallerByDefault) {
  EXPECT_EQ(*authorised_customer_of_query(request_with({}), "read"), "42");
  EXPECT_EQ(*authorised_customer_of_query(request_with({{"customer_id", "42"}}), "read"), "42");
  EXPECT_FALSE(authorised_customer_of_query(request_with({{"customer_id", "43"}}), "read"));
}

TEST(Parameters, SayWhatWasExpectedAndWhatCame) {
  EXPECT_EQ(integer_parameter(request_with({{"limit", "0"}}), "limit", {1, 100, 20}).error().message,
            "limit: expected a number from 1 to 100, came '0'");
  EXPECT_EQ(choice_parameter(request_with({{"status", "gone"}}), "status", {"open", "paid"}).error().message,
            "status: expected one of open, paid, came 'gone'");
  EXPECT_EQ(date_parameter(request_with({{"from", "2026-02-30"}}), "from").error().message,
            "from: expected a date as 2026-01-31, came '2026-02-30'");
}

TEST(Parameters, TextsAreMeasuredInCharacters) {
  const auto check = [](std::string_view text, std::size_t most) {
    return text_member(base::Json::object({{"a", text}}), "a", {.least_characters = 1, .most_characters = most});
  };
  EXPECT_EQ(*check("☂☂☂", 3), "☂☂☂");
  EXPECT_EQ(check("☂☂☂☂", 3).error().message, "a: expected 1 to 3 characters, came 4");
  EXPECT_EQ(check("", 3).error().message, "a: expected 1 to 3 characters, came 0");
  EXPECT_EQ(check(std::string_view("a\0", 2), 3).error().message, "a: expected a text without NUL, it has one");
}

TEST(Parameters, WhatCameIsShownInWholeCharacters) {
  std::string text = "x";
  std::string shown = "x";
  for (int i = 0; i < 40; ++i) text += "☂";
  for (int i = 0; i < 19; ++i) shown += "☂";
  EXPECT_EQ(choice_parameter(request_with({{"status", text}}), "status", {"open"}).error().message,
            "status: expected one of open, came '" + shown + "'");
}

TEST(Parameters, NumbersAreWhole) {
  EXPECT_EQ(*integer_parameter(request_with({}), "limit", {1, 100, 20}), 20);
  EXPECT_EQ(*integer_parameter(request_with({{"limit", "100"}}), "limit", {1, 100, 20}), 100);
  for (const auto* text : {"101", "-1", "1.5", " 1", "1 ", "1e1", "99999999999999999999"}) {
    EXPECT_FALSE(integer_parameter(request_with({{"limit", text}}), "limit", {1, 100, 20})) << text;
  }
}

TEST(Parameters, DatesExist) {
  EXPECT_EQ(**date_parameter(request_with({{"from", "2024-02-29"}}), "from"), "2024-02-29");
  for (const auto* text :
       {"2026-2-1", "2026-13-01", "2026-00-10", "2026-01-00", "20260101", "2026-01-01x", "2026/01/01"}) {
    EXPECT_FALSE(date_parameter(request_with({{"from", text}}), "from")) << text;
  }
}

TEST(Parameters, PeriodsHaveOneSpelling) {
  EXPECT_EQ(parse_period("30d")->length, std::chrono::hours{720});
  EXPECT_EQ(parse_period("24h")->length, std::chrono::hours{24});
  EXPECT_EQ(parse_period("4w")->length, std::chrono::hours{672});
  for (const auto* text : {"", "d", "0d", "030d", "91d", "3000h", "30", "30m", "-1d", "+1d", "1.5d", "99999d"}) {
    EXPECT_FALSE(parse_period(text)) << text;
  }
}

TEST(Router, FindsByMethodAndResourceAndTurnsErrorsIntoResponses) {
  const Router router({{"GET", "/a", [](const ApiRequest&) -> Result<ApiResponse> { return uncached(200, "{}"); }},
                       {"POST", "/a",
                        [](const ApiRequest&) -> Result<ApiResponse> {
                          return Error{Errc::kMalformed, "subject: expected a text"};
                        }},
                       {"GET", "/b", [](const ApiRequest&) -> Result<ApiResponse> {
                          return Error{Errc::kIo, "a secret reason"};
                        }}});
  ApiRequest request;
  request.method = "GET";
  request.resource = "/a";
  EXPECT_EQ(router.answer(request).status, 200);
  request.method = "POST";
  EXPECT_EQ(router.answer(request).status, 400);
  EXPECT_EQ(router.answer(request).body, R"({"message":"subject: expected a text"})");
  request.method = "DELETE";
  EXPECT_EQ(router.answer(request).status, 404);
  request.method = "GET";
  request.resource = "/b";
  EXPECT_EQ(router.answer(request).body, R"({"message":"Internal Server Error"})");
}

TEST(ApiResponse, IsEncodedForTheGateway) {
  const ApiResponse response{.status = 200, .headers = {{"A", "b\"c"}}, .body = "{\"x\":1}"};
  EXPECT_EQ(response.encode(),
            R"({"statusCode":200,"headers":{"A":"b\"c"},"body":"{\"x\":1}","isBase64Encoded":false})");
}

}  // namespace
}  // namespace securebase::lambda
