#include "logs/store/discover.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

namespace securebase::logs {
namespace {

class Fields final : public FieldReceiver {
 public:
  void number(std::string_view name, double value) override { all.emplace(name, fmt::format("{}", value)); }
  void text(std::string_view name, std::string_view value) override { all.emplace(name, fmt::format("'{}'", value)); }
  std::map<std::string, std::string> all;
};

std::map<std::string, std::string> fields_of(std::string_view message) {
  Fields fields;
  Discoverer().discover(message, fields);
  return fields.all;
}

using Found = std::map<std::string, std::string>;
constexpr auto kRequestIdText = "'3f2c8a10-aaaa-4bbb-8ccc-0123456789ab'";

TEST(Discover, ReadsWhatLambdaSaysOfARequest) {
  EXPECT_EQ(fields_of("START RequestId: 3f2c8a10-aaaa-4bbb-8ccc-0123456789ab Version: $LATEST"),
            (Found{{"@type", "'START'"}, {"@requestId", kRequestIdText}}));
  EXPECT_EQ(fields_of("END RequestId: 3f2c8a10-aaaa-4bbb-8ccc-0123456789ab"),
            (Found{{"@type", "'END'"}, {"@requestId", kRequestIdText}}));
  EXPECT_EQ(fields_of("REPORT RequestId: 3f2c8a10-aaaa-4bbb-8ccc-0123456789ab\tDuration: 12.34 ms\tBilled Duration: 13 "
                      "ms\tMemory Size: 512 MB\tMax Memory Used: 74 MB\tInit Duration: 180.22 ms\t\nXRAY TraceId: "
                      "1-5759e988-bd862e3fe1be46a994272793\tSegmentId: 53995c3f42cd8ad8\tSampled: true\t"),
            (Found{{"@type", "'REPORT'"},
                   {"@requestId", kRequestIdText},
                   {"@duration", "12.34"},
                   {"@billedDuration", "13"},
                   {"@memorySize", "512000000"},
                   {"@maxMemoryUsed", "74000000"},
                   {"@initDuration", "180.22"},
                   {"@xrayTraceId", "'1-5759e988-bd862e3fe1be46a994272793'"},
                   {"@xraySegmentId", "'53995c3f42cd8ad8'"}}));
}

TEST(Discover, FindsTheRequestInALoggersLine) {
  EXPECT_EQ(fields_of("[INFO]\t2026-11-24T10:00:00.000Z\t3f2c8a10-aaaa-4bbb-8ccc-0123456789ab\thello"),
            (Found{{"@requestId", kRequestIdText}}));
  EXPECT_EQ(fields_of("2026-11-24T10:00:00.000Z\t3f2c8a10-aaaa-4bbb-8ccc-0123456789ab\tINFO\t{\"a\":1}"),
            (Found{{"@requestId", kRequestIdText}, {"a", "1"}}));
}

TEST(Discover, ReadsSlowStatements) {
  EXPECT_EQ(fields_of("2026-11-24 10:00:00 UTC:127.0.0.1(5000):app@securebase:[123]:LOG:  duration: 1234.567 ms  "
                      "statement: SELECT pg_sleep(1.2)\n\tFROM x"),
            (Found{{"user", "'app'"},
                   {"database", "'securebase'"},
                   {"pid", "123"},
                   {"level", "'LOG'"},
                   {"@duration", "1234.567"},
                   {"statement", "'SELECT pg_sleep(1.2)\n\tFROM x'"}}));
}

TEST(Discover, FlattensJson) {
  EXPECT_EQ(
      fields_of(R"({"a":{"b":[1,{"c":"x"}]},"ok":true,"none":null,"@t":"y","big":12345678901234567890})"),
      (Found{{"a.b.0", "1"}, {"a.b.1.c", "'x'"}, {"ok", "'true'"}, {"@@t", "'y'"}, {"big", "'12345678901234567890'"}}));
  EXPECT_EQ(fields_of(R"(before {"a":"}"} and {"b":2})"), (Found{{"a", "'}'"}}));
  EXPECT_EQ(fields_of(R"({"a":1} {"b":2})"), (Found{{"a", "1"}}));
}

TEST(Discover, FindsNothingInOtherTexts) {
  for (const auto* text : {"", "{", "REPORT", "REPORT RequestId: no-uuid\tDuration: 1 ms", "{\"a\":}", "2026-11-24 10",
                           "hello {world}", "[1,2]", "END RequestId: 3f2c8a10-aaaa-4bbb-8ccc-0123456789abx"}) {
    EXPECT_EQ(fields_of(text), Found{}) << text;
  }
}

TEST(Discover, StopsAtItsLimits) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "{\"a\":";
  deep += "1" + std::string(100, '}');
  EXPECT_TRUE(fields_of(deep).empty());
  std::string wide = "{";
  for (int i = 0; i < 2000; ++i) wide += fmt::format("\"k{}\":{},", i, i);
  wide.back() = '}';
  EXPECT_EQ(fields_of(wide).size(), Discoverer::Limits{}.fields);
}

}  // namespace
}  // namespace securebase::logs
