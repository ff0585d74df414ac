#include "rum/rum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "net/worker.h"
#include "store/encodings.h"

namespace securebase::rum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Edge final : public http::Handler {
 public:
  bool answer_now(const http::Request& request, http::Response& response) override {
    if (request.path != "/stored") return false;
    response.body = "stored";
    return true;
  }
  net::Task<http::Response> answer(http::Request&) override {
    http::Response response;
    response.body = "fetched";
    co_return response;
  }
};

class Logs final : public telemetry::LogSink {
 public:
  void write(const telemetry::LogLine& line) override {
    lines.push_back(std::string(line.group) + " " + std::string(line.message));
  }
  std::vector<std::string> lines;
};

class Bytes final : public http::BodyReader {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  net::Task<Result<std::string_view>> next() override {
    read_.swap(bytes_);
    bytes_.clear();
    co_return std::string_view(read_);
  }

 private:
  std::string bytes_;
  std::string read_;
};

class RumTest : public testing::Test {
 protected:
  RumTest() : worker_(0), rum_(Doors{edge_, registry_, &logs_, clock_, {}}) {
    apply({{"portal", {"portal.example.com"}, 1, "/aws/vendedlogs/RUMService_portal"},
           {"docs", {"*.example.org"}, 0.5, ""}});
  }

  void apply(std::vector<Monitor> monitors) {
    auto config = std::make_shared<Config>();
    config->monitors = std::move(monitors);
    rum_.apply(config);
  }

  http::Response ask(http::Method method, std::string path, std::string body = {},
                     std::vector<std::pair<std::string, std::string>> fields = {},
                     std::string authority = "portal.example.com:8080") {
    http::Response response;
    worker_.run_until_done(asked(response, method, path, body, fields, authority));
    return response;
  }
  net::Task<void> asked(http::Response& response, http::Method method, std::string path, std::string body,
                        std::vector<std::pair<std::string, std::string>> fields, std::string authority) {
    http::Request request;
    request.method = method;
    request.path = path;
    request.target = path;
    request.authority = authority;
    request.trace.trace_high = 0x5759e988bd862e3f;
    request.trace.trace_low = 0xe1be46a994272793;
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    Bytes reader(body);
    if (!body.empty()) request.body = &reader;
    if (!rum_.answer_now(request, response)) response = co_await rum_.answer(request);
  }
  int post(std::string body, std::vector<std::pair<std::string, std::string>> fields = {},
           std::string authority = "portal.example.com:8080") {
    return ask(http::Method::kPost, std::string(kBeaconPath), std::move(body), std::move(fields), authority).status;
  }
  std::uint64_t samples(std::string_view metric, const telemetry::Dimensions& dimensions) {
    for (const auto& series : registry_.series()) {
      if (series.metric->name != metric || series.dimensions != dimensions) continue;
      return series.counter ? series.counter->total() : series.distribution->total().count();
    }
    return 0;
  }

  net::Worker worker_;
  Edge edge_;
  telemetry::Registry registry_;
  Logs logs_;
  base::ManualClock clock_;
  Rum rum_;
};

