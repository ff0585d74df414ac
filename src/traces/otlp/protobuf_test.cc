// OTLP's protobuf as other people's exporters may write it, and as ours does.
#include <fmt/format.h>

#include "base/encoding.h"
#include "traces/otlp/spans.h"
#include "traces/record/bytes.h"
#include "traces/test_support.h"

namespace securebase::traces {
namespace {

using base::Json;
using namespace otlp;

constexpr const char* kTraceHex = "6553f100bd862e3fe1be46a994272793";
constexpr const char* kSpanHex = "70de5b6f19ff9a0a";
constexpr std::uint64_t kBegin = 1'700'000'000'000'000'000;

std::string bytes_field(std::uint64_t number, std::string_view bytes) {
  std::string out;
  put_varint(out, number << 3 | 2);
  put_text(out, bytes);
  return out;
}
std::string varint_field(std::uint64_t number, std::uint64_t value) {
  std::string out;
  put_varint(out, number << 3);
  put_varint(out, value);
  return out;
}
std::string fixed_field(std::uint64_t number, std::uint64_t value) {
  std::string out;
  put_varint(out, number << 3 | 1);
  put_fixed(out, value);
  return out;
}
std::string attribute(std::uint64_t number, std::string_view key, const std::string& any_value) {
  return bytes_field(number, bytes_field(1, key) + bytes_field(2, any_value));
}
std::string a_span(const std::string& more = "") {
  return bytes_field(1, *base::from_hex(kTraceHex)) + bytes_field(2, *base::from_hex(kSpanHex)) +
         bytes_field(5, "GET /cart") + varint_field(6, 2) + fixed_field(7, kBegin) +
         fixed_field(8, kBegin + 5'000'000) + more;
}
std::string request_of(const std::string& span, const std::string& resource = "") {
  return bytes_field(1, bytes_field(1, attribute(1, "service.name", bytes_field(1, "shop")) + resource) +
                            bytes_field(2, bytes_field(2, span)));
}
OtlpSpan read_one(const std::string& body) {
  auto spans = read_protobuf(body);
  EXPECT_TRUE(spans) << (spans ? "" : spans.error().message);
  EXPECT_EQ(spans ? spans->size() : 0, 1u);
  return spans && !spans->empty() ? spans->front() : OtlpSpan{};
}

TEST(OtlpProtobuf, WhatItDoesNotKnowIsPassedOver) {
  std::string fixed32;
  put_varint(fixed32, 16 << 3 | 5);
  put_fixed(fixed32, std::uint32_t{0x101});  // flags, since OTLP 1.1
  const auto span = read_one(request_of(a_span(fixed32 + varint_field(99, ~0ULL) + bytes_field(15000, "new"))) +
                             varint_field(7, 1) + fixed_field(8, 1));
  EXPECT_EQ(span.trace_id, kTraceHex);
  EXPECT_EQ(span.service, "shop");
  EXPECT_EQ(span.end_ns, kBegin + 5'000'000);
}

TEST(OtlpProtobuf, WhatIsNoMessageIsRefused) {
  const auto is_malformed = [](const std::string& body) {
    const auto spans = read_protobuf(body);
    return !spans && spans.error().code == Errc::kMalformed;
  };
  std::string group;
  put_varint(group, 20 << 3 | 3);
  EXPECT_TRUE(is_malformed(request_of(a_span(group)))) << "a group";
  EXPECT_TRUE(is_malformed(varint_field(0, 1))) << "no field has the number 0";
  EXPECT_TRUE(is_malformed(varint_field((1ULL << 32) + 1, 1))) << "nor one that is 1 in 32 bits only";
  EXPECT_TRUE(is_malformed(std::string(11, '\xff'))) << "a varint of more than ten bytes";
  EXPECT_TRUE(is_malformed("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")) << "longer than there are bytes";
  const auto whole = request_of(a_span());
  for (std::size_t size = 1; size < whole.size(); ++size) EXPECT_TRUE(is_malformed(whole.substr(0, size))) << size;
}

TEST(OtlpProtobuf, ASpanHoldsNoMoreThanItsLimitsHoweverLittleItSends) {
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    many += attribute(9, "k", varint_field(2, 1)) + bytes_field(11, bytes_field(2, "exception")) + bytes_field(13, "");
  }
  const auto span = read_one(request_of(a_span(many)));
  EXPECT_EQ(span.attributes.size(), SpanLimits::kAttributes);
  EXPECT_EQ(span.exceptions.size(), SpanLimits::kExceptions);
  EXPECT_EQ(span.links.size(), SpanLimits::kLinks);
}

TEST(OtlpSpan, HasTheResourceBehindItsOwnAttributesAndItsLinks) {
  const auto link = bytes_field(13, bytes_field(1, *base::from_hex("6553f100bd862e3fe1be46a994272794")) +
                                        bytes_field(2, *base::from_hex("000000000000000b")));
  const auto span = read_one(request_of(a_span(attribute(9, "tenant", bytes_field(1, "a")) + link),
                                        attribute(1, "deployment.environment", bytes_field(1, "prod"))));
  const auto document = document_of(span);
  EXPECT_EQ(document["annotations"]["tenant"].string_or(""), "a");
  EXPECT_EQ(document["annotations"]["otel.resource.deployment.environment"].string_or(""), "prod");
  const auto parsed = parse_segment(document.dump(), base::TimePoint{1'700'000'000s});
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->segment.links.size(), 1u);
  EXPECT_EQ(parsed->segment.links[0].trace.text(), "1-6553f100-bd862e3fe1be46a994272794");
  EXPECT_EQ(parsed->segment.links[0].id, "000000000000000b");
}

TEST(OtlpSpan, OfZerosIsNoIdAndNoParent) {
  auto span = read_one(request_of(a_span(bytes_field(4, std::string(8, '\0')))));
  EXPECT_TRUE(has_ids(span));
  EXPECT_TRUE(document_of(span)["parent_id"].is_null());
  EXPECT_EQ(document_of(span)["name"].string_or(""), "shop");
  span.span_id = "0000000000000000";
  EXPECT_FALSE(has_ids(span));
}

Records documents(std::initializer_list<std::string> more) {
  Records records;
  for (const auto& one : more) {
    records.documents.push_back(
        {*TraceId::parse("1-6553f100-bd862e3fe1be46a994272793"), WallTime{1'700'000'000s},
         fmt::format(R"({{"trace_id":"1-6553f100-bd862e3fe1be46a994272793","start_time":1700000000,{}}})", one)});
  }
  return records;
}

TEST(OtlpExport, TellsWhatFailedAndHow) {
  const auto spans = *read_protobuf(write_protobuf(documents({
      R"("id":"000000000000000a","name":"web","end_time":1700000001,"fault":true,
         "http":{"request":{"method":"GET","url":"http://a/"},"response":{"status":502}},"annotations":{"size":3,"share":0.5},
         "links":[{"trace_id":"1-6553f100-bd862e3fe1be46a994272794","id":"000000000000000b"}],
         "cause":{"exceptions":[{"type":"KeyError","message":"no such key"}]})"})));
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_TRUE(spans[0].failed);
  EXPECT_EQ(spans[0].message, "no such key");
  ASSERT_EQ(spans[0].exceptions.size(), 1u);
  EXPECT_EQ(spans[0].exceptions[0].type, "KeyError");
  ASSERT_EQ(spans[0].links.size(), 1u);
  EXPECT_EQ(spans[0].links[0].span_id, "000000000000000b");
  EXPECT_THAT(spans[0].attributes, testing::Contains(std::pair<std::string, Annotation>("size", 3.0)));
  EXPECT_THAT(spans[0].attributes, testing::Contains(std::pair<std::string, Annotation>("share", 0.5)));
}

// Semantic conventions, HTTP: http.response.status_code is an integer.
// An annotation's number is a double whatever its value: a series of one name would change its type else.
TEST(OtlpExport, OnlyStatusesAreIntegers) {
  const auto body = write_protobuf(
      documents({R"("id":"000000000000000a","name":"web","end_time":1700000001,"http":{"response":{"status":502}},
                     "annotations":{"size":3})"}));
  EXPECT_NE(body.find(bytes_field(1, "size") + bytes_field(2, fixed_field(4, 0x4008000000000000))), body.npos);
  const auto integer = bytes_field(1, "http.response.status_code") + bytes_field(2, varint_field(3, 502));
  EXPECT_NE(body.find(integer), body.npos);
}

TEST(OtlpExport, ASubsegmentThatCameAloneIsOfTheServiceThatItBelongsTo) {
  const auto spans = *read_protobuf(write_protobuf(documents(
      {R"("type":"subsegment","id":"000000000000000c","parent_id":"000000000000000b","name":"inner","end_time":1700000001)",
       R"("type":"subsegment","id":"000000000000000b","parent_id":"000000000000000a","name":"outer","end_time":1700000001)",
       R"("id":"000000000000000a","name":"web","end_time":1700000001)"})));
  ASSERT_EQ(spans.size(), 3u);
  for (const auto& span : spans) EXPECT_EQ(span.service, "web") << span.name;
}

TEST(OtlpExport, WhatIsInProgressComesWhenItIsWhole) {
  const auto spans =
      *read_protobuf(write_protobuf(documents({R"("id":"000000000000000a","name":"web","in_progress":true,
          "subsegments":[{"id":"000000000000000b","name":"done","start_time":1700000000,"end_time":1700000001}])"})));
  EXPECT_TRUE(spans.empty()) << "the whole document has them again";
}

TEST(OtlpExport, AnswersSayWhatWasNotTaken) {
  const auto said = read_answer(answer_protobuf(7, "too old"));
  EXPECT_EQ(said.rejected_spans, 7u);
  EXPECT_EQ(said.message, "too old");
  for (const std::string_view nothing : {"", "\xff\xff", "{}"}) EXPECT_EQ(read_answer(nothing).rejected_spans, 0u);
}

}  // namespace
}  // namespace securebase::traces
