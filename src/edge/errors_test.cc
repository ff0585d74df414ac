// Origins that fail: pages in their place, stale responses, how long an error is kept.
#include "edge/engine_test.h"

namespace securebase::edge {
namespace {

TEST_F(EdgeTest, ServesStaleOnesWhenTheOriginFails) {
  bool broken = false;
  origin_.answers = [&](const OriginRequest&, const Caller&) {
    http::Response response;
    response.status = broken ? 500 : 200;
    response.headers.add("Cache-Control", "max-age=10, stale-if-error=100");
    response.body = broken ? "broken" : "fine";
    return response;
  };
  get("/a");
  broken = true;
  clock_.advance(50s);
  EXPECT_EQ(get("/a").body, "fine");
  clock_.advance(100s);
  EXPECT_EQ(get("/a").body, "broken");
}

TEST_F(EdgeTest, KeepsWhatMayBeServedWhenItsRefreshFails) {
  bool broken = false;
  origin_.answers = [&](const OriginRequest&, const Caller&) {
    http::Response response;
    response.status = broken ? 500 : 200;
    if (!broken) response.headers.add("Cache-Control", "max-age=10, stale-while-revalidate=100");
    response.body = broken ? "broken" : "fine";
    return response;
  };
  get("/a");
  broken = true;
  clock_.advance(20s);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/a").body, "fine");
  EXPECT_EQ(origin_.seen.size(), 4U) << "each time, a refresh was tried";
  broken = false;
  get("/a");
  EXPECT_EQ(get("/a").headers.get("Cache-Status"), "securebase; hit");
  broken = true;
  clock_.advance(120s);
  EXPECT_EQ(get("/a").body, "broken");
}

TEST_F(EdgeTest, ShowsThePageOfACustomErrorResponse) {
  config_.errors[404] = {404, 200, "/index.html", 10s};
  origin_.answers = [](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.status = request.path == "/index.html" ? 200 : 404;
    response.body = request.path == "/index.html" ? "the page" : "nothing";
    return response;
  };
  const auto page = get("/screen");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "the page");
  get("/screen");
  EXPECT_EQ(origin_.seen.size(), 2U);
  clock_.advance(11s);
  get("/screen");
  EXPECT_EQ(origin_.seen.size(), 4U);
}

TEST_F(EdgeTest, KeepsAnErrorForItsOwnTime) {
  config_.errors[404] = {404, std::nullopt, "", 60s};
  config_.errors[503] = {503, std::nullopt, "", 0s};
  int status = 404;
  origin_.answers = [&status](const OriginRequest&, const Caller&) {
    http::Response response;
    response.status = status;
    response.body = "nothing";
    return response;
  };
  get("/a");
  clock_.advance(59s);
  const auto kept = get("/a");
  EXPECT_EQ(kept.status, 404);
  EXPECT_EQ(kept.headers.get("Cache-Status"), "securebase; hit");
  EXPECT_EQ(kept.x_cache(), "Error from cloudfront");
  clock_.advance(2s);
  get("/a");
  EXPECT_EQ(origin_.seen.size(), 2U);
  status = 503;
  get("/b");
  get("/b");
  EXPECT_EQ(origin_.seen.size(), 4U) << "a time of 0 is none";
  status = 500;
  get("/c");
  clock_.advance(9s);
  get("/c");
  EXPECT_EQ(origin_.seen.size(), 5U) << "10 seconds when nothing is said";
}

TEST_F(EdgeTest, ShowsThePageToThoseWhoAreRefusedAsWell) {
  config_.errors[401] = {401, 401, "/login.html", std::nullopt};
  config_.origins.push_back({});
  config_.origins[1].domain_name = "pages";
  auto pages = behaviour_of("/login.html");
  pages.origin = 1;
  config_.behaviours.insert(config_.behaviours.begin(), pages);
  FakeOrigin bucket;
  bucket.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=31536000");
    response.headers.add("ETag", "\"page\"");
    response.body = "please log in";
    return response;
  };
  origin_.gate = true;
  make_origin_ = [&](const OriginConfig& config) {
    return std::make_unique<Shared>(config.domain_name == "pages" ? bucket : origin_);
  };
  const auto refused = get("/a");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body, "please log in");
  EXPECT_FALSE(refused.headers.has("ETag")) << "the page's lifetime is not the refusal's";
  EXPECT_NE(refused.headers.get("Cache-Control"), "max-age=31536000");
  EXPECT_EQ(get("/a", {{"Authorization", "ann"}}).body, "hello");
  configure_again();
}

TEST_F(EdgeTest, AsksAnOriginThatIsDownOnceInTenSeconds) {
  origin_.failure = Error{Errc::kUnavailable, "connection refused"};
  EXPECT_EQ(get("/a").status, 502);
  EXPECT_EQ(get("/a").status, 502);
  EXPECT_EQ(origin_.seen.size(), 1U);
  origin_.failure = Error{Errc::kTimeout, "no answer"};
  clock_.advance(11s);
  EXPECT_EQ(get("/a").status, 504);
  origin_.failure.reset();
  clock_.advance(11s);
  EXPECT_EQ(get("/a").body, "hello");
}

TEST_F(EdgeTest, ForgetsNothingWhenItsOriginIsDown) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=10, stale-if-error=100");
    response.body = "fine";
    return response;
  };
  get("/a");
  clock_.advance(20s);
  origin_.failure = Error{Errc::kUnavailable, "connection refused"};
  EXPECT_EQ(get("/a").body, "fine");
  clock_.advance(80s);
  EXPECT_EQ(get("/a").body, "fine");
  clock_.advance(20s);
  EXPECT_EQ(get("/a").status, 502);
}

}  // namespace
}  // namespace securebase::edge
