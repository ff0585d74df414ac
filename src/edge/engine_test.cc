// Who may see what, what is stored and for how long, and what an invalidation takes away.
#include "edge/engine_test.h"

namespace securebase::edge {
namespace {

TEST_F(EdgeTest, StoresWhatItFetchedAndTellsItsAge) {
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
  clock_.advance(42s);
  const auto hit = get("/a");
  EXPECT_EQ(hit.x_cache(), "Hit from cloudfront");
  EXPECT_EQ(hit.body, "hello");
  EXPECT_EQ(hit.headers.get("Age"), "42");
  EXPECT_EQ(hit.headers.get("Cache-Status"), "securebase; hit");
  EXPECT_EQ(hit.headers.get("Via"), "1.1 d1.cloudfront.net (CloudFront)");
  EXPECT_EQ(at_once_, 1);
  EXPECT_EQ(origin_.seen.size(), 1U);
  clock_.advance(300s);
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
}

TEST_F(EdgeTest, BoundsTheRemainingTimeByTheValuesBirth) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300, public");
    response.headers.add("Age", "250");
    return response;
  };
  EXPECT_EQ(get("/a").headers.get("Age"), "250");
  clock_.advance(49s);
  EXPECT_EQ(get("/a").headers.get("Age"), "299");
  clock_.advance(1s);
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
}

TEST_F(TwoTenants, GetNothingOfEachOther) {
  const std::string path = "/api/v1/metrics?customer_id=42";
  EXPECT_EQ(get(path, {{"Authorization", "ann"}}).body, "secret of ann");
  const auto own = get(path, {{"Authorization", "ann"}});
  EXPECT_EQ(own.x_cache(), "Hit from cloudfront");
  EXPECT_EQ(own.body, "secret of ann");
  const auto other = get(path, {{"Authorization", "bob"}});
  EXPECT_EQ(other.body, "secret of bob");
  EXPECT_EQ(other.x_cache(), "Miss from cloudfront");
}

TEST_F(TwoTenants, AreAskedForCredentialsBeforeAnythingIsLookedUp) {
  const std::string path = "/api/v1/metrics?customer_id=42";
  get(path, {{"Authorization", "ann"}});
  const auto refused = get(path);
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr("Unauthorized"));
  EXPECT_EQ(refused.x_cache(), "Error from cloudfront");
  EXPECT_EQ(get(path, {{"Authorization", "ann"}}).x_cache(), "Hit from cloudfront");
  EXPECT_EQ(origin_.seen.size(), 1U);
}

TEST_F(TwoTenants, ShareWhatTheRouteDeclaresPublic) {
  origin_.open_paths = {"/v1/pricing"};
  get("/v1/pricing", {{"Authorization", "ann"}});
  EXPECT_EQ(get("/v1/pricing", {{"Authorization", "bob"}}).x_cache(), "Hit from cloudfront");
}

TEST_F(TwoTenants, DoNotReachTheOriginWithWhatIsNotKeyed) {
  get("/a?customer_id=1&evil=2&customer%5Fid=3", {{"Authorization", "ann"}, {"X-Evil", "1"}, {"Cookie", "a=b"}});
  ASSERT_EQ(origin_.seen.size(), 1U);
  EXPECT_EQ(origin_.seen[0].query, "customer_id=1&customer%5Fid=3");
  EXPECT_FALSE(origin_.seen[0].headers.has("X-Evil"));
  EXPECT_FALSE(origin_.seen[0].headers.has("Cookie"));
  EXPECT_EQ(origin_.seen[0].headers.get("X-Forwarded-For"), "192.0.2.1");
  EXPECT_EQ(origin_.seen[0].authority, "api.example.com");
}

TEST_F(EdgeTest, KeepsCallersApartThatOnlyTheOriginKnows) {
  config_.behaviours[0].more_headers.kind = Selection::Kind::kAll;
  origin_.answers = [](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300, public");
    response.body = std::string(request.headers.get("Authorization").value_or("nobody"));
    return response;
  };
  EXPECT_EQ(get("/a", {{"Authorization", "ann"}}).body, "ann");
  EXPECT_EQ(get("/a", {{"Authorization", "bob"}}).body, "bob");
  EXPECT_EQ(get("/a", {{"Authorization", "ann"}}).x_cache(), "Hit from cloudfront");
}

TEST_F(EdgeTest, ServesSoftlyInvalidatedOnesWhileOneRefreshRuns) {
  get("/img/a");
  EXPECT_TRUE(engine().invalidate({}, {"/img/*"}, {}, Strength::kSoft));
  const auto stale = get("/img/a");
  EXPECT_EQ(stale.x_cache(), "Hit from cloudfront");
  EXPECT_THAT(std::string(*stale.headers.get("Cache-Status")), HasSubstr("stale"));
  EXPECT_EQ(origin_.seen.size(), 2U);
  EXPECT_EQ(get("/img/a").headers.get("Cache-Status"), "securebase; hit");
  EXPECT_FALSE(engine().invalidate({}, {"img"}, {}, Strength::kSoft));
  EXPECT_FALSE(engine().invalidate("E9", {"/a"}, {}, Strength::kSoft));
}

TEST_F(EdgeTest, LetsWritersReadWhatTheyWrote) {
  origin_.answers = [](const OriginRequest& request, const Caller&) {
    http::Response response;
    if (request.method == http::Method::kPost) {
      response.status = 201;
      response.headers.add("Cache-Invalidate", "#tickets:42, #api_keys:42");
      return response;
    }
    response.headers.add("Cache-Control", "max-age=300, public");
    response.headers.add("Cache-Tag", "tickets:42");
    return response;
  };
  get("/tickets");
  const auto written = get("/tickets/new", {}, "POST");
  EXPECT_EQ(written.status, 201);
  EXPECT_FALSE(written.headers.has("Cache-Invalidate"));
  EXPECT_EQ(told_, (std::vector<std::string>{"tickets:42", "api_keys:42"}));
  EXPECT_EQ(get("/tickets").x_cache(), "Miss from cloudfront");
}

