#include "net/http/url.h"

#include <gtest/gtest.h>

namespace securebase::http {
namespace {

TEST(Url, IsTakenApart) {
  const auto url = parse_url("https://me:p%40ss@Example.com:8443/hook?x=1");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/hook?x=1");
  EXPECT_EQ(url->user_info, "me:p@ss");
  EXPECT_EQ(url->authority(), "example.com:8443");
  EXPECT_EQ(url->origin(), "https://example.com:8443");
  EXPECT_EQ(url->address().host, "example.com");
}

TEST(Url, HasTheSchemesPortAndARootWhereItNamesNone) {
  EXPECT_EQ(parse_url("HTTPS://h")->port, 443);
  EXPECT_EQ(parse_url("http://h")->port, 80);
  EXPECT_EQ(parse_url("http://h")->target, "/");
  EXPECT_EQ(parse_url("http://h?x")->target, "/?x");
  EXPECT_EQ(parse_url("http://h:80/")->authority(), "h");
  EXPECT_EQ(parse_url("http://[::1]:9090?x")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:9090?x")->authority(), "[::1]:9090");
  EXPECT_EQ(parse_url("http://[::1]:80/")->authority(), "[::1]");
}

TEST(Url, IsReadStrictly) {
  for (const char* text : {"",
                           "h",
                           "://h",
                           "ftp://h/",
                           "http://",
                           "http:///x",
                           "http://a b/",
                           "http://h:/",
                           "http://h:0/",
                           "http://h:99999/",
                           "http://h:x/",
                           "http://h:8x/",
                           "http://h/#y",
                           "http://h\r\n/",
                           "http://h/\x7f",
                           "http://[::1",
                           "http://[::1]9/",
                           "http://[]/",
                           "http://a:b:c/",
                           "http://h%41/",
                           "http://u%4@h/"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
  EXPECT_FALSE(parse_url("http://h/" + std::string(kUrlBytes, 'x')));
  EXPECT_EQ(parse_url("http://a/b@c:0")->host, "a") << "a path is no user";
}

}  // namespace
}  // namespace securebase::http
