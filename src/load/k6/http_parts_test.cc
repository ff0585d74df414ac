#include <gmock/gmock.h>

#include "k6/body_coding.h"
#include "k6/cookie_jar.h"
#include "k6/digest_auth.h"
#include "k6/url.h"

namespace securebase::k6 {
namespace {

using testing::HasSubstr;

Url url_of(std::string_view text) {
  auto url = parse_url(text);
  EXPECT_TRUE(url.has_value()) << text;
  return url ? *url : Url{};
}

TEST(UrlOfRequests, IsCutAndEncoded) {
  const auto url = url_of("https://us%40er:p%3Aw@Example.COM:8443/a b/\xc3\xa4?q={1}#part");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.authority, "example.com:8443");
  EXPECT_EQ(url.target, "/a%20b/%C3%A4?q=%7B1%7D");
  EXPECT_EQ(url.user, "us@er");
  EXPECT_EQ(url.password, "p:w");
  EXPECT_EQ(url_of("http://[::1]/").host, "::1");
  EXPECT_EQ(url_of("http://a").target, "/");
  EXPECT_EQ(url_of("http://a?b").target, "/?b");
  for (const char* wrong :
       {"", "a", "ftp://a/", "http://", "http://a:0/", "http://a:99999/", "http://a b/", "http://[::1/"}) {
    EXPECT_FALSE(parse_url(wrong).has_value()) << wrong;
  }
}

TEST(UrlOfRequests, HostsAreNamedByPatterns) {
  EXPECT_TRUE(host_matches("API.example.com", "api.example.com"));
  EXPECT_TRUE(host_matches("*.Example.com", "api.example.com"));
  EXPECT_FALSE(host_matches("*.example.com", "example.com"));
  EXPECT_TRUE(host_matches("*", "a"));
}

TEST(UrlOfRequests, NamesBelowAHostAreTheHosts) {
  EXPECT_TRUE(is_or_is_below("example.com", "example.com"));
  EXPECT_TRUE(is_or_is_below("api.example.com", "example.com"));
  EXPECT_FALSE(is_or_is_below("badexample.com", "example.com"));
  EXPECT_FALSE(is_or_is_below("example.com", "api.example.com"));
  EXPECT_FALSE(is_or_is_below("10.0.0.1", "0.0.1"));
  EXPECT_FALSE(is_or_is_below("::1", "1"));
}

TEST(UrlOfRequests, ReferencesAreResolved) {
  const auto base = url_of("http://a/b/c/d?q");
  EXPECT_EQ(resolve(base, "../g?y#s")->text(), "http://a/b/g?y");
  EXPECT_EQ(resolve(base, "/g/./h/../i")->text(), "http://a/g/i");
  EXPECT_EQ(resolve(base, "?y")->text(), "http://a/b/c/d?y");
  EXPECT_EQ(resolve(base, "//z/g")->text(), "http://z/g");
  EXPECT_EQ(resolve(base, "https://z:1/")->text(), "https://z:1/");
  EXPECT_EQ(resolve(base, "")->text(), "http://a/b/c/d?q");
}

TEST(Cookies, GoWhereTheyBelong) {
  const base::TimePoint now{std::chrono::seconds{1'700'000'000}};
  const auto url = url_of("https://api.example.com/v1/login");
  CookieJar jar;
  for (const char* field : {"s=1; Path=/; Secure; HttpOnly", "p=2", "d=3; Domain=example.com; Path=/",
                            "x=4; Domain=other.com", "t=5; Domain=com"}) {
    if (auto cookie = parse_set_cookie(url, field, now)) jar.put(*cookie, now);
  }
  const auto names = [&](std::string_view to) {
    std::string all;
    for (const Cookie* cookie : jar.for_url(url_of(to), now)) all += cookie->name;
    return all;
  };
  EXPECT_EQ(names("https://api.example.com/v1/x"), "psd");
  EXPECT_EQ(names("https://api.example.com/"), "sd");
  EXPECT_EQ(names("http://api.example.com/"), "d");
  EXPECT_EQ(names("https://www.example.com/"), "d");
  EXPECT_EQ(names("https://badexample.com/"), "");
  jar.put(*parse_set_cookie(url, "d=; Domain=example.com; Path=/; Max-Age=0", now), now);
  EXPECT_EQ(names("https://www.example.com/"), "");
}

TEST(Cookies, AreSentInTheOrderInWhichTheirNamesCame) {
  const base::TimePoint now{std::chrono::seconds{1'700'000'000}};
  const auto url = url_of("http://a/");
  CookieJar jar;
  for (const char* field : {"a=1", "b=2", "a=3"}) jar.put(*parse_set_cookie(url, field, now), now);
  const auto found = jar.for_url(url, now);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]->value, "3");
}

TEST(Cookies, ThatCannotStandInAFieldAreNone) {
  const base::TimePoint now{std::chrono::seconds{1'700'000'000}};
  for (const char* field : {"a=x\r\nHost: evil", "a=x\ny", "a\x01=1", "a=1; Path=/\x7f"}) {
    EXPECT_FALSE(parse_set_cookie(url_of("http://a/"), field, now).has_value()) << field;
  }
  const auto far = parse_set_cookie(url_of("http://a/"), "a=1; Max-Age=99999999999999999999", now);
  ASSERT_TRUE(far && far->expires) << "more seconds than there are is a long time, not none";
  EXPECT_GT(*far->expires, now + std::chrono::hours{24});
}

TEST(Cookies, DatesOfEveryFormAreRead) {
  const auto expected = base::TimePoint{std::chrono::seconds{784'111'777}};
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    const auto date = parse_cookie_date(text);
    ASSERT_TRUE(date.has_value()) << text;
    EXPECT_EQ(*date, expected);
  }
  EXPECT_FALSE(parse_cookie_date("soon").has_value());
}

TEST(BodyCoding, GoesThereAndBack) {
  const std::string text(100'000, 'x');
  for (const char* coding : {"gzip", "deflate", "br", "zstd", "gzip, br"}) {
    auto coded = encode_body(coding, text);
    ASSERT_TRUE(coded.has_value()) << coding;
    EXPECT_LT(coded->size(), text.size());
    auto decoded = decode_body(coding, *coded);
    ASSERT_TRUE(decoded.has_value()) << coding;
    EXPECT_EQ(*decoded, text);
    EXPECT_FALSE(decode_body(coding, coded->substr(0, coded->size() / 2)).has_value()) << coding;
  }
  EXPECT_FALSE(encode_body("lzw", "a").has_value());
}

TEST(BodyCoding, ReadsAllMembersOfAFileOfGzip) {
  const auto two = *encode_body("gzip", "one ") + *encode_body("gzip", "two");
  EXPECT_EQ(*decode_body("gzip", two), "one two");
  EXPECT_EQ(*decode_body("gzip", *encode_body("gzip", "one") + std::string(512, '\0')), "one") << "filled up, as tapes";
}

TEST(BodyCoding, LeavesWhatItDoesNotKnow) {
  EXPECT_EQ(*decode_body("identity, lzw", "text"), "text");
  EXPECT_EQ(*decode_body("gzip, aws-chunked", *encode_body("gzip", "text")), "text");
}

TEST(BodyCoding, ABombIsTold) {
  // 260 MiB of blanks, and then once more: some kilobytes.
  std::string bomb = *encode_body("gzip", std::string(std::size_t{260} << 20, ' '));
  bomb = *encode_body("gzip", bomb);
  EXPECT_LT(bomb.size(), 10'000U);
  EXPECT_THAT(decode_body("gzip, gzip", bomb).error().message, HasSubstr("larger than 256 MiB"));
}

TEST(DigestAuth, QuotesWhatItSends) {
  const auto challenge = "Digest realm=\"a \\\"b\\\"\", nonce=\"n\", qop=\"auth-int,auth\"";
  const auto answer = answer_digest(challenge, "jo\"e", "p", "GET", "/", "c");
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer, HasSubstr("username=\"jo\\\"e\", realm=\"a \\\"b\\\"\""));
  EXPECT_FALSE(answer_digest(challenge, "joe\r\nHost: x", "p", "GET", "/", "c").has_value());
  EXPECT_FALSE(
      answer_digest("Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\"", "a", "b", "GET", "/", "c").has_value());
}

TEST(DigestAuth, AnswersTheExampleOfTheStandard) {
  // RFC 7616 §3.9.1.
  const auto answer = answer_digest(
      "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
      "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
      "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
      "Mufasa", "Circle of Life", "GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer, HasSubstr("response=\"8ca523f5e9506fed4657c9700eebdbec\""));
  EXPECT_FALSE(answer_digest("Basic realm=x", "a", "b", "GET", "/", "c").has_value());
}

}  // namespace
}  // namespace securebase::k6
