#include "traces/segment/segment.h"

#include <fmt/format.h>

#include "traces/daemon/datagram.h"
#include "traces/segment/graph.h"
#include "traces/test_support.h"

namespace securebase::traces {
namespace {

using base::Json;

const base::TimePoint kNow{1'700'000'000s};
constexpr const char* kTrace = "1-6553f100-bd862e3fe1be46a994272793";

std::string document(std::string_view more = "") {
  return fmt::format(
      R"({{"trace_id":"{}","id":"70de5b6f19ff9a0a","name":"web","start_time":1700000000,"end_time":1700000000.5{}}})",
      kTrace, more);
}

TEST(ParseSegment, ReadsWhatTheDeveloperGuideShows) {
  const auto parsed = parse_segment(
      document(
          R"(,"http":{"request":{"method":"POST","url":"http://a/v1","client_ip":"10.0.0.1"},"response":{"status":429}},
        "user":"jo","annotations":{"tenant":"a","size":3,"new":true,"bad key!":1,"list":[1]},
        "aws":{"resource_arn":"arn:x","ec2":{"instance_id":"i-1","availability_zone":"us-east-1c"}},
        "cause":{"exceptions":[{"id":"1","type":"KeyError","message":"'x'"}]},
        "subsegments":[{"id":"53995c3f42cd8ad8","name":"dynamodb","namespace":"aws","start_time":1700000000,"in_progress":true}])"),
      kNow);
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& segment = parsed->segment;
  EXPECT_EQ(parsed->trace.text(), kTrace);
  EXPECT_TRUE(segment.error && segment.throttle && !segment.fault) << "429 says both";
  EXPECT_EQ(segment.annotations.size(), 3u);
  EXPECT_EQ(segment.exceptions.at(0).type, "KeyError");
  EXPECT_EQ(segment.instance_id, "i-1");
  ASSERT_EQ(segment.subsegments.size(), 1u);
  EXPECT_TRUE(segment.subsegments[0].in_progress);
  EXPECT_EQ(segment.subsegments[0].parent_id, segment.id);
}

TEST(ParseSegment, ALocalSubsegmentCallsNothingOutside) {
  EXPECT_EQ(parse_segment(document(R"(,"namespace":"local")"), kNow)->segment.name_space, "");
  EXPECT_EQ(parse_segment(document(R"(,"namespace":"remote")"), kNow)->segment.name_space, "remote");
}

TEST(ParseSegment, IdsAreTheSameInEitherCase) {
  const auto parsed = parse_segment(document(R"(,"parent_id":"53995C3F42CD8AD8")"), kNow);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->segment.parent_id, "53995c3f42cd8ad8");
}

TEST(ParseSegment, SaysWhyOneIsNotTaken) {
  const auto code = [](const std::string& text) {
    const auto parsed = parse_segment(text, kNow);
    return parsed ? std::string("taken") : parsed.error().code;
  };
  const auto without = [&](std::string_view name) {
    auto json = *Json::parse(document());
    json.erase(name);
    return code(json.dump());
  };
  EXPECT_EQ(code("{"), "ParseError");
  EXPECT_EQ(code("[]"), "MissingTraceId");
  EXPECT_EQ(without("trace_id"), "MissingTraceId");
  EXPECT_EQ(without("id"), "MissingId");
  EXPECT_EQ(without("name"), "MissingName");
  EXPECT_EQ(without("start_time"), "MissingStartTime");
  EXPECT_EQ(without("end_time"), "MissingEndTime");
  EXPECT_EQ(code(document(R"(,"type":"subsegment")")), "MissingParentId");
  EXPECT_EQ(code(document(R"(,"parent_id":"x")")), "InvalidId");
  EXPECT_EQ(code(document(",\"metadata\":\"" + std::string(kSegmentBytes, 'x') + "\"")), "SegmentTooLarge");
  EXPECT_EQ(parse_segment(document(), kNow + 24h * 31).error().code, "InvalidTime");
  std::string deep = R"({"id":"70de5b6f19ff9a0a","name":"d","start_time":1700000000,"end_time":1700000001})";
  for (int i = 0; i < 20; ++i) {
    deep = R"({"id":"70de5b6f19ff9a0a","name":"d","start_time":1700000000,"end_time":1700000001,"subsegments":[)" +
           deep + "]}";
  }
  EXPECT_EQ(code(document(",\"subsegments\":[" + deep + "]")), "ParseError");
}

TEST(Datagram, HasAHeaderLineBeforeItsDocument) {
  EXPECT_EQ(*document_of("{\"format\": \"json\", \"version\": 1}\n{}"), "{}");
  for (const char* bad : {"", "{}", "{\"format\":\"json\",\"version\":2}\n{}", "x\n{}"})
    EXPECT_FALSE(document_of(bad)) << bad;
}

HopRecord record_of(const std::vector<telemetry::Span>& spans) {
  HopRecord record;
  record.id = *TraceId::parse(kTrace);
  for (const auto& span : spans) {
    Hop hop;
    hop.id = span.id;
    hop.parent = span.parent;
    hop.begin = WallTime{kNow} + (span.begin - base::SteadyPoint{std::chrono::hours{10}});
    hop.duration = span.end - span.begin;
    hop.kind = span.hop;
    hop.cold = span.cold;
    hop.entry = span.entry;
    hop.status = span.status;
    hop.method = span.method;
    hop.name = span.name.view();
    hop.route = span.route.view();
    hop.subject = span.subject.view();
    record.hops.push_back(hop);
  }
  return record;
}

TEST(Hops, BecomeTheSegmentsOfTheirServices) {
  const auto segments = segments_of(record_of(cold_request()));
  std::vector<std::string> origins;
  for (const auto& segment : segments) origins.push_back(segment.origin);
  EXPECT_THAT(origins, testing::UnorderedElementsAre("AWS::CloudFront::Distribution", "AWS::ApiGateway::Stage",
                                                     "AWS::Lambda", "AWS::Lambda::Function"));
  for (const auto& segment : segments) {
    if (segment.origin == "AWS::Lambda::Function") {
      ASSERT_EQ(segment.subsegments.size(), 1u);
      EXPECT_EQ(segment.subsegments[0].name, "Initialization");
    }
    if (segment.origin == "AWS::CloudFront::Distribution") {
      EXPECT_EQ(segment.http.url, "http://d1.cloudfront.net/v1/customers/42");
    }
    // What is made of hops is a document like any other.
    const TraceId id = *TraceId::parse(kTrace);
    EXPECT_TRUE(parse_segment(to_json(segment, &id).dump(), kNow));
  }
}

TEST(Assemble, WhatAnSdkSendsOfAFunctionStandsBelowItsHop) {
  Records records;
  records.hops.push_back(record_of(cold_request()));
  const auto add = [&](std::string_view id, std::string_view parent, std::string_view more) {
    records.documents.push_back(
        {records.hops[0].id, WallTime{kNow},
         fmt::format(
             R"({{"trace_id":"{}","type":"subsegment","id":"{}","parent_id":"{}","name":"{}","start_time":1700000000,"end_time":1700000000.004}})",
             kTrace, id, parent, more)});
  };
  add("aaaaaaaaaaaaaaaa", "000000000000000e", "process_request");
  add("bbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaa", "inner");
  const auto trace = assemble(records.hops[0].id, records);
  EXPECT_EQ(trace.segments.size(), 4u) << "nothing stands beside the segments of the services";
  EXPECT_EQ(trace.documents.size(), 6u);
  bool found = false;
  for (const auto& top : trace.segments) {
    if (top.origin != "AWS::Lambda::Function") continue;
    for_each_segment(top, [&](const Segment& segment) { found = found || segment.name == "inner"; });
  }
  EXPECT_TRUE(found);
}

TEST(Assemble, AWholeDocumentTakesThePlaceOfOneInProgress) {
  Records records;
  const TraceId id = *TraceId::parse(kTrace);
  const auto text = [&](std::string_view end) {
    return fmt::format(R"({{"trace_id":"{}","id":"70de5b6f19ff9a0a","name":"web","start_time":1700000000,{}}})", kTrace,
                       end);
  };
  records.documents.push_back({id, WallTime{kNow}, text(R"("in_progress":true)")});
  records.documents.push_back({id, WallTime{kNow}, text(R"("end_time":1700000002)")});
  records.documents.push_back({id, WallTime{kNow}, text(R"("in_progress":true)")});
  const auto trace = assemble(id, records);
  ASSERT_EQ(trace.segments.size(), 1u);
  EXPECT_FALSE(trace.segments[0].in_progress);
  EXPECT_EQ(trace.documents.size(), 1u);
}

TEST(Assemble, DocumentsThatNameEachOtherAsParentsStayAtTheTop) {
  Records records;
  const TraceId id = *TraceId::parse(kTrace);
  const auto add = [&](const std::string& own, const std::string& parent) {
    records.documents.push_back(
        {id, WallTime{kNow},
         fmt::format(
             R"({{"trace_id":"{}","type":"subsegment","id":"{}","parent_id":"{}","name":"x","start_time":1700000000,"end_time":1700000001}})",
             kTrace, own, parent)});
  };
  add("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb");
  add("bbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaa");
  for (int i = 1; i < 1000; ++i) add(fmt::format("{:016x}", i), fmt::format("{:016x}", i + 1));
  std::size_t count = 0;
  const auto trace = assemble(id, records);
  for (const auto& top : trace.segments) for_each_segment(top, [&](const Segment&) { ++count; });
  EXPECT_EQ(count, 1001u);
}

TEST(CountSegments, ACallOutsideIsAServiceUnlessThatServiceTellsItself) {
  std::vector<Segment> tops(2);
  tops[0].id = "1";
  tops[0].name = "web";
  tops[0].end = 1;
  for (const char* name : {"db", "api"}) {
    Segment call;
    call.id = name;
    call.name = name;
    call.subsegment = true;
    call.name_space = "remote";
    call.sql = std::string_view(name) == "db";
    tops[0].subsegments.push_back(call);
  }
  tops[1].id = "2";
  tops[1].name = "backend";
  tops[1].parent_id = "api";
  Counts counts;
  count_segments(
      tops, [](const std::string&) { return std::optional<Node>(); }, counts);
  std::vector<std::pair<Node, Node>> edges;
  for (const auto& [between, edge] : counts.edges) edges.push_back(between);
  EXPECT_THAT(edges, testing::UnorderedElementsAre(std::pair{Node{"web", "client"}, Node{"web", ""}},
                                                   std::pair{Node{"web", ""}, Node{"db", "Database::SQL"}},
                                                   std::pair{Node{"web", ""}, Node{"backend", ""}}));
}

}  // namespace
}  // namespace securebase::traces
