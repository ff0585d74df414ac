#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advisor/gates/gates_fixture.h"

namespace securebase::advisor {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Rendered, JunitEscapesAndCounts) {
  World world;
  auto failed = passed_run();
  failed.verdict = RunVerdict::kFail;
  failed.failed_thresholds = {"p(95)<100 & \"more\""};
  world.facts.runs = {failed};
  const auto xml = to_junit(check(Gate::kPreDeploy, world.facts, {}));
  EXPECT_THAT(xml, HasSubstr("tests=\"5\" failures=\"3\" errors=\"2\""));
  EXPECT_THAT(xml, HasSubstr("p(95)&lt;100 &amp; &quot;more&quot;"));
  const auto json = to_json(check(Gate::kPreDeploy, world.facts, {}));
  EXPECT_EQ(json["exit_code"].integer_or(-1), 1);
}

TEST(Rendered, MarkdownShowsOtherPeoplesWordsAsTheyAre) {
  World world;
  auto failed = passed_run();
  failed.verdict = RunVerdict::kFail;
  failed.scenario = "a|b `c` <img src=x> *d* [e](f)\ng";
  world.facts.runs = {failed};
  const auto text = to_markdown(check(Gate::kPreDeploy, world.facts, {}));
  EXPECT_THAT(text, HasSubstr("a\\|b \\`c\\` &lt;img src=x&gt; \\*d\\* \\[e\\](f) g"));
  EXPECT_THAT(text, Not(HasSubstr("<img")));
  // A table row for each check, whatever is in it.
  std::size_t rows = 0;
  for (auto at = text.find("\n| "); at != std::string::npos; at = text.find("\n| ", at + 1)) ++rows;
  EXPECT_EQ(rows, 6u);
}

TEST(Gates, SayWhatMendsAFailureAndWhatBringsEvidence) {
  World world;
  const auto gathered = world.of(Gate::kMonthly, "evictions");
  EXPECT_EQ(gathered.decision, Decision::kInsufficient);
  EXPECT_THAT(gathered.fix, Not(HasSubstr("node_type")));
  world.numbers.set("AWS/ElastiCache", "SetTypeCmds", "CacheClusterId", "r", "Sum", 1000, 1000);
  world.numbers.set("AWS/ElastiCache", "Evictions", "CacheClusterId", "r", "Sum", 500, 500);
  const auto mended = world.of(Gate::kMonthly, "evictions");
  EXPECT_EQ(mended.decision, Decision::kFail);
  EXPECT_THAT(mended.fix, HasSubstr("node_type"));
}

}  // namespace
}  // namespace securebase::advisor
