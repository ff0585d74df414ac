#include "cli/lighthouse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace securebase::cli {
namespace {

using testing::HasSubstr;

LighthouseRun scored(double score) {
  LighthouseRun run;
  run.score = score;
  run.largest_contentful_paint = 1000 + score;
  return run;
}

TEST(Lighthouse, ReadsALineOfItsRunner) {
  const auto run = lighthouse_run(
      R"({"lighthouse":"12.8.2","score":98,"first_contentful_paint":1088.4,"cumulative_layout_shift":0,"speed_index":null})");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->score, 98);
  EXPECT_EQ(run->first_contentful_paint, 1088.4);
  EXPECT_EQ(run->cumulative_layout_shift, 0);
  EXPECT_EQ(run->speed_index, std::nullopt);
  for (const auto* line : {"", "npm warn", "{}", R"({"score":null})", R"({"score":101})"}) {
    EXPECT_FALSE(lighthouse_run(line)) << line;
  }
}

TEST(Lighthouse, TakesTheMedianAndShowsTheSpread) {
  const auto odd = spread_of({70, 98, 99});
  EXPECT_EQ(odd->median, 98);
  EXPECT_EQ(odd->least, 70);
  EXPECT_EQ(odd->most, 99);
  EXPECT_EQ(spread_of({90, 100})->median, 95);
  EXPECT_FALSE(spread_of({}));
  const auto text = render_lighthouse("http://127.0.0.1:8080/", {scored(70), scored(99), scored(98)}, std::nullopt);
  EXPECT_THAT(text, HasSubstr("http://127.0.0.1:8080/, 3 runs"));
  EXPECT_THAT(text, HasSubstr("performance score                    98       70       99"));
  EXPECT_THAT(text, HasSubstr("largest contentful paint, ms       1098     1070     1099"));
}

TEST(Lighthouse, SaysWhenRunsDisagreeAboutTheVerdict) {
  EXPECT_EQ(lighthouse_verdict({98, 96, 100}, 95), "pass");
  EXPECT_EQ(lighthouse_verdict({80, 70, 89}, 90), "fail");
  EXPECT_THAT(lighthouse_verdict({92, 70, 99}, 90), HasSubstr("uncertain, by the median a pass"));
  EXPECT_TRUE(lighthouse_json("u", {scored(96)}, 95)["pass"].bool_or(false));
  EXPECT_FALSE(lighthouse_json("u", {scored(94)}, 95)["pass"].bool_or(true));
}

}  // namespace
}  // namespace securebase::cli
