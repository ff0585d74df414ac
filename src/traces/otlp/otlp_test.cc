#include <zlib.h>

#include "traces/otlp/export.h"

#include <fmt/format.h>
#include "traces/otlp/spans.h"
#include "traces/record/bytes.h"
#include "traces/test_support.h"
#include "traces/traces.h"

namespace securebase::traces {
namespace {

using base::Json;
using namespace otlp;

constexpr const char* kRequest = R"({"resourceSpans":[{"resource":{"attributes":[
  {"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
  {"traceId":"6553F100bd862e3fe1be46a994272793","spanId":"70de5b6f19ff9a0a","name":"GET /cart","kind":2,
   "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000500000000",
   "attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},
                 {"key":"http.response.status_code","value":{"intValue":"503"}},
                 {"key":"url.full","value":{"stringValue":"http://shop/cart"}},
                 {"key":"tenant","value":{"stringValue":"a"}}],
   "status":{"code":2,"message":"no"}},
  {"traceId":"6553f100bd862e3fe1be46a994272793","spanId":"53995c3f42cd8ad8","parentSpanId":"70de5b6f19ff9a0a",
   "name":"SELECT carts","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":1700000000100000000,
   "endTimeUnixNano":1700000000200000000,"attributes":[{"key":"db.system","value":{"stringValue":"postgresql"}}],
   "events":[{"name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":"Deadlock"}}]}]},
  {"traceId":"xx","spanId":"1","name":"broken"}]}]}]})";

struct World {
  TestDirectory directory;
  base::ManualClock clock;
  telemetry::Spans spans;
  std::unique_ptr<Traces> traces = *Traces::open({.directory = directory.path()}, spans, clock);
};

TEST(Otlp, SpansBecomeATrace) {
  World world;
  const auto answer = world.traces->take_otlp(kRequest, "application/json; charset=utf-8");
  ASSERT_TRUE(answer) << answer.error().message;
  const auto said = Json::parse(*answer);
  EXPECT_EQ((*said)["partialSuccess"]["rejectedSpans"].string_or(""), "1");
  const auto shown = world.traces->show("1-6553f100-bd862e3fe1be46a994272793");
  ASSERT_TRUE(shown) << shown.error().message;
  const auto text = (*shown)["text"].string_or("");
  EXPECT_THAT(text, testing::HasSubstr("shop  [503 fault]"));
  EXPECT_THAT(text, testing::HasSubstr("postgresql (Database::SQL)"));
  EXPECT_THAT(text, testing::HasSubstr("Deadlock"));
  const auto found =
      world.traces->list(1h, "annotation.tenant = \"a\" AND service(\"shop\") { http.status = 503 }", 10);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)["report"].as_array()->size(), 1u);
}

TEST(Otlp, WhatIsWrittenAsProtobufIsReadAsTheSame) {
  Records records;
  HopRecord record;
  record.id = {0x6553f100bd862e3f, 0xe1be46a994272793};
  Hop edge;
  edge.id = 10;
  edge.begin = WallTime{1'700'000'000s};
  edge.duration = 5ms;
  edge.name = "d1.cloudfront.net";
  edge.method = "GET";
  edge.subject = "/v1";
  edge.status = 502;
  edge.failed = true;
  Hop origin = edge;
  origin.kind = telemetry::Hop::kOriginHttp;
  origin.id = 11;
  origin.parent = 10;
  origin.name = "backend";
  record.hops = {edge, origin};
  records.hops.push_back(record);
  const auto spans = read_protobuf(write_protobuf(records));
  ASSERT_TRUE(spans);
  ASSERT_EQ(spans->size(), 2u);
  EXPECT_EQ((*spans)[0].service, "d1.cloudfront.net");
  EXPECT_EQ((*spans)[0].trace_id, "6553f100bd862e3fe1be46a994272793");
  EXPECT_EQ((*spans)[0].kind, Kind::kServer);
  EXPECT_TRUE((*spans)[0].failed);
  EXPECT_EQ((*spans)[1].parent_id, "000000000000000a");
  EXPECT_EQ((*spans)[1].kind, Kind::kClient);
  EXPECT_NEAR(static_cast<double>((*spans)[0].end_ns - (*spans)[0].start_ns), 5e6, 1e3);
}

TEST(Otlp, ABodyMayBePacked) {
  World world;
  std::string packed(4096, '\0');
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string plain(kRequest);
  stream.next_in = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  EXPECT_TRUE(world.traces->take_otlp(packed, "application/json", "gzip"));
  EXPECT_TRUE(world.traces->show("1-6553f100-bd862e3fe1be46a994272793"));
  packed.resize(packed.size() / 2);
  EXPECT_EQ(world.traces->take_otlp(packed, "application/json", "gzip").error().code, Errc::kMalformed);
  EXPECT_EQ(world.traces->take_otlp(packed, "application/json", "br").error().code, Errc::kUnsupported);
}

TEST(Otlp, NamesOfTypesAndCodingsAreTheSameInEitherCase) {
  World world;
  EXPECT_TRUE(world.traces->take_otlp("{}", "Application/JSON", "Identity"));
}

// OTLP/HTTP: what is answered 429 is sent again, as it is.
TEST(Otlp, ABodyThatIsTooMuchIsRefusedForGood) {
  World world;
  std::string spans;
  for (std::size_t i = 0; i <= kMostSpans; ++i) spans += std::string_view("\x12\0", 2);
  const auto field = [](std::uint64_t number, std::string_view bytes) {
    std::string out;
    put_varint(out, number << 3 | 2);
    put_text(out, bytes);
    return out;
  };
  const auto refused = world.traces->take_otlp(field(1, field(2, spans)), "application/x-protobuf");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kMalformed);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("20000 spans"));
}

