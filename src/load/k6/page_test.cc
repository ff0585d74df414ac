#include "k6/page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "k6/run.h"
#include "load/measure/collector.h"
#include "load/report/html.h"

namespace securebase::k6 {
namespace {

using load::ReportView;
using testing::HasSubstr;

class Page : public testing::Test {
 protected:
  Page() : collector_(base::system_clock()), metrics_(collector_), recorder_(collector_.make_recorder()) {
    MetricThresholds thresholds;
    thresholds.selector.metric = thresholds.name = "http_req_duration";
    thresholds.thresholds = {*parse_threshold("p(95)<100"), *parse_threshold("max<10")};
    MetricThresholds of_home = thresholds;
    of_home.name = "http_req_duration{name:home}";
    of_home.selector.tags = {{"name", "home"}};
    of_home.thresholds.resize(1);
    EXPECT_TRUE(metrics_.add_thresholds({thresholds, of_home}));
    collector_.start();
    const SampleTags none;
    const TagList home = {{"name", "home"}};
    SampleTags tagged;
    tagged.lists[0] = &home;
    for (int i = 0; i < 100; ++i) {
      metrics_.add(recorder_, Metrics::kHttpReqDuration, 20, i < 40 ? tagged : none);
      metrics_.add(recorder_, Metrics::kHttpReqFailed, i < 2 ? 1 : 0, none);
    }
    const auto group = *groups_.group("::shop");
    groups_.check_at(*groups_.check(group, "it greets")).passes = 7;
    groups_.check_at(*groups_.check(group, "it is <b>bold</b>")).fails = 3;
    collector_.finish();
  }
  ReportView view(int exit_code) {
    PageFacts facts;
    facts.script = "checkout.js";
    facts.elapsed = std::chrono::seconds{10};
    facts.exit_code = exit_code;
    return view_of(facts, metrics_, groups_, collector_.measured());
  }

  load::Collector collector_;
  Metrics metrics_;
  load::Recorder& recorder_;
  Groups groups_;
};

TEST_F(Page, ShowsThresholdsWithWhatWasSeenAndChecksTheFailedOnesFirst) {
  const auto shown = view(exit_code::kThresholds);
  EXPECT_EQ(shown.verdict, ReportView::Verdict::kFail);
  ASSERT_EQ(shown.checks.size(), 5u);
  EXPECT_EQ(shown.checks[0].text, "http_req_duration: p(95)<100");
  EXPECT_EQ(shown.checks[0].verdict, ReportView::Verdict::kPass);
  EXPECT_EQ(shown.checks[1].verdict, ReportView::Verdict::kFail);
  EXPECT_THAT(shown.checks[1].seen, HasSubstr("20"));
  EXPECT_EQ(shown.checks[3].text, "shop::it is <b>bold</b>");
  EXPECT_EQ(shown.checks[4].seen, "7 of 7 held");
  const auto page = load::html_report(shown);
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;bold"));
  EXPECT_THAT(page, testing::Not(HasSubstr("<b>bold")));
}

TEST_F(Page, HasNoVerdictOfARunThatIsNotValid) {
  const auto shown = view(exit_code::kInvalidRun);
  EXPECT_EQ(shown.verdict_text, "invalid");
  EXPECT_EQ(shown.checks[1].verdict, ReportView::Verdict::kUnknown);
}

TEST_F(Page, ShowsEndpointsByNameTheSlowestFirst) {
  Endpoints endpoints;
  Endpoints::Names names(endpoints);
  auto& shard = endpoints.shard_of(recorder_);
  for (std::size_t i = 0; i < Endpoints::kMost; ++i)
    shard.add(names.number_of(fmt::format("http://a/{}", i)), 1, false);
  shard.add(names.number_of("http://a/7"), 50, true);
  shard.add(names.number_of("http://a/one-too-many"), 90, false);
  PageFacts facts;
  facts.endpoints = endpoints.totals();
  const auto shown = view_of(facts, metrics_, groups_, collector_.measured());
  ASSERT_EQ(shown.endpoints.size(), Endpoints::kMost + 2);
  EXPECT_EQ(shown.endpoints.front().name, "http://a/7");
  EXPECT_EQ(shown.endpoints.front().requests, 2);
  EXPECT_EQ(shown.endpoints.front().failed, 1);
  EXPECT_EQ(shown.endpoints[Endpoints::kMost].name, "others");
  EXPECT_EQ(shown.endpoints.back().name, "{name:home}") << "a threshold asks for it";
}

TEST_F(Page, ShowsTheHopsOfThePlatform) {
  PageFacts facts;
  facts.hops = *base::Json::parse(
      R"([{"route":"GET /a","requests":9,"p50_seconds":0.001,"p95_seconds":0.002,"around_p95":{"edge":0.002}}])");
  const auto shown = view_of(facts, metrics_, groups_, collector_.measured());
  ASSERT_EQ(shown.routes.size(), 1U);
  EXPECT_THAT(load::html_report(shown), HasSubstr("Where the time went in SecureBase"));
}

TEST_F(Page, CountsWhatFailed) {
  const auto shown = view(exit_code::kDone);
  ASSERT_EQ(shown.codes.size(), 2u);
  EXPECT_EQ(shown.codes[1].count, 2);
  ASSERT_EQ(shown.errors.size(), 1u);
  ASSERT_FALSE(shown.curves.empty());
  EXPECT_EQ(shown.curves[0].distribution.count, 100u) << "a part's samples are not counted twice";
  ASSERT_EQ(shown.endpoints.size(), 1u);
  EXPECT_EQ(shown.endpoints[0].name, "{name:home}");
  EXPECT_EQ(shown.endpoints[0].requests, 40);
}

}  // namespace
}  // namespace securebase::k6
