#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "logs/insights/syntax.h"

namespace securebase::logs::insights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string complaint(std::string_view text) {
  const auto made = parse_query(text);
  return made ? "none" : made.error().message;
}

std::string place_of_complaint(std::string_view text) {
  const auto made = parse_query(text);
  return made ? "none"
              : std::to_string(made.error().begin_character) + "-" + std::to_string(made.error().end_character);
}

std::string condition(std::string_view text) {
  const auto made = parse_query("filter " + std::string(text));
  if (!made) return made.error().message;
  return std::get<Filter>(made->commands[0].what).condition.canonical();
}

TEST(InsightsParse, TakesEveryCommand) {
  for (const char* text : {
           "fields @timestamp, @message as m, `odd-name`, @duration / 1000 as seconds",
           "FIELDS @timestamp | FILTER level = 'x' | Sort @timestamp DESC | LIMIT 20",
           "fields @duration | filter @type=\"REPORT\" and @initDuration > 0 | stats avg(@initDuration) as cold",
           "filterIndex requestId = 'a'",
           "filterindex requestId in ['a', 'b']",
           "parse \"user=*, method:*\" as user, method",
           "parse @message /user=(?<user>.*?), (?<rest>[/a-z]+)/ | display user",
           "stats count(*), count(), count(@initDuration), pct(@duration, 95) as p95 by bin(5m), path",
           "stats sum(a) / count(*) as n by bin(1 h) as @t | stats max(n) by dateceil(@t, 1d)",
           "sort a desc, b asc, c",
           "head 5",
           "tail 5",
           "fields a | dedup a, b | limit 5",
           "fields jsonParse(@message) as j | unnest j.items into item | fields item.name, j.`odd key`, j.list[0].x",
           "pattern @message | diff",
           "stats count(*) by level | diff previousWeek",
           "filter user in (SOURCE 'g' | filter bad = 1 | fields user)",
           "join type=left left=a right=b where a.id=b.id and a.x=b.y (SOURCE 'g' | fields id, y) | fields a.id, b.y",
           "SOURCE '/aws/lambda/a', '/aws/lambda/b' | fields @message",
           "SOURCE logGroups(namePrefix: ['/aws/lambda/', '/aws/rds']) | limit 1",
           "unmask @message",
           "fields unmask(@message), true as t",
           "filter @message like /(?i)error [/] \\/ x/ and not (a = 1 or b in [1, -2, 'c'])",
           "fields @message\n# a comment | not a command\n| filter a = 1 # to the end\n| limit 3",
       }) {
    EXPECT_EQ(complaint(text), "none") << text;
  }
}

TEST(InsightsParse, BindsAsArithmeticAndLogicDo) {
  EXPECT_EQ(condition("a = 1 or b = 2 and not c = 3"), "((a=1) or ((b=2) and not ((c=3))))");
  EXPECT_EQ(condition("a + b * c ^ 2 ^ d > -x % 3"), "((a+(b*(c^(2^d))))>(-(x)%3))");
  EXPECT_EQ(condition("event-name > 0"), "((event-name)>0)");
  EXPECT_EQ(condition("`event-name` > 0"), "(event-name>0)");
  EXPECT_EQ(condition("not a like 'x'"), "not ((a like \"x\"))");
  EXPECT_EQ(condition("a not like 'x'"), "(a not like \"x\")");
  EXPECT_EQ(condition("a =~ /x\\/y/"), "(a like /x/y/)");
  EXPECT_EQ(condition("a not in ['x', 1]"), "(a not in [\"x\",1])");
  EXPECT_EQ(condition("isPresent(a) and ISEMPTY(b)"), "(ispresent(a) and isempty(b))");
  EXPECT_EQ(condition("a.0.b = 1e3"), "(a.0.b=1000)");
}

TEST(InsightsParse, NamesColumnsAsTheyWereWritten) {
  const auto made = parse_query("stats  avg( @duration ) , count(*) as n  by  bin( 5m ), a.b");
  ASSERT_TRUE(made);
  const auto& stats = std::get<Stats>(made->commands[0].what);
  EXPECT_EQ(stats.values[0].name, "avg( @duration )");
  EXPECT_EQ(stats.values[1].name, "n");
  EXPECT_EQ(stats.by[0].name, "bin( 5m )");
  EXPECT_EQ(stats.by[1].name, "a.b");
  EXPECT_EQ(stats.values[0].expression.canonical(), "avg(@duration)");
}

TEST(InsightsParse, ReadsTextsWithTheirEscapes) {
  const auto made = parse_query(R"(filter a in ["say \"hi\"", 'it''s', 'C:\dir', "tab\t"])");
  ASSERT_FALSE(made) << "two texts that touch are no text";
  EXPECT_EQ(condition(R"(a = 'C:\dir\\x')"), R"((a="C:\\dir\\x"))");
  EXPECT_EQ(condition(R"(a = "say \"hi\"")"), R"((a="say \"hi\""))");
}

