// Fetches that many share, bodies that are streamed through, viewers that leave.
#include "edge/engine_test.h"

namespace securebase::edge {
namespace {

TEST_F(EdgeTest, FetchesOnceForAThousand) {
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(1000);
  worker_.run_until_done(ask_all(answers));
  go.notify_all();
  worker_.run_until_done(settled());
  EXPECT_EQ(origin_.seen.size(), 1U);
  for (const auto& answer : answers) EXPECT_EQ(answer.body, "hello");
}

TEST_F(EdgeTest, LetsEachFetchTheirOwnWhatIsNotShareable) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "no-store");
    response.body = "own";
    return response;
  };
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(10);
  worker_.run_until_done(ask_all(answers));
  origin_.hold = nullptr;
  go.notify_all();
  worker_.run_until_done(settled());
  EXPECT_EQ(origin_.seen.size(), 10U);
  for (const auto& answer : answers) EXPECT_EQ(answer.body, "own");
}

}  // namespace
}  // namespace securebase::edge
