#include <gtest/gtest.h>

#include <set>

#include "load/scenarios/path_secrets.h"
#include "load/scenarios/recording.h"

namespace securebase::load {
namespace {

TEST(Recording, CountsPathsAndLeavesOutWhatShouldNotBeDoneAgain) {
  Recording recording("/prod");
  for (int i = 0; i < 3; ++i) {
    recording.add(
        R"({"httpMethod":"GET","path":"/prod/v1/customers/42?token=x","resourcePath":"/v1/customers/{id}","status":"200"})");
  }
  recording.add(R"(127.0.0.1 - - [27/Nov/2026:06:00:00 +0000] "GET /page?q=1 HTTP/1.1" 200 12)");
  recording.add(R"({"httpMethod":"POST","path":"/prod/v1/orders","status":"201"})");
  recording.add(R"({"httpMethod":"GET","path":"/prod/v1/nothing","status":"404"})");
  recording.add("nonsense");
  EXPECT_EQ(recording.taken(), 4u);
  EXPECT_EQ(recording.left_out(), 2u);
  EXPECT_EQ(recording.not_understood(), 1u);
  const auto steps = steps_of(recording.scenario(), *parse_url("http://h/api"), {{"X-A", "b"}});
  ASSERT_TRUE(steps) << steps.error().message;
  ASSERT_EQ(steps->size(), 2u);
  EXPECT_EQ(steps->front().weight, 3);
  EXPECT_EQ(steps->front().endpoint, "/v1/customers/{id}");
  EXPECT_TRUE(steps->front().request.head.starts_with("GET /api/v1/customers/42 HTTP/1.1\r\nX-A: b\r\n"));
}

TEST(Recording, CutsOffWholeSegmentsOnly) {
  for (const char* front : {"/prod", "/prod/"}) {
    Recording recording(front);
    for (const char* path : {"/prod/v1/a", "/products/1", "/prod"}) {
      recording.add(std::string(R"({"httpMethod":"GET","status":"200","path":")") + path + "\"}");
    }
    EXPECT_EQ(recording.taken(), 3u);
    std::set<std::string> paths;
    const auto scenario = recording.scenario();
    for (const auto& one : *scenario["requests"].as_array()) paths.emplace(one["path"].string_or(""));
    EXPECT_TRUE(paths.contains("/v1/a") && paths.contains("/products/1")) << front;
  }
}

TEST(WithoutSecrets, ReplacesWhatLooksLikeOne) {
  EXPECT_EQ(without_secrets("/reset/4f8a9b2c1d3e5f6a7b8c9d0e/now?x=1"), "/reset/redacted/now");
  EXPECT_EQ(without_secrets("/u/a@example.com"), "/u/redacted");
  EXPECT_EQ(without_secrets("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2ln"), "/t/redacted");
  for (const char* secret :
       {// keys as their services write them
        "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", "ya29.a0AfB_byC-xyz123",
        "ghp_16C7e42F292c6912E7", "xoxb-17653672481-19874698323", "sk_live_4eC39HqLyjWDarjtT1", "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyD-9tSrke72PouQMnMX",
        // tokens in pieces, behind dots, dashes and in other alphabets
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "a1b2c3d4.e5f6a7b8.c9d0e1f2", "AB12-CD34-EF56-GH78-IJ90",
        "dGhpcy1-c29tZXRoaW5n_MTIz", "NWFiY2RlZmdoaWprbG1ub3A", "qXwZrTyPsDfGhJkLzXcVbNmQw",
        "4f8a9b2c1d3e5f6a7b8c9d0e.json", "%65yJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "%2565yJhbGciOiJIUzI1NiJ9%252EeyJzdWIiOiIxIn0.c2ln", "%zz",
        // people
        "a%40example.com", "a%2540example.com", "4111111111111111", "user:pw@host"}) {
    EXPECT_EQ(without_secrets(std::string("/x/") + secret + "/y?q"), "/x/redacted/y") << secret;
  }
  EXPECT_EQ(without_secrets("/shop;jsessionid=0A1B/cart;v=1;t=hunter2/x"), "/shop/cart/x");
  EXPECT_EQ(without_secrets("/shop%3Bjsessionid=0A1B/cart%3Ftoken=a"), "/shop/cart");
  EXPECT_EQ(without_secrets("/a/token=hunter/b"), "/a/token=redacted/b");
  EXPECT_EQ(without_secrets("/a/x%3Dhunter,y/b"), "/a/x=redacted/b");
  EXPECT_EQ(without_secrets("/password/reset/4711"), "/password/reset/redacted");
  EXPECT_EQ(without_secrets("/Invite//123e4567-e89b-12d3-a456-426614174000"), "/Invite//redacted");
  EXPECT_EQ(without_secrets("/files/a%2Ftoken%2FXy9"), "/files/redacted");
  for (const char* plain :
       {"/v1/customers/42/invoices", "/blog/2026-11-27-how-we-write-load-tests-that-tell-the-truth", "/token/refresh",
        "/reset/{token}", "/customerInvoicesByMonth/latest", "/assets/logo-512x512.png", "/static/chunk-BxY7k2Q9.js",
        "/a/b.json", "/robots.txt", "/.well-known/openid-configuration", "/docs/rfc9110.html", "/search/caf%C3%A9",
        "/orders/1234567890123", "/basic/key-value/hooks-and-more", "/", ""}) {
    EXPECT_EQ(without_secrets(plain), plain);
  }
  EXPECT_EQ(without_secrets("/o/123e4567-e89b-12d3-a456-426614174000"), "/o/123e4567-e89b-12d3-a456-426614174000");
  EXPECT_EQ(without_secrets("/assets/index.4f8a9b2c1d3e5f6a.js"), "/assets/index.4f8a9b2c1d3e5f6a.js");
}

}  // namespace
}  // namespace securebase::load
