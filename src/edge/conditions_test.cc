// Conditions, ranges, encodings, Vary: what of a stored response a viewer gets.
#include "edge/engine_test.h"

namespace securebase::edge {
namespace {

TEST_F(EdgeTest, AnswersConditionsAndRangesFromWhatIsStored) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("ETag", "\"v1\"");
    response.headers.add("Cache-Control", "max-age=300");
    response.body = "0123456789";
    return response;
  };
  EXPECT_EQ(get("/a", {{"Range", "bytes=2-4"}}).body, "234");
  EXPECT_EQ(get("/a", {{"If-None-Match", "W/\"v1\""}}).status, 304);
  const auto part = get("/a", {{"Range", "bytes=-3"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "789");
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 7-9/10");
  EXPECT_EQ(get("/a", {{"Range", "bytes=20-"}}).status, 416);
  EXPECT_EQ(get("/a", {{"Range", "bytes=0-1"}, {"If-Range", "\"v0\""}}).status, 200);
  const auto parts = get("/a", {{"Range", "bytes=0-1,8-9"}});
  EXPECT_EQ(parts.status, 206);
  EXPECT_THAT(std::string(*parts.headers.get("Content-Type")), HasSubstr("multipart/byteranges"));
  EXPECT_THAT(parts.body, HasSubstr("Content-Range: bytes 8-9/10\r\n\r\n89"));
  EXPECT_EQ(get("/a", {}, "HEAD").x_cache(), "Hit from cloudfront");
  EXPECT_EQ(origin_.seen.size(), 1U);
}

TEST_F(EdgeTest, RevalidatesWhatHasAValidator) {
  bool changed = false;
  origin_.answers = [&](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=10");
    response.headers.add("ETag", "\"v1\"");
    if (!changed && request.headers.get("If-None-Match") == "\"v1\"") {
      response.status = 304;
      return response;
    }
    response.body = changed ? "new" : "old";
    return response;
  };
  get("/a");
  clock_.advance(11s);
  const auto renewed = get("/a");
  EXPECT_EQ(renewed.x_cache(), "RefreshHit from cloudfront");
  EXPECT_EQ(renewed.body, "old");
  EXPECT_EQ(get("/a").x_cache(), "Hit from cloudfront");
  changed = true;
  clock_.advance(11s);
  EXPECT_EQ(get("/a").body, "new");
}

TEST_F(EdgeTest, SharesNoRefreshThatBecamePrivate) {
  bool is_private = false;
  origin_.answers = [&](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", is_private ? "private" : "max-age=10");
    response.headers.add("ETag", "\"v1\"");
    if (request.headers.get("If-None-Match") == "\"v1\"") response.status = 304;
    response.body = response.status == 304 ? "" : "body";
    return response;
  };
  get("/a");
  is_private = true;
  clock_.advance(11s);
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(3);
  worker_.run_until_done(ask_all(answers));
  origin_.hold = nullptr;
  go.notify_all();
  worker_.run_until_done(settled());
  EXPECT_EQ(origin_.seen.size(), 4U) << "each asked for themselves";
  for (const auto& answer : answers) EXPECT_EQ(answer.body, "body");
}

TEST_F(EdgeTest, HandsTheConditionsOfAWriteToItsOrigin) {
  for (const bool gate : {false, true}) {
    origin_.gate = gate;
    origin_.seen.clear();
    get("/a",
        {{"Authorization", "ann"}, {"If-Match", "\"v1\""}, {"If-Unmodified-Since", "Mon, 01 Jan 2024 00:00:00 GMT"}},
        "PUT");
    ASSERT_EQ(origin_.seen.size(), 1U);
    EXPECT_EQ(origin_.seen[0].headers.get("If-Match"), "\"v1\"") << "without it, another's change would be lost";
    EXPECT_TRUE(origin_.seen[0].headers.has("If-Unmodified-Since"));
    configure_again();
  }
}

TEST_F(EdgeTest, KeepsWhatVariesApart) {
  config_.behaviours[0].more_headers = {Selection::Kind::kSome, {"accept-language"}};
  origin_.answers = [](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300");
    response.headers.add("Vary", "Accept-Language");
    response.body = std::string(request.headers.get("Accept-Language").value_or(""));
    return response;
  };
  EXPECT_EQ(get("/a", {{"Accept-Language", "de"}}).body, "de");
  EXPECT_EQ(get("/a", {{"Accept-Language", "fr"}}).body, "fr");
  EXPECT_EQ(get("/a", {{"Accept-Language", "de"}}).x_cache(), "Hit from cloudfront");
  EXPECT_EQ(origin_.seen.size(), 2U);
}

TEST_F(TwoTenants, SeeTagsTurnStaleInEveryVariant) {
  const std::string large(5000, 'x');
  origin_.answers = [&](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Content-Type", "text/html");
    response.headers.add("Cache-Control", "max-age=300, public");
    response.headers.add("Cache-Tag", "customer:42");
    response.body = large;
    return response;
  };
  const std::vector<std::string> codings = {"identity", "gzip", "br"};
  for (const auto& coding : codings) get("/a", {{"Authorization", "ann"}, {"Accept-Encoding", coding}});
  EXPECT_EQ(origin_.seen.size(), 1U);
  for (const auto& coding : codings) {
    const auto hit = get("/a", {{"Authorization", "ann"}, {"Accept-Encoding", coding}});
    EXPECT_EQ(hit.x_cache(), "Hit from cloudfront");
    EXPECT_EQ(hit.headers.get("Content-Encoding").value_or("identity"), coding);
  }
  for (const auto& coding : codings) {
    EXPECT_TRUE(engine().invalidate({}, {}, {"CUSTOMER:42"}, Strength::kHard));
    EXPECT_EQ(get("/a", {{"Authorization", "ann"}, {"Accept-Encoding", coding}}).x_cache(), "Miss from cloudfront");
  }
}

TEST_F(EdgeTest, KeepsOneResponseForAllEncodings) {
  const std::string text(4000, 'x');
  origin_.answers = [&text](const OriginRequest& request, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300");
    response.headers.add("Content-Type", "text/css");
    response.headers.add("Vary", "Accept-Encoding, Origin");
    response.headers.add("X-Asked", request.headers.get("Accept-Encoding").value_or("nothing"));
    response.body = text;
    return response;
  };
  const auto brotli = get("/a", {{"Accept-Encoding", "gzip;q=0.5, br, zstd"}});
  EXPECT_EQ(brotli.headers.get("Content-Encoding"), "br");
  EXPECT_LT(brotli.body.size(), 100U);
  EXPECT_THAT(brotli.headers.joined("Vary"), HasSubstr("Accept-Encoding"));
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip"}}).headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "br;q=0, gzip;q=0"}}).body, text);
  EXPECT_EQ(get("/a").body, text);
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "br"}, {"Range", "bytes=0-3"}}).body, "xxxx") << "ranges are of the plain";
  EXPECT_EQ(origin_.seen.size(), 1U);
}

TEST_F(EdgeTest, StoresNothingThatVariesByEverything) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300");
    response.headers.add("Vary", "*");
    return response;
  };
  get("/a");
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
}

TEST_F(EdgeTest, AnswersHeadFromAStoredGetAndNotTheOtherWayRound) {
  EXPECT_EQ(get("/a", {}, "HEAD").x_cache(), "Miss from cloudfront");
  EXPECT_EQ(origin_.seen.at(0).method, http::Method::kHead);
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront") << "a HEAD has no body that could be kept";
  const auto head = get("/a", {}, "HEAD");
  EXPECT_EQ(head.x_cache(), "Hit from cloudfront");
  EXPECT_EQ(head.length, 5U);
  EXPECT_EQ(origin_.seen.size(), 2U);
}

}  // namespace
}  // namespace securebase::edge