// Every span gets what its resource has: a small body of many spans must not become a large one here.
TEST(Otlp, WhatAResourceSaysIsBounded) {
  const auto attribute = [](std::string_view key, std::size_t bytes) {
    return fmt::format(R"({{"key":"{}","value":{{"stringValue":"{}"}}}})", key, std::string(bytes, 'x'));
  };
  const auto spans = otlp::read_json(fmt::format(
      R"({{"resourceSpans":[{{"resource":{{"attributes":[{},{},{}]}},"scopeSpans":[{{"spans":[{{"name":"a"}}]}}]}}]}})",
      attribute("service.name", 5000), attribute("large", 5000), attribute("small", 10)));
  ASSERT_TRUE(spans);
  const auto& span = spans->at(0);
  EXPECT_EQ(span.service.size(), otlp::SpanLimits::kServiceBytes);
  ASSERT_EQ(span.resource->size(), 2u);
  EXPECT_EQ(span.resource->at(1).first, "small");
}

TEST(Otlp, ASpanOfNoTraceIsRejectedAndTheOthersAreTaken) {
  World world;
  std::string request = kRequest;
  request.replace(request.find("53995c3f42cd8ad8"), 16, std::string(16, '0'));
  const auto said = Json::parse(*world.traces->take_otlp(request, "application/json"));
  EXPECT_EQ((*said)["partialSuccess"]["rejectedSpans"].string_or(""), "2");
  EXPECT_THAT((*said)["partialSuccess"]["errorMessage"].string_or(""), testing::HasSubstr("not all zero"));
  EXPECT_TRUE(world.traces->show("1-6553f100-bd862e3fe1be46a994272793"));
}

TEST(Otlp, RefusesWhatItIsNot) {
  World world;
  EXPECT_EQ(world.traces->take_otlp("{}", "text/plain").error().code, Errc::kUnsupported);
  EXPECT_EQ(world.traces->take_otlp("{", "application/json").error().code, Errc::kMalformed);
  EXPECT_EQ(world.traces->take_otlp("\xff\xff", "application/x-protobuf").error().code, Errc::kMalformed);
  EXPECT_EQ(*world.traces->take_otlp("", "application/x-protobuf"), "");
}

TEST(Exporter, WaitsAsLongAsTheCollectorAsks) {
  std::mutex mutex;
  std::condition_variable bell;
  std::size_t asked = 0;
  Exporter exporter({.queue = 3, .batch = 2, .gather = 1ms, .first_pause = 1ms, .longest_pause = 2ms},
                    [&](const std::string&) -> Result<OtlpAnswer> {
                      const std::lock_guard lock(mutex);
                      ++asked;
                      bell.notify_all();
                      return OtlpAnswer{.status = 503, .body = "", .retry_after = 300s};
                    });
  Records one;
  one.documents.push_back({{1, 2}, WallTime{1'700'000'000s}, "{}"});
  exporter.add(one);
  std::unique_lock lock(mutex);
  ASSERT_TRUE(bell.wait_for(lock, 10s, [&] { return asked >= 1; }));
  EXPECT_FALSE(bell.wait_for(lock, 50ms, [&] { return asked >= 2; }));
  lock.unlock();
  exporter.end();  // at once, whatever was asked for
}

TEST(Exporter, TriesAgainWhileTheCollectorIsAwayAndGivesUpWhatItRefuses) {
  std::mutex mutex;
  std::condition_variable bell;
  std::vector<int> answers{503, 429, 200, 400};
  std::size_t asked = 0;
  Exporter exporter({.queue = 3, .batch = 2, .gather = 1ms, .first_pause = 1ms, .longest_pause = 2ms},
                    [&](const std::string&) -> Result<OtlpAnswer> {
                      const std::lock_guard lock(mutex);
                      const int answer = answers[std::min(asked++, answers.size() - 1)];
                      bell.notify_all();
                      return OtlpAnswer{answer, answer_protobuf(answer == 200 ? 3 : 0, "too old")};
                    });
  const auto wait = [&](std::size_t times) {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(bell.wait_for(lock, 10s, [&] { return asked >= times; }));
  };
  Records one;
  one.documents.push_back({{1, 2}, WallTime{1'700'000'000s}, "{}"});
  exporter.add(one);
  wait(3);
  exporter.add(one);
  wait(4);
  exporter.end();
  EXPECT_EQ(exporter.statistics().sent, 1u);
  EXPECT_EQ(exporter.statistics().lost, 1u);
  EXPECT_EQ(exporter.statistics().rejected_spans, 3u);
  for (int i = 0; i < 10; ++i) exporter.add(one);
  EXPECT_EQ(exporter.statistics().lost, 8u) << "the queue has a bound";
}

}  // namespace
}  // namespace securebase::traces
