#include "lambda/calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"

namespace securebase::lambda {
namespace {

using testing::MatchesRegex;

TEST(Calls, AreSummedUpForEveryInvocation) {
  begin_calls("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0");
  EXPECT_EQ(calls_header(), "");
  { const CallTimer timer(Peer::kSql, "one"); }
  { const CallTimer timer(Peer::kSql, "two"); }
  { const CallTimer timer(Peer::kCache, "GET"); }
  EXPECT_THAT(calls_header(), MatchesRegex("Securebase-Runtime-Calls: sql=2;[0-9]+, cache=1;[0-9]+\r\n"));
  begin_calls("");
  EXPECT_EQ(calls_header(), "");
}

TEST(Calls, OfASampledTraceAreToldToTheDaemonOneByOne) {
  const int daemon = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(daemon, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(getsockname(daemon, reinterpret_cast<sockaddr*>(&address), &length), 0);
  setenv("AWS_XRAY_DAEMON_ADDRESS", ("127.0.0.1:" + std::to_string(ntohs(address.sin_port))).c_str(), 1);

  begin_calls("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
  {
    CallTimer timer(Peer::kSql, "invoices_by_customer");
    timer.fail();
  }
  send_calls();
  char buffer[4096];
  const auto got = recv(daemon, buffer, sizeof buffer, MSG_DONTWAIT);
  close(daemon);
  ASSERT_GT(got, 0);
  const std::string_view datagram(buffer, static_cast<std::size_t>(got));
  const auto line = datagram.find('\n');
  EXPECT_EQ(datagram.substr(0, line), R"({"format":"json","version":1})");
  const auto json = base::Json::parse(datagram.substr(line + 1));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["parent_id"].string_or(""), "53995c3f42cd8ad8");
  EXPECT_EQ((*json)["name"].string_or(""), "PostgreSQL");
  EXPECT_EQ((*json)["sql"]["sanitized_query"].string_or(""), "invoices_by_customer");
  EXPECT_TRUE((*json)["fault"].bool_or(false));
}

}  // namespace
}  // namespace securebase::lambda
