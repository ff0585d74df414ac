#include "k6/platform_hops.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace securebase::k6 {
namespace {

using testing::HasSubstr;

constexpr const char* kHops =
    R"([{"route":"GET /orders","requests":90,"p50_seconds":0.001,"p95_seconds":0.02,
         "around_p95":{"edge":0.0002,"database":0.0195,"cache":0.00001}},
        {"route":"GET /health","requests":10,"p50_seconds":0.001,"p95_seconds":0.002,"around_p95":{}}])";

TEST(PlatformHops, AreAskedForByTheSocketThatWasPassedOn) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  std::string asked;
  std::thread platform([&] {
    char question[200];
    const auto got = recv(ends[1], question, sizeof question, 0);
    asked.assign(question, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    // In two pieces, as sockets do.
    std::string answer = base::Json::parse(kHops)->dump() + "\n";
    EXPECT_EQ(send(ends[1], answer.data(), 10, 0), 10);
    EXPECT_GT(send(ends[1], answer.data() + 10, answer.size() - 10, 0), 0);
  });
  const auto hops = ask_for_hops(ends[0], std::chrono::milliseconds{1500}, 100);
  platform.join();
  EXPECT_EQ(asked, "{\"duration_ms\":1500,\"requests\":100.0}\n");
  ASSERT_TRUE(hops.is_array());
  EXPECT_EQ(hops.as_array()->size(), 2U);
  close(ends[1]);
  EXPECT_TRUE(ask_for_hops(ends[0], std::chrono::milliseconds{1500}, 100).is_null()) << "the other side is gone";
  close(ends[0]);
  EXPECT_TRUE(ask_for_hops(-1, std::chrono::milliseconds{1500}, 100).is_null());
}

TEST(PlatformHops, AreALineForEachRouteTheSlowestFirst) {
  const auto text = hops_text(*base::Json::parse(kHops));
  EXPECT_THAT(text, HasSubstr("GET /orders...: 90 requests, p50 "));
  EXPECT_THAT(text, HasSubstr(": edge "));
  EXPECT_THAT(text, HasSubstr(", database "));
  EXPECT_THAT(text, testing::Not(HasSubstr("cache"))) << "less than half a hundredth";
  EXPECT_LT(text.find("/orders"), text.find("/health"));
  EXPECT_EQ(hops_text(base::Json()), "");
}

}  // namespace
}  // namespace securebase::k6
