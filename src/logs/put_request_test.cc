#include "logs/put_request.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "base/json.h"

namespace securebase::logs {
namespace {

using namespace std::literals;

std::string request_of(std::string_view events) {
  return fmt::format(R"({{"logGroupName": "/app/web", "logStreamName": "s", "logEvents": [{}]}})", events);
}

std::string event_of(std::string_view message) {  // as it stands in JSON
  return fmt::format(R"({{"timestamp": 1700000000000, "message": "{}"}})", message);
}

TEST(PutRequest, HasNamesTimesAndTexts) {
  const auto request =
      read_put_request(R"( {"logEvents":[{"message":"one","timestamp":0},{"timestamp":1700000000001,"message":"two"}],)"
                       R"("logStreamName":"s","logGroupName":"/app/web"} )");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->group, "/app/web");
  EXPECT_EQ(request->stream, "s");
  ASSERT_EQ(request->events.size(), 2U);
  EXPECT_EQ(request->events[0].message, "one");
  EXPECT_EQ(request->events[0].time_ms, 0);
  EXPECT_EQ(request->events[1].message, "two");
  EXPECT_EQ(request->events[1].time_ms, 1'700'000'000'001);
}

TEST(PutRequest, ReadsEscapesWhereverTheyStand) {
  const auto request =
      read_put_request(request_of(event_of(R"(\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00\u0000)")));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->events[0].message, "\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001f600\0"sv);
  // Strides are of 16 bytes.
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t after = 0; after < 40; ++after) {
      const auto line = std::string(before, 'a') + R"(\")" + std::string(after, 'b');
      const auto one = read_put_request(request_of(event_of(line)));
      ASSERT_TRUE(one);
      EXPECT_EQ(one->events[0].message, std::string(before, 'a') + '"' + std::string(after, 'b'));
    }
  }
}

TEST(PutRequest, IsWhatTheJsonOfEveryOperationSays) {
  std::mt19937 random(7);
  const std::string_view pieces[] = {
      R"(\")", R"(\\)",  R"(\n)", R"(\u00fc)", R"(\ud83d\ude00)", "plain text of some length",
      " ",     "\u00fc", "{",     "}",         "[1,2]",           "\U0001f600"};
  for (int round = 0; round < 200; ++round) {
    std::string events;
    for (unsigned i = 0; i <= random() % 5; ++i) {
      std::string message;
      for (unsigned piece = 0; piece <= random() % 30; ++piece) message += pieces[random() % std::size(pieces)];
      events += (events.empty() ? "" : ", ") + event_of(message);
    }
    const auto text = request_of(events);
    const auto request = read_put_request(text);
    const auto json = base::Json::parse(text);
    ASSERT_TRUE(request && json) << text;
    const auto& expected = *json->find("logEvents")->as_array();
    ASSERT_EQ(request->events.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(request->events[i].message, expected[i].find("message")->string_or("")) << text;
    }
  }
}

TEST(PutRequest, LeavesToTheModelWhatIsNotPlainOrNotValid) {
  const std::string refused[] = {
      "",
      "{}",
      "[]",
      "null",
      request_of(""),
      request_of("{}"),
      request_of("null"),
      request_of(R"({"timestamp": 1})"),
      request_of(R"({"message": "x"})"),
      request_of(R"({"timestamp": -1, "message": "x"})"),
      request_of(R"({"timestamp": 01, "message": "x"})"),
      request_of(R"({"timestamp": 1.5, "message": "x"})"),
      request_of(R"({"timestamp": 1e3, "message": "x"})"),
      request_of(R"({"timestamp": "1", "message": "x"})"),
      request_of(R"({"timestamp": 1234567890123456789, "message": "x"})"),
      request_of(R"({"timestamp": 1, "message": 1})"),
      request_of(R"({"timestamp": 1, "message": "x", "more": 1})"),
      request_of(R"({"timestamp": 1, "timestamp": 1, "message": "x"})"),
      request_of(R"({"timestamp": 1, "message": "x", "message": "y"})"),
      request_of(R"({"timestamp": 1, "message": "x"},)"),
      request_of(event_of("")),
      request_of(event_of("\\")),
      request_of(event_of(R"(\x)")),
      request_of(event_of(R"(\u12)")),
      request_of(event_of(R"(\u-123)")),
      request_of(event_of(R"(\ud83d)")),
      request_of(event_of(R"(\ud83d\u0041)")),
      request_of(event_of(R"(\ude00)")),
      request_of(event_of("a\nb")),
      request_of(event_of("a longer text that has a control\x01 character")),
      request_of(event_of("\xff")),
      request_of(event_of("\xed\xa0\x80")),
      request_of(event_of("x")) + "x",
      request_of(event_of("x")).substr(0, 60),
      R"({"logGroupName": "g", "logEvents": [{"timestamp": 1, "message": "x"}]})",
      R"({"logGroupName": "g", "logStreamName": "s"})",
      R"({"logGroupName": "g", "logStreamName": "s", "entity": {}, "logEvents": [{"timestamp": 1, "message": "x"}]})",
      R"({"logGroupName": "g", "logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp":1,"message":"x"}]})",
  };
  for (const auto& text : refused) EXPECT_FALSE(read_put_request(text)) << text;
  std::string many = event_of("x");
  for (int i = 1; i < 10'000; ++i) many += "," + event_of("x");
  EXPECT_TRUE(read_put_request(request_of(many)));
  EXPECT_FALSE(read_put_request(request_of(many + "," + event_of("x"))));
}

TEST(PutRequest, EndsAnywhere) {
  const auto whole = request_of(event_of(R"(a text with \"escapes\" \ud83d\ude00 and more of it)"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);  // of its own, so that a sanitizer sees where it ends
    EXPECT_FALSE(read_put_request(cut)) << cut;
  }
}

}  // namespace
}  // namespace securebase::logs
