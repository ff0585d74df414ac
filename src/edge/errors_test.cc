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

}  // namespace
}  // namespace securebase::edge
