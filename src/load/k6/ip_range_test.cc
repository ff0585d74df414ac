#include "k6/ip_range.h"

#include <gmock/gmock.h>

namespace securebase::k6 {
namespace {

using testing::HasSubstr;

bool holds(std::string_view range, std::string_view address) {
  const auto all = ip_range_from(range);
  const auto one = ip_range_from(address);
  EXPECT_TRUE(all.has_value()) << range;
  EXPECT_TRUE(one.has_value()) << address;
  return all && one && all->contains(*one);
}

TEST(IpRange, HoldsWhatItSays) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.1.2"));
  EXPECT_TRUE(holds("10.9.9.9/8", "10.0.0.0"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(holds("0.0.0.0/0", "::1"));
  EXPECT_TRUE(holds("192.168.0.10-192.168.0.25", "192.168.0.25"));
  EXPECT_FALSE(holds("192.168.0.10-192.168.0.25", "192.168.0.26"));
  EXPECT_TRUE(holds("fd00::/120", "fd00::ff"));
  EXPECT_FALSE(holds("fd00::/120", "fd00::1:0"));
  EXPECT_TRUE(holds("::1", "::1"));
  for (const char* wrong : {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "::/129"}) {
    EXPECT_FALSE(ip_range_from(wrong).has_value()) << wrong;
  }
}

TEST(LocalAddresses, AreGivenToUsersOneAfterTheOther) {
  const auto addresses = LocalAddresses::from("10.0.0.1,10.0.1.254-10.0.2.1,192.168.7.0/30,fd00::fffe/127");
  ASSERT_TRUE(addresses.has_value()) << addresses.error().message;
  std::vector<std::string> given;
  for (int user = 1; user <= 10; ++user) given.push_back(addresses->of_user(user));
  EXPECT_THAT(given, testing::ElementsAre("10.0.0.1", "10.0.1.254", "10.0.1.255", "10.0.2.0", "10.0.2.1", "192.168.7.1",
                                          "192.168.7.2", "fd00::fffe", "fd00::ffff", "10.0.0.1"));
  EXPECT_EQ(LocalAddresses::from("")->of_user(1), "");
  EXPECT_EQ(LocalAddresses::from("fd00::/16")->of_user(300), "fd00::12b");
  EXPECT_THAT(LocalAddresses::from("10.0.0.1,x").error().message, HasSubstr("--local-ips: 'x' is not an address"));
}

}  // namespace
}  // namespace securebase::k6
