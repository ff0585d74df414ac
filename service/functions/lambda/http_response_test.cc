#include "lambda/http_response.h"

#include <gtest/gtest.h>

namespace securebase::lambda {
namespace {

constexpr std::string_view kGood =
    "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 8476a536\r\nContent-Length:  4 \r\n\r\nbody";

TEST(HttpResponse, GivesTheSameResponseHoweverTheBytesAreCut) {
  for (std::size_t cut = 0; cut <= kGood.size(); ++cut) {
    std::string buffer(kGood.substr(0, cut));
    auto early = take_response(buffer);
    ASSERT_TRUE(early);
    EXPECT_EQ(early->has_value(), cut == kGood.size());
    if (*early) continue;
    buffer += kGood.substr(cut);
    auto response = take_response(buffer);
    ASSERT_TRUE(response && *response);
    EXPECT_EQ((*response)->status, 200);
    EXPECT_EQ((*response)->header("lambda-runtime-aws-request-id"), "8476a536");
    EXPECT_EQ((*response)->body, "body");
    EXPECT_TRUE(buffer.empty());
  }
}

TEST(HttpResponse, LeavesTheNextResponseInTheBuffer) {
  std::string buffer = std::string(kGood) + "HTTP/1.1 202";
  EXPECT_TRUE(take_response(buffer).value());
  EXPECT_EQ(buffer, "HTTP/1.1 202");
}

TEST(HttpResponse, RefusesWhatIsNotStrict) {
  for (const std::string_view head :
       {"HTTP/1.0 200 OK\r\nContent-Length: 0", "HTTP/1.1 20 OK\r\nContent-Length: 0", "HTTP/1.1 100 Continue",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nContent-Length: -1", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999",
        "HTTP/1.1 200 OK\r\nContent Length: 0", "HTTP/1.1 200 OK\r\nContent-Length : 0", "HTTP/1.1 200 OK"}) {
    std::string buffer = std::string(head) + "\r\n\r\n";
    EXPECT_FALSE(take_response(buffer)) << head;
  }
}

TEST(HttpResponse, BoundsAHeadWithoutEnd) {
  std::string buffer = "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'a');
  EXPECT_FALSE(take_response(buffer));
}

}  // namespace
}  // namespace securebase::lambda
