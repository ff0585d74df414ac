#include "logs/patterns/pattern.h"

#include <gtest/gtest.h>

namespace securebase::logs {
namespace {

bool matches(std::string_view pattern, std::string_view message) {
  auto compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern << ": " << compiled.error().message;
  return compiled && compiled->matches(message);
}

TEST(Pattern, FindsTerms) {
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches(" ", ""));
  EXPECT_TRUE(matches("ERROR", "[ERROR] no"));
  EXPECT_FALSE(matches("ERROR", "[error] no"));
  EXPECT_TRUE(matches("ERROR Exception", "ERROR: an Exception"));
  EXPECT_FALSE(matches("ERROR Exception", "ERROR"));
  EXPECT_TRUE(matches("?ERROR ?WARN", "WARN x"));
  EXPECT_FALSE(matches("?ERROR ?WARN", "INFO x"));
  EXPECT_TRUE(matches("ERROR -retry", "ERROR now"));
  EXPECT_FALSE(matches("ERROR -retry", "ERROR retry"));
  EXPECT_TRUE(matches("\"not found: x\"", "it was not found: x"));
  EXPECT_FALSE(matches("\"not found: x\"", "it was found: x"));
  EXPECT_TRUE(matches("%Duration: [0-9]{3,}%", "Duration: 1234 ms"));
  EXPECT_FALSE(matches("%Duration: [0-9]{3,}%", "Duration: 12 ms"));
}

TEST(Pattern, FindsFieldsBetweenSpaces) {
  constexpr auto kLine = R"(127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534)";
  EXPECT_TRUE(matches("[ip, server, username, timestamp, request, status_code, bytes]", kLine));
  EXPECT_FALSE(matches("[ip, server]", kLine));
  EXPECT_TRUE(matches("[ip, ..., status_code, bytes]", kLine));
  EXPECT_TRUE(matches("[ip, server, username, timestamp, request, status_code=4*, bytes>1000]", kLine));
  EXPECT_FALSE(matches("[ip, server, username, timestamp, request, status_code=4*, bytes>2000]", kLine));
  EXPECT_TRUE(matches("[..., request=*html*, status_code=404 || status_code=410, bytes]", kLine));
  EXPECT_TRUE(matches("[..., status_code=404 && status_code!=410, bytes]", kLine));
  EXPECT_TRUE(matches("[ip=%127\\.0\\.0\\.[0-9]%, ...]", kLine));
  EXPECT_TRUE(matches("[w1=ERROR, w2]", "ERROR x"));
  EXPECT_TRUE(matches("[a = 1 && b != 3, b]", "1 2"));
  EXPECT_FALSE(matches("[a, b > 10]", "x infinity")) << "a word, not a number";
}

TEST(Pattern, FindsJson) {
  constexpr auto kLine =
      R"({"level":"ERROR","ms":120.5,"ok":true,"none":null,"tags":["a","b"],"user":{"id":7,"a b":"x"},"ip":"10.1.2.3"})";
  EXPECT_TRUE(matches("{ $.level = \"ERROR\" }", kLine));
  EXPECT_TRUE(matches("{ $.level = ERR* }", kLine));
  EXPECT_TRUE(matches("{ $.level != INFO }", kLine));
  EXPECT_FALSE(matches("{ $.absent != INFO }", kLine));
  EXPECT_TRUE(matches("{ $.ms > 120 && $.ms <= 120.5 }", kLine));
  EXPECT_TRUE(matches("{ ($.ms > 1000 || $.user.id = 7) && $.ok IS TRUE }", kLine));
  EXPECT_FALSE(matches("{ $.ms > 1000 || $.user.id = 8 }", kLine));
  EXPECT_TRUE(matches("{ $.tags[0] = a }", kLine));
  EXPECT_TRUE(matches("{ $.tags[*] = b }", kLine));
  EXPECT_FALSE(matches("{ $.tags[2] = b }", kLine));
  EXPECT_TRUE(matches("{ $.none IS NULL }", kLine));
  EXPECT_TRUE(matches("{ $.absent NOT EXISTS }", kLine));
  EXPECT_FALSE(matches("{ $.level NOT EXISTS }", kLine));
  EXPECT_TRUE(matches("{ $.user.[\"a b\"] = x }", kLine));
  EXPECT_TRUE(matches("{ $.ip = 10.1.* }", kLine));
  EXPECT_TRUE(matches("{ $.level = %^E.*R$% }", kLine));
  EXPECT_TRUE(matches("{ $.level = ERROR }", std::string("before ") + kLine + " after"));
  EXPECT_FALSE(matches("{ $.level = ERROR }", "no json"));
}

TEST(Pattern, TakesValuesOutOfMessages) {
  const auto json = *Pattern::compile("{ $.ms > 1 }");
  EXPECT_EQ(json.value("$.ms", R"({"ms":12.5})"), "12.5");
  EXPECT_EQ(json.value("$.none", R"({"ms":12.5})"), std::nullopt);
  EXPECT_EQ(json.value("1", "x"), "1");
  const auto fields = *Pattern::compile("[a, b, bytes > 10]");
  EXPECT_EQ(fields.value("$bytes", "x y 20"), "20");
  EXPECT_EQ(fields.extracted("x y 20"),
            (std::map<std::string, std::string>{{"$a", "x"}, {"$b", "y"}, {"$bytes", "20"}}));
  EXPECT_EQ(json.extracted(R"({"ms":12})"), (std::map<std::string, std::string>{{"$.ms", "12"}}));
}

TEST(Pattern, SaysWhatIsWrong) {
  for (const auto* wrong :
       {"{", "{ $.a }", "{ $.a = }", "{ a = 1 }", "{ $.a = 1 } x", "{ ($.a = 1 }", "[a", "[a b]", "[a,,b]",
        "[..., a, ...]", "\"open", "%(%", "{ $.a = 1 && }", "[a >]", "{ $.a IS 1 }", "-", "?"}) {
    const auto compiled = Pattern::compile(wrong);
    ASSERT_FALSE(compiled) << wrong;
    EXPECT_TRUE(compiled.error().message.starts_with("Invalid filter pattern")) << compiled.error().message;
  }
  EXPECT_FALSE(Pattern::compile(std::string(2000, 'x')));
  EXPECT_FALSE(Pattern::compile("{ " + std::string(100, '(') + "$.a = 1" + std::string(100, ')') + " }"));
}

TEST(Pattern, KnowsTextsThatAnIndexCanFind) {
  EXPECT_EQ(Pattern::compile("ERROR \"a b\" -c ?d %e%")->texts(), (std::vector<std::string>{"ERROR", "a b"}));
}

}  // namespace
}  // namespace securebase::logs