TEST_F(RumTest, ServesItsScriptCompressedAsTheBrowserWantsIt) {
  const auto plain = ask(http::Method::kGet, std::string(kScriptPath));
  ASSERT_TRUE(plain.prepared);
  const auto packed = ask(http::Method::kGet, std::string(kScriptPath), "", {{"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(packed.prepared->headers.get("Content-Encoding"), "br");
  EXPECT_EQ(store::unbrotli(packed.prepared->body, 1 << 16).value(), plain.prepared->body);
  EXPECT_EQ(packed.prepared->headers.get("Content-Type"), "text/javascript; charset=utf-8");
  const auto etag = std::string(plain.prepared->headers.get("ETag").value());
  EXPECT_EQ(ask(http::Method::kGet, std::string(kScriptPath), "", {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(ask(http::Method::kDelete, std::string(kScriptPath)).status, 405);
}

TEST_F(RumTest, ServesEachApplicationItsOwnShare) {
  const auto docs = ask(http::Method::kGet, std::string(kScriptPath), "", {}, "docs.example.org");
  EXPECT_THAT(docs.prepared->body, HasSubstr("Math.random()<0.5"));
}

TEST_F(RumTest, MakesMetricsOfABeaconForApplicationAndPage) {
  EXPECT_EQ(post(R"({"p":"/invoices/42","t":20,"f":90,"l":130,"d":100,"o":180,"i":48,"c":0,"e":1})"), 204);
  const telemetry::Dimensions all{{"application_name", "portal"}};
  const telemetry::Dimensions page{{"application_name", "portal"}, {"PageId", "/invoices/{id}"}};
  for (const auto* metric :
       {"PageViewCount", "JsErrorCount", "PageLoadTime", "PerformanceNavigationDuration", "TTFBTime",
        "DomContentLoadedTime", "WebVitalsFirstContentfulPaint", "WebVitalsLargestContentfulPaint",
        "WebVitalsInteractionToNextPaint", "WebVitalsCumulativeLayoutShift", "NavigationSatisfiedTransaction"}) {
    EXPECT_EQ(samples(metric, all), 1u) << metric;
    EXPECT_EQ(samples(metric, page), 1u) << metric;
  }
  EXPECT_EQ(samples("NavigationFrustratedTransaction", all), 0u);
}

TEST_F(RumTest, MeasuresNothingThatTheBrowserDidNot) {
  EXPECT_EQ(post(R"({"p":"/"})"), 204);
  EXPECT_EQ(samples("PageViewCount", {{"application_name", "portal"}}), 1u);
  EXPECT_EQ(samples("PageLoadTime", {{"application_name", "portal"}}), 0u);
  EXPECT_EQ(samples("NavigationSatisfiedTransaction", {{"application_name", "portal"}}), 0u);
}

TEST_F(RumTest, KeepsPageViewsWithTheirTracesAndLogsThem) {
  post(R"({"p":"/first"})");
  post(R"({"p":"/second","o":1234,"x":["1-5759e988-bd862e3fe1be46a994272793"]})");
  const auto views = rum_.views();
  ASSERT_THAT(views, SizeIs(2));
  EXPECT_EQ(views[0].path, "/second");
  EXPECT_THAT(views[0].traces, ElementsAre("1-5759e988-bd862e3fe1be46a994272793"));
  ASSERT_THAT(logs_.lines, SizeIs(2));
  EXPECT_THAT(logs_.lines[1], HasSubstr("/aws/vendedlogs/RUMService_portal {\"event_type\""));
  EXPECT_THAT(logs_.lines[1], HasSubstr("\"PageLoadTime\":1234"));
  EXPECT_THAT(logs_.lines[1], HasSubstr("\"trace_ids\":[\"1-5759e988-bd862e3fe1be46a994272793\"]"));
  EXPECT_EQ(post(R"({"p":"/"})", {}, "docs.example.org"), 204);
  EXPECT_THAT(logs_.lines, SizeIs(2)) << "docs does not log";
}

TEST_F(RumTest, BelongsAHostThatNoMonitorNamesToTheFirst) {
  EXPECT_EQ(post(R"({"p":"/"})", {}, "127.0.0.1:8080"), 204);
  EXPECT_EQ(rum_.views().front().application, "portal");
  EXPECT_EQ(post(R"({"p":"/"})", {}, "guide.example.org"), 204);
  EXPECT_EQ(rum_.views().front().application, "docs");
}

TEST_F(RumTest, BelievesNoPageOfAnotherHost) {
  EXPECT_EQ(post(R"({"p":"/"})", {{"Origin", "http://portal.example.com:8080"}}), 204);
  EXPECT_EQ(post(R"({"p":"/"})", {{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(post(R"({"p":"/"})", {{"Origin", "null"}}), 403);
}

TEST_F(RumTest, RefusesWhatIsNoBeaconAndCountsIt) {
  EXPECT_EQ(post("hello"), 400);
  EXPECT_EQ(post(std::string(5000, ' ')), 413);
  EXPECT_EQ(post(""), 400);
  EXPECT_EQ(ask(http::Method::kGet, std::string(kBeaconPath)).status, 405);
  EXPECT_EQ(ask(http::Method::kGet, "/_securebase/other").status, 404);
  EXPECT_EQ(rum_.statistics().refused, 3u);
  EXPECT_THAT(rum_.views(), IsEmpty());
}

TEST_F(RumTest, HoldsNoMoreThanItsBounds) {
  for (std::size_t i = 0; i < Rum::kViewsPerSecond; ++i) {
    ASSERT_EQ(post("{\"p\":\"/page" + std::to_string(i % 100) + "\"}"), 204);
  }
  EXPECT_EQ(post(R"({"p":"/"})"), 429);
  EXPECT_EQ(rum_.statistics().dropped, 1u);
  std::set<telemetry::Dimensions> all;
  for (const auto& series : registry_.series()) all.insert(series.dimensions);
  EXPECT_THAT(all, SizeIs(Rum::kPages + 2)) << "the pages, all others as one, and the application as a whole";
  for (int second = 0; second < 2; ++second) {
    clock_.advance(std::chrono::seconds{1});
    for (std::size_t i = 0; i < Rum::kViewsPerSecond; ++i) ASSERT_EQ(post(R"({"p":"/"})"), 204);
  }
  EXPECT_THAT(rum_.views(), SizeIs(Rum::kKeptViews));
}

TEST_F(RumTest, TellsTheBrowserTheTraceOfWhatTheEdgeWorkedFor) {
  EXPECT_EQ(ask(http::Method::kGet, "/api/v1/health").headers.get("Server-Timing"),
            "trace;desc=\"1-5759e988-bd862e3fe1be46a994272793\"");
  EXPECT_FALSE(ask(http::Method::kGet, "/stored").headers.has("Server-Timing"));
}

TEST_F(RumTest, IsOffWithoutAMonitor) {
  apply({});
  EXPECT_EQ(ask(http::Method::kGet, std::string(kScriptPath)).status, 404);
  EXPECT_EQ(post(R"({"p":"/"})"), 404);
  EXPECT_FALSE(ask(http::Method::kGet, "/api/v1/health").headers.has("Server-Timing"));
  EXPECT_EQ(ask(http::Method::kGet, "/").body.bytes(), "fetched");
}

TEST_F(RumTest, IsShownByPageAndView) {
  post(R"({"p":"/invoices/1","o":100,"l":90})");
  post(R"({"p":"/invoices/2","o":900,"x":["1-5759e988-bd862e3fe1be46a994272793"]})");
  post(R"({"p":"/"})");
  const auto text = render(rum_.views(), Order::kSlowest, 1);
  EXPECT_THAT(text, HasSubstr("portal /invoices/{id}"));
  EXPECT_THAT(text, HasSubstr("load    900 ms"));
  EXPECT_THAT(text, HasSubstr("trace 1-5759e988-bd862e3fe1be46a994272793"));
  EXPECT_THAT(text, testing::Not(HasSubstr("load    100 ms")));
  const auto json = to_json(rum_.views(), Order::kNewest, 10);
  EXPECT_THAT(*json["views"].as_array(), SizeIs(3));
  EXPECT_EQ((*json["views"].as_array())[0]["path"], "/");
  EXPECT_THAT(*json["pages"].as_array(), SizeIs(2));
  EXPECT_THAT(render({}, Order::kNewest, 10), HasSubstr("<script async"));
}

}  // namespace
}  // namespace securebase::rum
