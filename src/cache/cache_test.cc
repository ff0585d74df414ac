#include <gtest/gtest.h>

#include "cache/client.h"
#include "cache/node_types.h"
#include "cache/sweep.h"

namespace securebase::cache {
namespace {

TEST(PrefixRule, TiesTheKeysOfOneTenantOnly) {
  EXPECT_TRUE(is_tied("invoices:42:list", "customer:42"));
  EXPECT_TRUE(is_tied("metrics:42", "customer:42"));
  EXPECT_TRUE(is_tied("session:web:42:cart", "customer:42"));
  EXPECT_TRUE(is_tied("invoices:42:list", "invoices:42"));
  EXPECT_FALSE(is_tied("metrics:42:30d", "invoices:42"));
  EXPECT_FALSE(is_tied("invoices:421:list", "customer:42"));
  EXPECT_FALSE(is_tied("invoices:4", "customer:42"));
  EXPECT_FALSE(is_tied("tag:customer:42", "customer:42"));
  EXPECT_FALSE(is_tied("invoices:42", "invoices"));
  EXPECT_FALSE(is_tied("plain", "customer:42"));
}

TEST(Replies, AreTheSameHoweverTheBytesAreCut) {
  const std::string text = "*2\r\n$1\r\n7\r\n*3\r\n$3\r\na:1\r\n$-1\r\n:5\r\n";
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    std::string_view part = std::string_view(text).substr(0, cut);
    auto reply = take_reply(part);
    ASSERT_TRUE(reply) << cut;
    EXPECT_FALSE(reply->has_value()) << cut;
    EXPECT_EQ(part.size(), cut) << "nothing was taken";
  }
  std::string_view whole = text;
  auto reply = take_reply(whole);
  ASSERT_TRUE(reply && *reply);
  EXPECT_TRUE(whole.empty());
  EXPECT_EQ((*reply)->elements[0].text, "7");
  EXPECT_EQ((*reply)->elements[1].elements[0].text, "a:1");
  EXPECT_EQ((*reply)->elements[1].elements[1].kind, Reply::Kind::kNull);
  EXPECT_EQ((*reply)->elements[1].elements[2].integer, 5);
}

TEST(Replies, RefuseWhatIsNoReply) {
  for (const char* bad : {"x\r\n", "$-2\r\n", "$99999999999\r\n", ":1x\r\n", "*1\r\n\r\n", "$1\r\nabc\r\n", "\r\n",
                          "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    std::string_view bytes = bad;
    EXPECT_FALSE(take_reply(bytes)) << bad;
  }
}

TEST(NodeTypes, HaveTheirMemory) {
  EXPECT_EQ(memory_of_node_type("cache.r6g.large"), static_cast<std::uint64_t>(13.07 * (1 << 30)));
  EXPECT_EQ(memory_of_node_type("cache.x"), std::nullopt);
}

}  // namespace
}  // namespace securebase::cache
