// What X-Ray's API and the command line show of stored traces.
#include <fmt/format.h>

#include "traces/api/query.h"
#include "traces/api/render.h"
#include "traces/api/time_series.h"
#include "traces/api/xray_json.h"
#include "traces/test_support.h"

namespace securebase::traces {
namespace {

constexpr const char* kId = "1-6553f100-bd862e3fe1be46a994272793";
const WallTime kKeptAt{1'700'000'000s};

DocumentRecord kept_document(const TraceId& id, WallTime begin, std::string_view segment, std::string_view more = "") {
  const double seconds = seconds_of(begin);
  return {id, begin,
          fmt::format(R"({{"trace_id":"{}","id":"{}","name":"web","start_time":{},"end_time":{}{}}})", id.text(),
                      segment, seconds, seconds + 0.1, more)};
}
DocumentRecord kept_document(std::string_view segment, std::string_view more = "") {
  return kept_document(*TraceId::parse(kId), kKeptAt, segment, more);
}
Trace kept_trace(std::vector<DocumentRecord> documents) {
  Records records;
  records.documents = std::move(documents);
  return assemble(*TraceId::parse(kId), records);
}
std::size_t times_in(std::string_view text, std::string_view piece) {
  std::size_t count = 0;
  for (auto at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

class FoundTraces : public testing::Test {
 protected:
  void keep(std::uint64_t number, WallTime begin, std::string_view segment = "70de5b6f19ff9a0a") {
    Records records;
    records.documents.push_back(kept_document(TraceId{std::uint64_t{1'700'000'000} << 32, number}, begin, segment));
    ASSERT_TRUE(store_->append(records));
  }
  void keep_hop(std::uint64_t number, WallTime begin) {
    Hop edge;
    edge.id = 10;
    edge.begin = begin;
    edge.duration = 5ms;
    edge.name = "d1.cloudfront.net";
    HopRecord record;
    record.id = {std::uint64_t{1'700'000'000} << 32, number};
    record.hops.push_back(edge);
    Records records;
    records.hops.push_back(record);
    ASSERT_TRUE(store_->append(records));
  }
  std::vector<std::uint64_t> found(WallTime from) {
    std::vector<std::uint64_t> numbers;
    for (const auto& trace : find_traces(*store_, {kKeptAt, kKeptAt + 100s, from}, Filter()).traces) {
      numbers.push_back(trace.id.low);
    }
    return numbers;
  }

  TestDirectory directory_;
  base::ManualClock clock_;
  std::unique_ptr<Store> store_ = *Store::open({.directory = directory_.path()}, clock_);
};

// A moment in seconds as a double is up to 120 ns beside it: a page that went on there left a trace out.
TEST_F(FoundTraces, AreEachOnOnePageWhateverTheirNanoseconds) {
  for (std::uint64_t i = 0; i < 50; ++i) keep_hop(i, kKeptAt + std::chrono::nanoseconds{i * 1'000'037});
  const auto all = find_traces(*store_, {kKeptAt, kKeptAt + 100s}, Filter());
  ASSERT_EQ(all.traces.size(), 50u);
  for (std::uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(all.traces[i].begin, kKeptAt + std::chrono::nanoseconds{i * 1'000'037});
    EXPECT_EQ(found(all.traces[i].begin).size(), 50 - i);
  }
}

TEST_F(FoundTraces, WhatWasAddedToATraceOfAFormerPageIsNotAnotherOne) {
  keep(1, kKeptAt + 1s);
  keep(1, kKeptAt + 9s, "aaaaaaaaaaaaaaaa");
  keep(2, kKeptAt + 5s);
  EXPECT_THAT(found(kKeptAt), testing::ElementsAre(1, 2));
  EXPECT_THAT(found(kKeptAt + 5s), testing::ElementsAre(2));
  // Also where the store has the beginning behind it.
  keep(3, kKeptAt + 8s, "aaaaaaaaaaaaaaaa");
  keep(3, kKeptAt + 2s);
  EXPECT_THAT(found(kKeptAt + 5s), testing::ElementsAre(2));
}

TEST_F(FoundTraces, AreNotFoundAgainByWhatWasAddedLongAfterTheirBeginning) {
  const auto add = [&](std::uint64_t number, WallTime begin, std::string_view segment) {
    Records records;
    records.documents.push_back(kept_document(TraceId{std::uint64_t{1'700'000'000} << 32, number}, begin, segment,
                                              R"(,"parent_id":"70de5b6f19ff9a0a")"));
    ASSERT_TRUE(store_->append(records));
  };
  keep(1, kKeptAt + 1s);
  keep(2, kKeptAt - 200s);
  keep(3, kKeptAt + 95s);
  add(1, kKeptAt + 90s, "aaaaaaaaaaaaaaaa");
  add(2, kKeptAt + 91s, "bbbbbbbbbbbbbbbb");
  add(4, kKeptAt + 92s, "cccccccccccccccc");  // whoever called it told us nothing: it begins here
  EXPECT_THAT(found(kKeptAt + 85s), testing::ElementsAre(4, 3));
  EXPECT_THAT(found(kKeptAt), testing::ElementsAre(1, 4, 3));
}

TEST(Summary, FaultAndErrorAreTheRootsAndAThrottleIsAnybodys) {
  const auto trace =
      kept_trace({kept_document("000000000000000a", R"(,"http":{"response":{"status":200}})"),
                  kept_document("000000000000000b",
                                R"(,"parent_id":"000000000000000a","fault":true,"error":true,"throttle":true,
                   "aws":{"ec2":{"instance_id":"i-1","availability_zone":"us-east-1c"}})")});
  const auto json = summary_json(trace, "1");
  EXPECT_FALSE(json["HasFault"].bool_or(true));
  EXPECT_FALSE(json["HasError"].bool_or(true));
  EXPECT_TRUE(json["HasThrottle"].bool_or(false));
  EXPECT_EQ((*json["InstanceIds"].as_array()).at(0)["Id"].string_or(""), "i-1");
  EXPECT_EQ((*json["AvailabilityZones"].as_array()).at(0)["Name"].string_or(""), "us-east-1c");
}

TEST(TimeSeriesOf, CallsAreThoseOfTheirPeriodAndOfTheServiceThatIsSelected) {
  const Node client{"web", "client"};
  const Node web{"web", "AWS::CloudFront::Distribution"};
  const Node api{"api", "AWS::ApiGateway::Stage"};
  Counts counts;
  counts.edge(client, web).add(5ms, false, false, false);
  counts.edge(web, api).add(4ms, true, false, false);
  counts.edge(web, api).add(2ms, false, true, true);
  const auto totals = [&](std::string_view text) {
    TimeSeries series;
    const auto selector = EntitySelector::parse(text);
    EXPECT_TRUE(selector) << text << (selector ? "" : ": " + selector.error().message);
    // 1,700,000,000 is twenty seconds behind a whole minute.
    for (const auto ago : {0s, 10s, 40s}) add_to(series, counts, kKeptAt + ago, 60s, *selector);
    std::vector<std::pair<std::int64_t, std::uint64_t>> found;
    for (const auto& [begin, sum] : series) found.emplace_back((begin - kKeptAt) / 1s, sum.total());
    return found;
  };
  using testing::ElementsAre;
  EXPECT_THAT(totals(""), ElementsAre(std::pair(-20, 6), std::pair(40, 3)));
  EXPECT_THAT(totals("service(\"api\")"), ElementsAre(std::pair(-20, 4), std::pair(40, 2)));
  EXPECT_THAT(totals("service(id(name: \"web\", type: \"AWS::CloudFront::Distribution\"))"),
              ElementsAre(std::pair(-20, 2), std::pair(40, 1)));
  EXPECT_THAT(totals("edge(\"web\", \"api\")"), ElementsAre(std::pair(-20, 4), std::pair(40, 2)));
  EXPECT_THAT(totals("edge(\"api\", \"web\")"), ElementsAre());
  for (const char* none : {"fault", "service(\"api\") { fault }", "service(\"a\") OR service(\"b\")"}) {
    EXPECT_FALSE(EntitySelector::parse(none)) << none;
  }
}

TEST(DurationText, IsInTheUnitThatItIsRoundedTo) {
  const std::pair<double, const char*> kCases[] = {{0, "0 us"},         {0.000'999, "999 us"}, {0.000'999'7, "1.00 ms"},
                                                   {0.25, "250.00 ms"}, {0.999'996, "1.00 s"}, {75, "75.00 s"}};
  for (const auto& [seconds, text] : kCases) EXPECT_EQ(duration_text(seconds), text) << seconds;
}

TEST(RenderTrace, ShowsEachSegmentOnceWhateverItSaysOfItsParent) {
  const auto own = render_trace(kept_trace({kept_document("000000000000000a", R"(,"parent_id":"000000000000000A")")}));
  EXPECT_EQ(times_in(own, "web"), 1u) << own;
  const auto circle =
      render_trace(kept_trace({kept_document("000000000000000a", R"(,"parent_id":"000000000000000b")"),
                               kept_document("000000000000000b", R"(,"parent_id":"000000000000000a")")}));
  EXPECT_EQ(times_in(circle, "web"), 2u) << circle;
}

// Ids are foreign: segments that each name one of hundreds with the same id are each gone through once.
TEST(CompareTraces, IsDoneInTimeHoweverIdsRepeat) {
  const auto many = [](char id) {
    std::string inner;
    for (int i = 0; i < 300; ++i) {
      inner +=
          fmt::format(R"({}{{"id":"000000000000000{}","name":"in","start_time":1700000000,"end_time":1700000001}})",
                      i == 0 ? "" : ",", id);
    }
    return fmt::format(R"(,"subsegments":[{}])", inner);
  };
  std::vector<DocumentRecord> documents{kept_document("000000000000000a", many('b'))};
  for (char id = 'b'; id < 'f'; ++id) {
    documents.push_back(
        kept_document(fmt::format("111111111111111{}", id),
                      fmt::format(R"(,"parent_id":"000000000000000{}")", id) + many(static_cast<char>(id + 1))));
  }
  const std::vector<Trace> traces{kept_trace(std::move(documents))};
  EXPECT_FALSE(compare(traces, traces).empty());
}

TEST(RenderTrace, SendsNothingToTheTerminalThatItObeys) {
  const auto text = render_trace(kept_trace({kept_document(
      "000000000000000a",
      R"(,"origin":"\u001b[2J","links":[{"trace_id":"1-6553f100-bd862e3fe1be46a994272794","id":"000000000000000b"}],
         "cause":{"exceptions":[{"type":"E\u0007","message":"one\ntwo\u009b2J\u00e9"}]})")}));
  for (const char* control : {"\x1b", "\x07", "\xc2\x9b", "one\n"}) EXPECT_EQ(text.find(control), text.npos) << text;
  EXPECT_THAT(text, testing::HasSubstr("one two"));
  EXPECT_THAT(text, testing::HasSubstr("linked to 1-6553f100-bd862e3fe1be46a994272794"));
  std::string long_message(199, 'x');
  const auto cut = render_trace(kept_trace({kept_document(
      "000000000000000a", R"(,"cause":{"exceptions":[{"type":"E","message":")" + long_message + "\xc3\xa9\"}]}")}));
  EXPECT_EQ(cut.find('\xc3'), cut.npos) << "cut within a character";
}

}  // namespace
}  // namespace securebase::traces