TEST(InsightsParse, SaysWhatItExpectedAndWhere) {
  EXPECT_EQ(complaint(""),
            "expected a command such as fields, filter, parse, stats, sort or limit, got the end of "
            "the query");
  EXPECT_EQ(complaint("field @message"), "there is no command \"field\"; did you mean fields?");
  EXPECT_EQ(place_of_complaint("field @message"), "0-5");
  EXPECT_EQ(complaint("fields a | stat count(*)"), "there is no command \"stat\"; did you mean stats?");
  EXPECT_EQ(place_of_complaint("fields a | stat count(*)"), "11-15");
  EXPECT_THAT(complaint("fields strlength(a)"), HasSubstr("did you mean strlen(text)?"));
  EXPECT_THAT(complaint("fields xyzzyplugh(a)"), testing::EndsWith("\"xyzzyplugh\""));
  EXPECT_THAT(complaint("filter a == 1"), HasSubstr("one sign"));
  EXPECT_EQ(complaint("filter a = 1 || b = 2"), "written as a word: or");
  EXPECT_EQ(place_of_complaint("filter a = 1 || b = 2"), "13-15");
  EXPECT_EQ(complaint("filter a = 1 && b = 2"), "written as a word: and");
  EXPECT_EQ(complaint("filter !isPresent(a)"), "written as a word: not");
  EXPECT_THAT(complaint("filter a in (1, 2)"), HasSubstr("values stand in brackets, as in [1, 2]"));
  EXPECT_THAT(complaint("filter a ="), HasSubstr("expected a field, a number, a text or a function, got the end"));
  EXPECT_THAT(complaint("filter (a = 1"), HasSubstr("expected ')'"));
  EXPECT_THAT(complaint("filter a like b"), HasSubstr("after \"like\""));
  EXPECT_THAT(complaint("fields a b"), HasSubstr("expected '|'"));
  EXPECT_THAT(complaint("limit 0"), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(complaint("limit 10001"), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(complaint("parse 'a * b *' as x"), HasSubstr("2 of * and 1 names"));
  EXPECT_THAT(complaint("stats count(*) by bin(5x)"), HasSubstr("\"5x\" is not a period"));
  EXPECT_THAT(complaint("stats pct(a)"), HasSubstr("pct(number, percent)"));
  EXPECT_THAT(complaint("stats a by b"), HasSubstr("expected an aggregate"));
  EXPECT_THAT(complaint("fields count(*)"), HasSubstr("only stats can have it"));
  EXPECT_THAT(complaint("anomaly"), HasSubstr("anomaly is not done by SecureBase"));
  EXPECT_THAT(complaint("filter a = 'x"), HasSubstr("no closing '"));
  EXPECT_THAT(complaint("filter a like /x"), HasSubstr("no closing /"));
  EXPECT_THAT(complaint("fields ä"), HasSubstr("back-ticks"));
  EXPECT_EQ(place_of_complaint("fields `ä`, ä"), "12-13") << "characters, not bytes";
}

TEST(InsightsParse, HoldsCommandsToTheirOrder) {
  EXPECT_THAT(complaint("fields a | dedup a | sort a"), HasSubstr("only limit"));
  EXPECT_THAT(complaint("stats count(*) | stats count(*) | stats count(*)"), HasSubstr("at most two stats"));
  EXPECT_THAT(complaint("stats count(*) as n | limit 3 | stats max(n)"), HasSubstr("come after the second"));
  EXPECT_THAT(complaint("fields a | diff"), HasSubstr("pattern or stats"));
  EXPECT_THAT(complaint("filter a in (SOURCE 'g' | filter b in (SOURCE 'h' | fields c))"), HasSubstr("not nested"));
  EXPECT_THAT(complaint("filter a in (fields b)"), HasSubstr("begins with SOURCE"));
  EXPECT_THAT(complaint("fields a | SOURCE 'g'"), HasSubstr("first command"));
}

TEST(InsightsParse, IsBounded) {
  EXPECT_THAT(complaint("filter " + std::string(9000, '(')), HasSubstr("levels"));
  EXPECT_THAT(complaint("filter " + std::string(9000, '-') + "1"), HasSubstr("levels"));
  EXPECT_THAT(complaint(std::string(10'001, ' ')), HasSubstr("at most 10000 characters"));
  std::string many = "limit 1";
  for (int i = 0; i < 200; ++i) many += "|limit 1";
  EXPECT_THAT(complaint(many), HasSubstr("at most 100 commands"));
}

}  // namespace
}  // namespace securebase::logs::insights
