// The codecs by themselves: limits, and values that have more than one spelling. Whole messages are front_test.cc's and
// mirror/roundtrip_test.py's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "aws/cbor.h"
#include "aws/checksums.h"
#include "aws/chunked_upload.h"
#include "aws/gzip.h"
#include "aws/json_codec.h"
#include "aws/query_codec.h"
#include "aws/recognise.h"
#include "aws/timestamps.h"
#include "aws/xml_codec.h"
#include "base/encoding.h"

namespace securebase::aws {
namespace {

const Shape& input_of(std::string_view service, std::string_view operation) {
  return *find_service(service)->find(operation)->input;
}

TEST(Times, AreReadInEverySpellingAndWrittenInOne) {
  const auto time = *parse_time("2026-11-24T06:57:25Z");
  for (const auto* text : {"2026-11-24T06:57:25.000Z", "2026-11-24T07:57:25+01:00", "Tue, 24 Nov 2026 06:57:25 GMT",
                           "1795503445", "1795503445.0", "1.795503445E9", "2026-11-24T06:57:25"}) {
    EXPECT_EQ(parse_time(text), time) << text;
  }
  for (const auto* text : {"", "2026-13-01T00:00:00Z", "2026-11-24T06:57:25Zx", "nan", "1e300", "Tue, 24 Nov 2026"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
  EXPECT_EQ(format_time(time + std::chrono::milliseconds(250), TimeFormat::kUnix), "1795503445.250");
  EXPECT_EQ(format_time(time, TimeFormat::kHttpDate), "Tue, 24 Nov 2026 06:57:25 GMT");
  EXPECT_EQ(format_compact_time(time), "20261124T065725Z");
}

TEST(Xml, RefusesDepthSizeDtdsAndTheWrongRoot) {
  const auto& shape = *find_service("s3")->find("PutBucketTagging")->input->payload->shape;
  EXPECT_TRUE(
      decode_xml("<Tagging><TagSet><Tag><Key>k</Key><Value> </Value></Tag></TagSet></Tagging>", shape, "Tagging"));
  EXPECT_FALSE(decode_xml("<Other/>", shape, "Tagging"));
  EXPECT_FALSE(decode_xml("<!DOCTYPE x [<!ENTITY a \"b\">]><Tagging/>", shape, "Tagging"));
  EXPECT_FALSE(decode_xml("<Tagging>", shape, "Tagging"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_FALSE(decode_xml(deep, shape, ""));
  EXPECT_FALSE(decode_xml("<Tagging>" + std::string(9 << 20, ' ') + "</Tagging>", shape, "Tagging"));
}

TEST(Xml, KeepsBlankValuesAttributesAndUnknownElements) {
  const auto& shape = *find_service("s3")->find("PutBucketAcl")->input->payload->shape;
  const auto value = decode_xml(
      "<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><AccessControlList><Grant><Grantee "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>me &amp; "
      "you</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList><Newer><x>1</x></Newer>"
      "</AccessControlPolicy>",
      shape, "AccessControlPolicy");
  ASSERT_TRUE(value) << value.error().message;
  const auto& grantee = (*value)["Grants"].elements().at(0)["Grantee"];
  EXPECT_EQ(grantee["Type"].string_or(""), "CanonicalUser");
  EXPECT_EQ(grantee["ID"].string_or(""), "me & you");
  EXPECT_EQ((*value)["Newer"]["x"].string_or(""), "1");
}

TEST(Xml, WritesWhatIsNoTextAsSuch) {
  std::string out;
  append_xml_text(out, "a<b>&\"\x01\r\n\xff\xc3\xa9");
  EXPECT_EQ(out, "a&lt;b&gt;&amp;&quot;&#x1;&#xD;\n\xef\xbf\xbd\xc3\xa9");
}

TEST(Cbor, ReadsEveryLengthAndFloatOfTheSpecification) {
  // RFC 8949, appendix A.
  const std::vector<std::pair<std::string, Value>> examples = {{"00", 0},
                                                               {"1818", 24},
                                                               {"1903e8", 1000},
                                                               {"1a000f4240", 1000000},
                                                               {"20", -1},
                                                               {"3903e7", -1000},
                                                               {"f93c00", 1.0},
                                                               {"f97bff", 65504.0},
                                                               {"f90001", 5.960464477539063e-8},
                                                               {"fb3ff199999999999a", 1.1},
                                                               {"fa47c35000", 100000.0},
                                                               {"f4", false},
                                                               {"f5", true},
                                                               {"f6", nullptr},
                                                               {"6161", "a"},
                                                               {"7f657374726561646d696e67ff", "streaming"},
                                                               {"9f01820203ff", Value::list({1, Value::list({2, 3})})},
                                                               {"bf6161019fff", nullptr},
                                                               {"a16161f97e00", nullptr},
                                                               {"c11a514b67b0", *parse_time("1363896240")},
                                                               {"c1fb41d452d9ec200000", *parse_time("1363896240.5")}};
  for (const auto& [hex, expected] : examples) {
    const auto value = parse_cbor(*base::from_hex(hex));
    if (hex == "bf6161019fff") {
      EXPECT_FALSE(value) << "a key that is no text";
    } else if (hex == "a16161f97e00") {
      ASSERT_TRUE(value);
      EXPECT_TRUE(std::isnan((*value)["a"].number_or(0)));
    } else {
      ASSERT_TRUE(value) << hex << ": " << value.error().message;
      EXPECT_EQ(*value, expected) << hex;
    }
  }
}

TEST(Cbor, RefusesWhatClaimsMoreThanIsThere) {
  for (const auto* hex : {"", "18", "5affffffff00", "9affffffff00", "baffffffff6161", "7f6161", "9f", "ff", "1f",
                          "c2420100", "3bffffffffffffffff", "0000", "f8ff"}) {
    EXPECT_FALSE(parse_cbor(*base::from_hex(hex))) << hex;
  }
  EXPECT_FALSE(parse_cbor(std::string(100, '\x81') + '\0')) << "100 arrays in each other";
  EXPECT_TRUE(parse_cbor(std::string(60, '\x81') + '\0'));
}

TEST(Cbor, GivesBackWhatItWrote) {
  const auto value = Value::structure({{"whole", 70000},
                                       {"negative", -12},
                                       {"float", 2.5},
                                       {"text", "\xc3\xa9"},
                                       {"bytes", Blob{std::string("\0\1", 2)}},
                                       {"flag", true},
                                       {"time", *parse_time("2026-11-24T06:57:25.250Z")},
                                       {"list", Value::list({1, "a"})}});
  std::string bytes;
  encode_cbor(bytes, value, nullptr);
  EXPECT_EQ(*parse_cbor(bytes), value);
}

TEST(Query, TakesListsFlattenedOrNotAndMapsByEntries) {
  const auto read = [](std::string_view form, const Shape& shape) { return *decode_query(*parse_form(form), shape); };
  const auto& filters = input_of("rds", "DescribeDBInstances");
  const auto rds =
      read("Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=a&Filters.Filter.1.Values.Value.2=b", filters);
  EXPECT_EQ(rds["Filters"].elements().at(0)["Values"], Value::list({"a", "b"}));
  const auto flat = read("Filters.1.Name=engine&Filters.1.Values.1=a", filters);
  EXPECT_EQ(flat["Filters"].elements().at(0)["Values"], Value::list({"a"}));
  const auto sns =
      read("Attributes.entry.1.key=A&Attributes.entry.1.value=1&Newer.X=2", input_of("sns", "CreateTopic"));
  EXPECT_EQ(sns["Attributes"]["A"].string_or(""), "1");
  EXPECT_EQ(sns["Newer"]["X"].string_or(""), "2");
  EXPECT_EQ(read("Statistics=", input_of("cloudwatch", "GetMetricStatistics"))["Statistics"], Value::list());
}

TEST(Checksums, AreThoseOfTheirSpecifications) {
  using Algorithm = Checksum::Algorithm;
  const std::vector<std::pair<Algorithm, std::string>> digests = {
      {Algorithm::kCrc32, "cbf43926"}, {Algorithm::kCrc32c, "e3069283"}, {Algorithm::kCrc64Nvme, "ae8b14860a799888"}};
  for (const auto& [algorithm, expected] : digests) {
    const auto checksum = Checksum::make(algorithm);
    for (const char c : std::string_view("123456789")) checksum->update({&c, 1});
    EXPECT_EQ(base::hex(checksum->finish()), expected) << "byte by byte";
    checksum->update("123456789");
    EXPECT_EQ(base::hex(checksum->finish()), expected) << "at once";
  }
}

TEST(Gzip, IsReadWholeOrNotAtAll) { EXPECT_FALSE(gunzip("no gzip", 100)); }

TEST(Model, HasEveryServiceAndWhatTheOverlaysAdd) {
  EXPECT_EQ(services().size(), 16U);
  const auto* cloudwatch = find_service("cloudwatch");
  EXPECT_TRUE(cloudwatch->speaks(Protocol::kCbor) && cloudwatch->speaks(Protocol::kJson) &&
              cloudwatch->speaks(Protocol::kQuery));
  EXPECT_EQ(find_service("rds")->find_exception("DBInstanceNotFound")->error_status, 404);
  EXPECT_EQ(find_service("s3")->find("ListObjectsV2")->output_wire, "ListBucketResult");
  EXPECT_EQ(find_service("s3")->find("GetBucketLifecycle"), nullptr);
}

}  // namespace
}  // namespace securebase::aws