TEST_F(EdgeTest, ForgetsAPathThatAnUnsafeMethodChanged) {
  get("/a");
  get("/a", {}, "PUT");
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
}

TEST_F(EdgeTest, MatchesKeysAndForwardsOnePath) {
  auto api = behaviour_of("/api/*");
  api.stores = false;
  config_.behaviours.insert(config_.behaviours.begin(), api);
  get("/x/../%61pi/./y");
  EXPECT_EQ(origin_.seen[0].path, "/api/y");
  EXPECT_EQ(get("/a%2Fb").status, 400);
  EXPECT_EQ(get("/a%5c..%5cb").status, 400);
  EXPECT_EQ(get("/a%00").status, 400);
  EXPECT_EQ(get("/api/y").headers.get("Cache-Status"), "securebase; fwd=bypass");
}

TEST_F(EdgeTest, AnswersTheDefaultRootObjectAndRefusesMethods) {
  config_.default_root_object = "/index.html";
  config_.behaviours[0].allowed = method_bit(http::Method::kGet);
  get("/");
  EXPECT_EQ(origin_.seen[0].path, "/index.html");
  EXPECT_EQ(get("/", {}, "DELETE").status, 403);
}

TEST_F(EdgeTest, RefusesAGetWithABody) {
  EXPECT_EQ(get_with_body("/a").status, 403);
  EXPECT_TRUE(origin_.seen.empty());
  EXPECT_EQ(get_with_body("/a", "POST").status, 200);
}

TEST_F(EdgeTest, AnswersOptionsOfTheServerAsAWhole) {
  const auto answer = get("*", {}, "OPTIONS");
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(answer.headers.has("Allow"));
  EXPECT_TRUE(origin_.seen.empty());
}

TEST_F(EdgeTest, StoresNothingThatSaysSo) {
  for (const char* control : {"no-store", "private", "max-age=0"}) {
    origin_.answers = [control](const OriginRequest&, const Caller&) {
      http::Response response;
      response.headers.add("Cache-Control", control);
      return response;
    };
    const std::string path = std::string("/") + control;
    get(path);
    EXPECT_EQ(get(path).x_cache(), "Miss from cloudfront") << control;
  }
}

// ---- HTTPS

TEST_F(EdgeTest, MovesViewersToHttps) {
  config_.behaviours[0].viewer_protocol = ViewerProtocol::kRedirectToHttps;
  const auto moved = get("/a?b=%2F");
  EXPECT_EQ(moved.status, 301);
  EXPECT_EQ(moved.headers.get("Location"), "https://d1.cloudfront.net/a?b=%2F");
  EXPECT_EQ(moved.x_cache(), "Redirect from cloudfront");
  EXPECT_EQ(get("/a", {}, "POST").status, 307) << "a POST has to stay one";
  authority_ = "localhost:8080";
  EXPECT_EQ(get("/a").headers.get("Location"), "https://localhost:8443/a");
  authority_ = "";
  EXPECT_EQ(get("/a").headers.get("Location"), "https://d1.cloudfront.net/a") << "HTTP/1.0 without Host";
  EXPECT_TRUE(origin_.seen.empty());
  scheme_ = "https";
  EXPECT_EQ(get("/a").status, 200);
}

TEST_F(EdgeTest, RefusesWhatIsForHttpsOnly) {
  config_.behaviours[0].viewer_protocol = ViewerProtocol::kHttpsOnly;
  EXPECT_EQ(get("/a").status, 403);
  EXPECT_TRUE(origin_.seen.empty());
  scheme_ = "https";
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
  scheme_ = "http";
  EXPECT_EQ(get("/a").status, 403) << "what is stored is for HTTPS only, too";
}

// ---- What is somebody's own

TEST_F(EdgeTest, NeverSharesASetCookie) {
  for (const auto minimum : {0s, 60s}) {
    config_.behaviours[0].ttl.minimum = minimum;
    configure_again();
    int sessions = 0;
    origin_.answers = [&sessions](const OriginRequest&, const Caller&) {
      http::Response response;
      response.headers.add("Cache-Control", "public, max-age=300, s-maxage=300");
      response.headers.add("Set-Cookie", "session=" + std::to_string(++sessions));
      return response;
    };
    EXPECT_EQ(get("/a").headers.get("Set-Cookie"), "session=1");
    EXPECT_EQ(get("/a").headers.get("Set-Cookie"), "session=2");
    EXPECT_EQ(engine().statistics().stored_bytes, engine().store.statistics().bytes);
  }
}

TEST_F(TwoTenants, GetNoCookieOfEachOtherInOneFlight) {
  origin_.open_paths = {"/a"};
  int sessions = 0;
  origin_.answers = [&sessions](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "public, max-age=300");
    response.headers.add("Set-Cookie", "session=" + std::to_string(++sessions));
    return response;
  };
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(10);
  worker_.run_until_done(ask_all(answers));
  origin_.hold = nullptr;
  go.notify_all();
  worker_.run_until_done(settled());
  std::set<std::string> seen;
  for (const auto& answer : answers) seen.insert(std::string(answer.headers.get("Set-Cookie").value_or("none")));
  EXPECT_EQ(seen.size(), 10U) << "each has a session of their own";
}

}  // namespace
}  // namespace securebase::edge
