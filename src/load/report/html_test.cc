#include <gmock/gmock.h>

#include "load/artillery/report_view.h"
#include "load/report/html.h"
#include "load/report/html_charts.h"

namespace securebase::load {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ReportView small_view() {
  telemetry::Sketch sketch;
  for (int i = 1; i <= 1000; ++i) sketch.add(i * 0.5);
  ReportView view;
  view.title = "<script>alert(1)</script>";
  view.tool = "test";
  view.seconds = 75;
  view.curves.push_back({"from schedule", Distribution::of(sketch)});
  view.timeline.push_back({0, 1, 600, 0, 1, Distribution::of(sketch)});
  view.timeline.push_back({1, 2, 400, 3, 1, Distribution::of(sketch)});
  view.endpoints.push_back({"/a?b=\"<c>\"", 1000, 10, Distribution::of(sketch)});
  view.errors.push_back({"ECONNREFUSED", 3, true});
  view.checks.push_back({"p95 < 100", "475 ms", ReportView::Verdict::kFail});
  return view;
}

ReportView::Moment moment_of(int number, double p95) {
  ReportView::Moment moment;
  moment.begin_s = number * 10;
  moment.end_s = moment.begin_s + 10;
  moment.requests = 100;
  moment.latency.count = 100;
  moment.latency.minimum = 1;
  moment.latency.mean = 5;
  moment.latency.maximum = 1000;
  moment.latency.percentiles = {{50, 5}, {95, p95}, {99, 900}};
  return moment;
}

TEST(LatencyChart, ShowsTheWorseOfPeriodsThatShareAColumn) {
  ReportView calm;
  ReportView stalled;
  for (int i = 0; i < 240; ++i) {
    calm.timeline.push_back(moment_of(i, 10));
    stalled.timeline.push_back(moment_of(i, i == 101 ? 800 : 10));
  }
  EXPECT_NE(latency_chart(calm), latency_chart(stalled));
}

TEST(HtmlReport, IsOnePageThatFetchesNothing) {
  const auto page = html_report(small_view());
  EXPECT_THAT(page, HasSubstr("<!doctype html>"));
  for (const char* word : {"<script", "src=", "href=", "@import", "url(", "http://", "https://"}) {
    EXPECT_THAT(page, Not(HasSubstr(word)));
  }
}

TEST(HtmlReport, EscapesWhatComesFromScriptsAndServers) {
  const auto page = html_report(small_view());
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(page, HasSubstr("/a?b=&quot;&lt;c&gt;&quot;"));
}

// Every text that a script, a server or another machine has a say in.
TEST(HtmlReport, HasNoMarkupButItsOwnWhereverTextComesFrom) {
  const std::string evil =
      "\"'></title></style></svg></script><script>alert(1)</script><img src=x onerror=alert(2)>\xff";
  auto view = small_view();
  view.title = view.tool = view.target = view.started = view.verdict_text = evil;
  view.facts.push_back({evil, evil, evil});
  view.doubts.push_back(evil);
  view.checks.push_back({evil, evil, ReportView::Verdict::kPass});
  view.comparison_note = evil;
  ReportView::Comparison comparison;
  comparison.name = comparison.before = comparison.after = comparison.change = comparison.interval =
      comparison.verdict = evil;
  view.comparisons.push_back(comparison);
  view.curves.front().label = evil;
  view.codes.push_back({evil, 1, true});
  view.errors.push_back({evil, 1, true});
  view.endpoints.front().name = evil;
  ReportView::Route route;
  route.name = evil;
  route.p95_s = 1;
  route.hops_s = {{evil, 0.5}, {"edge", 0.5}};
  view.routes.push_back(route);
  const auto page = html_report(view);
  for (const char* word : {"<script", "<img", "onerror=alert(2)>", "\xff"}) EXPECT_THAT(page, Not(HasSubstr(word)));
  const auto count = [&page](std::string_view word) {
    std::size_t times = 0;
    for (auto at = page.find(word); at != std::string::npos; at = page.find(word, at + 1)) ++times;
    return times;
  };
  EXPECT_EQ(count("</title>"), 1u);
  EXPECT_EQ(count("</style>"), 1u);
  EXPECT_EQ(count("<svg"), count("</svg>"));
}

TEST(HtmlReport, ShowsPercentilesChecksAndErrors) {
  const auto page = html_report(small_view());
  EXPECT_THAT(page, HasSubstr("ran 1 min 15 s"));
  EXPECT_THAT(page, HasSubstr("from schedule"));
  EXPECT_THAT(page, HasSubstr("p99.9"));
  EXPECT_THAT(page, Not(HasSubstr("p99.99"))) << "a thousand samples have no such percentile";
  EXPECT_THAT(page, HasSubstr("<g class=\"heat\"><rect"));
  EXPECT_THAT(page, HasSubstr("ECONNREFUSED"));
  EXPECT_THAT(page, HasSubstr("<span class=\"badge fail\">fail</span>"));
}

TEST(HtmlReport, ShowsHopsInItsLegendAsInItsBars) {
  const auto page = html_report(small_view());
  // A key is a line in the first colour unless something says otherwise.
  EXPECT_THAT(page, HasSubstr(".key i[class^=hop]{height:11px;border:0}"));
}

TEST(HtmlReport, OfNothingIsAPageToo) {
  ReportView empty;
  empty.curves.push_back({"first byte", {}});
  EXPECT_THAT(html_report(empty), HasSubstr("No answer was measured."));
}

TEST(HtmlReport, TellsTimesAsPeopleDo) {
  EXPECT_EQ(time_text(0.0804), "80.4 µs");
  EXPECT_EQ(time_text(12.345), "12.3 ms");
  EXPECT_EQ(time_text(1234), "1.23 s");
}

TEST(HtmlReport, IsMadeOfAReportThatArtilleryWrote) {
  const auto json =
      base::Json::parse(R"({"aggregate":{"counters":{"http.requests":10,"http.codes.200":9,"http.codes.500":1,
    "errors.ETIMEDOUT":1,"vusers.created":10,"plugins.metrics-by-endpoint./a.codes.200":9},"rates":{},
    "summaries":{"http.response_time":{"min":1,"max":9,"count":9,"mean":3,"p50":2,"median":2,"p75":3,"p90":5,"p95":6,"p99":8,"p999":9},
    "plugins.metrics-by-endpoint.response_time./a":{"min":1,"max":9,"count":9,"p50":2,"p95":6,"p99":8}},
    "firstMetricAt":1000,"lastMetricAt":6000,"period":0},"intermediate":[]})");
  ASSERT_TRUE(json) << json.error().message;
  const auto view = artillery::view_of_artillery_report(*json);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->seconds, 5);
  ASSERT_EQ(view->curves.size(), 1u);
  EXPECT_EQ(view->curves[0].distribution.at(95), 6);
  ASSERT_EQ(view->endpoints.size(), 1u);
  EXPECT_EQ(view->endpoints[0].requests, 9);
  EXPECT_THAT(html_report(*view), HasSubstr("ETIMEDOUT"));
}

}  // namespace
}  // namespace securebase::load
