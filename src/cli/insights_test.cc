#include "cli/insights.h"

#include <gtest/gtest.h>

namespace securebase::cli {
namespace {

base::Json progress(const char* text) { return *base::Json::parse(text); }

TEST(InsightsCommand, ShowsRowsUnderTheirNamesWithoutPointers) {
  const auto two = progress(R"({"names":["@timestamp","path","@ptr"],"rows":[["t1","/a","p"],["t2",null,"q"]]})");
  EXPECT_EQ(table_of(two, 0), "@timestamp  path\nt1          /a\nt2          \n");
}

TEST(InsightsCommand, CutsWhatDoesNotFit) {
  const auto wide = progress(R"({"names":["n","@message"],"rows":[["1","aäaaaaaaaaaaaaaaaaaa\nb"]]})");
  EXPECT_EQ(table_of(wide, 20), "n  @message\n1  aäaaaaaaaaaaaa…\n");
}

TEST(InsightsCommand, MarksWhatIsWrong) {
  EXPECT_EQ(marked("fields ä | flter x", 11, 16), "  fields ä | flter x\n             ^~~~~\n");
  EXPECT_EQ(marked("a\n| bb c", 4, 6), "  | bb c\n    ^~\n");
  EXPECT_EQ(marked("fields", 6, 6), "  fields\n        ^\n");
}

TEST(InsightsCommand, LooksAtTheLastHourWhereNothingIsSaid) {
  const base::TimePoint now{std::chrono::seconds{10'000}};
  EXPECT_EQ(*window_of({}, now), std::pair(std::int64_t{6400}, std::int64_t{10'000}));
  EXPECT_EQ(*window_of({.begin = "5", .end = "7"}, now), std::pair(std::int64_t{5}, std::int64_t{7}));
  EXPECT_EQ(*window_of({.end = "7200"}, now), std::pair(std::int64_t{3600}, std::int64_t{7200}));
  EXPECT_FALSE(window_of({.begin = "yesterday"}, now));
  EXPECT_FALSE(window_of({.begin = "9", .end = "7"}, now));
}

}  // namespace
}  // namespace securebase::cli
