// The operations of CloudWatch Logs by hand-made calls, over a store on disk; what they make of metrics and of calls to
// functions is seen in what connect() was given.
#include "logs/api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "base/encoding.h"
#include "logs/store/test_directory.h"

namespace securebase::logs {
namespace {

using aws::Value;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGroupName = "/app/web";
constexpr std::int64_t kNowMs = 1'700'000'000'000;

class LogsApi : public testing::Test {
 protected:
  LogsApi() {
    auto opened = Logs::open({.directory = directory_.path() / "groups"}, registry_, clock_);
    check(opened.has_value(), "an empty directory is a store");
    logs_ = std::move(*opened);
    logs_->connect({.put_metrics = [this](std::span<const Measurement> measured) -> Result<Done> {
                      measured_.insert(measured_.end(), measured.begin(), measured.end());
                      return Done{};
                    },
                    .invoke = [this](const std::string& arn, const std::string& event) -> Result<Done> {
                      const std::lock_guard lock(mutex_);
                      invoked_.emplace_back(arn, event);
                      news_.notify_all();
                      return Done{};
                    },
                    .knows_function = [](const std::string& arn) { return arn.ends_with(":known"); }});
    logs_->start();
    NamedHandlers all;
    add_group_operations(logs_->engine(), all);
    add_event_operations(logs_->engine(), all);
    add_metric_filter_operations(logs_->engine(), all);
    add_subscription_operations(logs_->engine(), all);
    for (auto& [name, handler] : all) handlers_.emplace(name, std::move(handler));
  }

  aws::Outcome call(std::string_view operation, Value input) {
    const http::Request request;
    aws::Call call{"logs", operation,    identity_,        "us-east-1", "123456789012",
                   "id",   clock_.now(), std::move(input), request};
    return handlers_.at(std::string(operation))(call);
  }
  Value ok(std::string_view operation, Value input) {
    auto outcome = call(operation, std::move(input));
    EXPECT_TRUE(outcome) << operation << ": " << (outcome ? "" : outcome.error().code + ": " + outcome.error().message);
    return outcome ? outcome->output : Value();
  }
  std::string fault(std::string_view operation, Value input) {
    auto outcome = call(operation, std::move(input));
    EXPECT_FALSE(outcome) << operation;
    return outcome ? std::string() : outcome.error().code + ": " + outcome.error().message;
  }
  static Value of_group(std::initializer_list<Value::Member> more = {}) {
    auto input = Value::structure({{"logGroupName", kGroupName}});
    for (const auto& [name, value] : more) input.set(name, value);
    return input;
  }
  void make_group() {
    ok("CreateLogGroup", of_group());
    ok("CreateLogStream", of_group({{"logStreamName", "s"}}));
  }
  static Value event(std::int64_t time_ms, std::string_view message) {
    return Value::structure({{"timestamp", time_ms}, {"message", message}});
  }
  Value put(Value::List events) {
    return ok("PutLogEvents", of_group({{"logStreamName", "s"}, {"logEvents", Value(std::move(events))}}));
  }
  static std::vector<std::string> messages(const Value& output) {
    std::vector<std::string> all;
    for (const auto& one : output["events"].elements()) all.emplace_back(one["message"].string_or(""));
    return all;
  }

  TestDirectory directory_;
  base::ManualClock clock_{base::TimePoint{std::chrono::milliseconds(kNowMs)}};
  telemetry::Registry registry_;
  aws::Identity identity_;
  std::vector<Measurement> measured_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<std::pair<std::string, std::string>> invoked_;
  std::unique_ptr<Logs> logs_;
  std::map<std::string, aws::Handler> handlers_;
};

TEST_F(LogsApi, MakesAndDescribesGroupsAndStreams) {
  make_group();
  EXPECT_THAT(fault("CreateLogGroup", of_group()), StartsWith("ResourceAlreadyExistsException: "));
  EXPECT_THAT(fault("CreateLogStream", of_group({{"logStreamName", "s"}})),
              StartsWith("ResourceAlreadyExistsException"));
  EXPECT_THAT(fault("CreateLogGroup", Value::structure({{"logGroupName", "a b"}})),
              StartsWith("InvalidParameterException"));
  EXPECT_THAT(fault("CreateLogStream", of_group({{"logStreamName", "a:b"}})), StartsWith("InvalidParameterException"));
  const auto groups = ok("DescribeLogGroups", Value::structure({{"logGroupNamePrefix", "/app"}}));
  ASSERT_EQ(groups["logGroups"].elements().size(), 1U);
  const auto& group = groups["logGroups"].elements()[0];
  EXPECT_EQ(group["arn"].string_or(""), "arn:aws:logs:us-east-1:123456789012:log-group:/app/web:*");
  EXPECT_EQ(group["creationTime"].integer_or(0), kNowMs);
  const auto streams = ok("DescribeLogStreams", of_group());
  EXPECT_EQ(streams["logStreams"].elements()[0]["logStreamName"].string_or(""), "s");
  EXPECT_TRUE(streams["logStreams"].elements()[0]["lastEventTimestamp"].is_null());
  ok("DeleteLogStream", of_group({{"logStreamName", "s"}}));
  ok("DeleteLogGroup", of_group());
  EXPECT_THAT(fault("DeleteLogGroup", of_group()), StartsWith("ResourceNotFoundException"));
}

TEST_F(LogsApi, ListsInPages) {
  for (int i = 0; i < 120; ++i) {
    ok("CreateLogGroup", Value::structure({{"logGroupName", fmt::format("g{:03}", i)}}));
  }
  std::size_t seen = 0;
  auto input = Value::structure();
  for (int pages = 1;; ++pages) {
    const auto page = ok("DescribeLogGroups", input);
    seen += page["logGroups"].elements().size();
    if (page["nextToken"].is_null()) {
      EXPECT_EQ(pages, 3);
      break;
    }
    input.set("nextToken", page["nextToken"]);
  }
  EXPECT_EQ(seen, 120U);
  EXPECT_THAT(fault("DescribeLogGroups", Value::structure({{"nextToken", "none"}})), HasSubstr("nextToken"));
}

TEST_F(LogsApi, OrdersStreamsByTheirLastEvents) {
  make_group();
  ok("CreateLogStream", of_group({{"logStreamName", "a"}}));
  put({event(kNowMs - 5, "x")});
  const auto all = ok("DescribeLogStreams", of_group({{"orderBy", "LastEventTime"}, {"descending", true}}));
  EXPECT_EQ(all["logStreams"].elements()[0]["logStreamName"].string_or(""), "s");
  EXPECT_EQ(all["logStreams"].elements()[0]["lastEventTimestamp"].integer_or(0), kNowMs - 5);
}

TEST_F(LogsApi, KeepsTheRulesOfPutLogEvents) {
  make_group();
  EXPECT_FALSE(put({event(kNowMs, "x")})["nextSequenceToken"].is_null());
  const auto put_fault = [&](Value::List events) {
    return fault("PutLogEvents", of_group({{"logStreamName", "s"}, {"logEvents", Value(std::move(events))}}));
  };
  EXPECT_THAT(put_fault({event(kNowMs, "x"), event(kNowMs - 1, "y")}), HasSubstr("chronological order"));
  EXPECT_THAT(put_fault({event(kNowMs - 86'400'001, "x"), event(kNowMs, "y")}), HasSubstr("24 hours"));
  EXPECT_THAT(put_fault({}), HasSubstr("1 to 10000 members"));
  EXPECT_THAT(put_fault({event(kNowMs, std::string(1'048'576 - 25, 'x'))}), HasSubstr("Upload too large: 1048577"));
  put({event(kNowMs, std::string(1'048'576 - 26, 'x'))});
  EXPECT_THAT(
      fault("PutLogEvents", of_group({{"logStreamName", "none"}, {"logEvents", Value::list({event(kNowMs, "x")})}})),
      StartsWith("ResourceNotFoundException: The specified log stream does not exist."));
}

TEST_F(LogsApi, PutsPlainEventsWithoutTheModelByTheSameRules) {
  make_group();
  const auto quick = quick_put_events(logs_->engine());
  const http::Request request;
  const auto put_plain = [&](std::string_view stream, std::string_view events) {
    const aws::Call call{"logs", "PutLogEvents", identity_, "us-east-1", "123456789012",
                         "id",   clock_.now(),   {},        request};
    return quick(call, fmt::format(R"({{"logGroupName":"{}","logStreamName":"{}","logEvents":[{}]}})", kGroupName,
                                   stream, events));
  };
  const auto event_at = [](std::int64_t time_ms, std::string_view message) {
    return fmt::format(R"({{"timestamp":{},"message":"{}"}})", time_ms, message);
  };
  auto outcome = put_plain("s", event_at(kNowMs, R"(say \"x\")") + "," + event_at(kNowMs + 3 * 3'600'000, "later"));
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ((*outcome)->output["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"].integer_or(-1), 1);
  EXPECT_FALSE((*outcome)->output["nextSequenceToken"].is_null());
  EXPECT_EQ(messages(ok("FilterLogEvents", of_group())), (std::vector<std::string>{"say \"x\""}));
  outcome = put_plain("s", event_at(kNowMs, "x") + "," + event_at(kNowMs - 1, "y"));
  ASSERT_TRUE(outcome && !*outcome);
  EXPECT_THAT(outcome->error().message, HasSubstr("chronological order"));
  EXPECT_FALSE(put_plain("none", event_at(kNowMs, "x"))) << "PutLogEvents has the words for it";
  EXPECT_FALSE(put_plain("s", event_at(-1, "x")));
}

TEST_F(LogsApi, SaysWhichEventsAreTooOldOrTooNew) {
  make_group();
  constexpr std::int64_t kHour = 3'600'000;
  constexpr std::int64_t kTwoWeeks = 14 * 24 * kHour;
  auto output =
      put({event(kNowMs - kTwoWeeks - 2, "a"), event(kNowMs - kTwoWeeks - 1, "b"), event(kNowMs - kTwoWeeks + 1, "c")});
  EXPECT_EQ(output["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"].integer_or(-1), 2);
  output = put({event(kNowMs, "now"), event(kNowMs + 2 * kHour + 1, "later")});
  EXPECT_EQ(output["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"].integer_or(-1), 1);
  EXPECT_EQ(messages(ok("FilterLogEvents", of_group())), (std::vector<std::string>{"c", "now"}));
  ok("PutRetentionPolicy", of_group({{"retentionInDays", 1}}));
  EXPECT_THAT(fault("PutRetentionPolicy", of_group({{"retentionInDays", 2}})), HasSubstr("one of 1, 3, 5"));
  EXPECT_EQ(messages(ok("FilterLogEvents", of_group())), (std::vector<std::string>{"now"}));
  output = put({event(kNowMs - 25 * kHour, "old"), event(kNowMs - 2 * kHour, "fresh")});
  EXPECT_EQ(output["rejectedLogEventsInfo"]["expiredLogEventEndIndex"].integer_or(-1), 1);
  ok("DeleteRetentionPolicy", of_group());
  EXPECT_EQ(messages(ok("FilterLogEvents", of_group())).size(), 3U);
}

TEST_F(LogsApi, WalksAStreamBothWays) {
  make_group();
  Value::List events;
  for (int i = 0; i < 25; ++i) events.push_back(event(kNowMs + i / 2, fmt::format("{}", i)));
  put(std::move(events));
  auto page = ok("GetLogEvents", of_group({{"logStreamName", "s"}, {"limit", 10}}));
  EXPECT_EQ(messages(page).front(), "15");
  EXPECT_EQ(messages(page).back(), "24");
  auto next =
      ok("GetLogEvents", of_group({{"logStreamName", "s"}, {"limit", 10}, {"nextToken", page["nextBackwardToken"]}}));
  EXPECT_EQ(messages(next).front(), "5");
  EXPECT_EQ(messages(next).back(), "14");
  next = ok("GetLogEvents", of_group({{"logStreamName", "s"}, {"nextToken", page["nextForwardToken"]}}));
  EXPECT_TRUE(messages(next).empty());
  EXPECT_EQ(next["nextForwardToken"], page["nextForwardToken"]) << "the client sees that it is at the end";
  page = ok("GetLogEvents", of_group({{"logStreamName", "s"}, {"limit", 10}, {"startFromHead", true}}));
  EXPECT_EQ(messages(page).front(), "0");
  put({event(kNowMs + 60, "new")});
  next = ok("GetLogEvents", of_group({{"logStreamName", "s"}, {"nextToken", next["nextForwardToken"]}}));
  EXPECT_EQ(messages(next), (std::vector<std::string>{"new"}));
  EXPECT_THAT(fault("GetLogEvents", of_group({{"logStreamName", "s"}, {"nextToken", "x/y"}})), HasSubstr("nextToken"));
}

TEST_F(LogsApi, FiltersEvents) {
  make_group();
  put({event(kNowMs, "ERROR one"), event(kNowMs + 1, "INFO two"), event(kNowMs + 2, R"({"level":"ERROR","n":3})")});
  EXPECT_EQ(messages(ok("FilterLogEvents", of_group({{"filterPattern", "ERROR"}}))).size(), 2U);
  EXPECT_EQ(messages(ok("FilterLogEvents", of_group({{"filterPattern", "{ $.n >= 3 }"}}))).size(), 1U);
  EXPECT_EQ(messages(ok("FilterLogEvents", of_group({{"startTime", kNowMs + 1}, {"endTime", kNowMs + 1}}))),
            (std::vector<std::string>{"INFO two"}));
  EXPECT_THAT(fault("FilterLogEvents", of_group({{"filterPattern", "{ $.n"}})), HasSubstr("Invalid filter pattern"));
  const auto page = ok("FilterLogEvents", of_group({{"limit", 1}}));
  EXPECT_EQ(page["events"].elements()[0]["eventId"].string_or("").size(), 56U);
  const auto rest = ok("FilterLogEvents", of_group({{"nextToken", page["nextToken"]}}));
  EXPECT_EQ(messages(rest).size(), 2U);
  const auto prefix = ok("FilterLogEvents", Value::structure({{"logGroupName", "/app"}}));
  EXPECT_EQ(messages(prefix).size(), 3U) << "a name that begins others stands for them";
}

TEST_F(LogsApi, MakesMetricsOfWhatMatches) {
  make_group();
  const auto transformation = Value::structure({{"metricName", "Latency"},
                                                {"metricNamespace", "App"},
                                                {"metricValue", "$.ms"},
                                                {"unit", "Milliseconds"},
                                                {"dimensions", Value::structure({{"Path", "$.path"}})}});
  ok("PutMetricFilter", of_group({{"filterName", "latency"},
                                  {"filterPattern", "{ $.ms > 0 }"},
                                  {"metricTransformations", Value::list({transformation})}}));
  put({event(kNowMs, R"({"ms":12.5,"path":"/x"})"), event(kNowMs, R"({"ms":0,"path":"/x"})"), event(kNowMs, "other")});
  ASSERT_EQ(measured_.size(), 1U);
  EXPECT_EQ(measured_[0].name, "Latency");
  EXPECT_EQ(measured_[0].values[0].first, 12.5);
  EXPECT_EQ(measured_[0].dimensions, (std::vector<std::pair<std::string, std::string>>{{"Path", "/x"}}));
  const auto described = ok("DescribeMetricFilters", of_group());
  EXPECT_EQ(described["metricFilters"].elements()[0]["metricTransformations"].elements()[0]["unit"].string_or(""),
            "Milliseconds");
  const auto tested =
      ok("TestMetricFilter",
         Value::structure({{"filterPattern", "[a, b=2*]"}, {"logEventMessages", Value::list({"x 1", "y 22"})}}));
  ASSERT_EQ(tested["matches"].elements().size(), 1U);
  EXPECT_EQ(tested["matches"].elements()[0]["eventNumber"].integer_or(0), 2);
  EXPECT_EQ(tested["matches"].elements()[0]["extractedValues"]["$b"].string_or(""), "22");
  ok("DeleteMetricFilter", of_group({{"filterName", "latency"}}));
  put({event(kNowMs + 1, R"({"ms":1,"path":"/x"})")});
  EXPECT_EQ(measured_.size(), 1U);
  EXPECT_THAT(fault("PutMetricFilter", of_group({{"filterName", "x"},
                                                 {"filterPattern", "[a"},
                                                 {"metricTransformations", Value::list({transformation})}})),
              HasSubstr("Invalid filter pattern"));
}

TEST_F(LogsApi, ReportsADefaultForAMinuteWithoutMatch) {
  make_group();
  ok("PutMetricFilter",
     of_group({{"filterName", "errors"},
               {"filterPattern", "ERROR"},
               {"metricTransformations", Value::list({Value::structure({{"metricName", "Errors"},
                                                                        {"metricNamespace", "App"},
                                                                        {"metricValue", "1"},
                                                                        {"defaultValue", 0.0}})})}}));
  put({event(kNowMs, "fine")});
  EXPECT_TRUE(measured_.empty());
  put({event(kNowMs + 60'000, "ERROR"), event(kNowMs + 120'000, "fine")});
  ASSERT_EQ(measured_.size(), 2U);
  EXPECT_EQ(measured_[0].values[0].first, 0.0);
  EXPECT_EQ(measured_[1].values[0].first, 1.0);
}

TEST_F(LogsApi, TakesEmbeddedMetrics) {
  make_group();
  put({event(
      kNowMs,
      R"({"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"App","Dimensions":[["Service"],[]],)"
      R"("Metrics":[{"Name":"Time","Unit":"Milliseconds"},{"Name":"Missing"},{"Name":"Many","StorageResolution":1}]}]},)"
      R"("Service":"auth","Time":3.5,"Many":[1,2,2]})")});
  ASSERT_EQ(measured_.size(), 4U);
  EXPECT_EQ(measured_[0].dimensions, (std::vector<std::pair<std::string, std::string>>{{"Service", "auth"}}));
  EXPECT_TRUE(measured_[1].dimensions.empty());
  EXPECT_EQ(measured_[2].values, (std::vector<std::pair<double, std::uint64_t>>{{1, 1}, {2, 2}}));
  EXPECT_TRUE(measured_[2].high_resolution);
  EXPECT_EQ(measured_[0].time, clock_.now());
}

TEST_F(LogsApi, SendsWhatMatchesToAFunction) {
  make_group();
  const auto subscribe = [&](std::string_view arn) {
    return of_group({{"filterName", "f"}, {"filterPattern", "ERROR"}, {"destinationArn", arn}});
  };
  EXPECT_THAT(fault("PutSubscriptionFilter", subscribe("arn:aws:lambda:us-east-1:123456789012:function:none")),
              HasSubstr("There is none"));
  EXPECT_THAT(fault("PutSubscriptionFilter", subscribe("arn:aws:kinesis:us-east-1:123456789012:stream/x")),
              HasSubstr("arn:aws:lambda"));
  ok("PutSubscriptionFilter", subscribe("arn:aws:lambda:us-east-1:123456789012:function:known"));
  put({event(kNowMs, "fine"), event(kNowMs + 1, "ERROR x")});
  std::unique_lock lock(mutex_);
  ASSERT_TRUE(news_.wait_for(lock, std::chrono::seconds(20), [this] { return !invoked_.empty(); }));
  EXPECT_EQ(invoked_[0].first, "arn:aws:lambda:us-east-1:123456789012:function:known");
  const auto json = base::Json::parse(invoked_[0].second);
  ASSERT_TRUE(json);
  const auto bytes = base::from_base64((*json)["awslogs"]["data"].string_or(""));
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->substr(0, 2), "\x1f\x8b") << "gzip";
  EXPECT_EQ(ok("DescribeSubscriptionFilters", of_group())["subscriptionFilters"].elements().size(), 1U);
}

TEST_F(LogsApi, RefusesAFunctionThatWouldCallItself) {
  ok("CreateLogGroup", Value::structure({{"logGroupName", "/aws/lambda/known"}}));
  EXPECT_THAT(fault("PutSubscriptionFilter",
                    Value::structure({{"logGroupName", "/aws/lambda/known"},
                                      {"filterName", "f"},
                                      {"filterPattern", ""},
                                      {"destinationArn", "arn:aws:lambda:us-east-1:123456789012:function:known"}})),
              HasSubstr("for ever"));
}

TEST_F(LogsApi, Tags) {
  make_group();
  ok("TagLogGroup", of_group({{"tags", Value::structure({{"a", "1"}, {"b", "2"}})}}));
  const auto arn = Value("arn:aws:logs:us-east-1:123456789012:log-group:/app/web");
  ok("UntagResource", Value::structure({{"resourceArn", arn}, {"tagKeys", Value::list({"a"})}}));
  EXPECT_EQ(ok("ListTagsForResource", Value::structure({{"resourceArn", arn}}))["tags"],
            Value::structure({{"b", "2"}}));
}

TEST_F(LogsApi, KeepsTheLinesOfTheRooms) {
  logs_->sink().write({"/aws/lambda/x", "2026/11/24/[$LATEST]1", clock_.now(), "hello"});
  logs_->sink().write({"/aws/lambda/x", "2026/11/24/[$LATEST]2", clock_.now(), "again"});
  logs_->flush();
  EXPECT_EQ(messages(ok("FilterLogEvents", Value::structure({{"logGroupName", "/aws/lambda/x"}}))),
            (std::vector<std::string>{"hello", "again"}));
  EXPECT_EQ(registry_.counter(kIncomingEvents, {{"LogGroupName", "/aws/lambda/x"}}).total(), 2U);
}

TEST_F(LogsApi, AppliesWhatAStackDeclares) {
  auto config = std::make_shared<Config>();
  auto& group = config->groups["/aws/lambda/x"];
  group.name = "/aws/lambda/x";
  group.declared = true;
  group.retention_days = 14;
  group.metric_filters["errors"] = {.name = "errors",
                                    .pattern = "ERROR",
                                    .transformation = {.name_space = "App", .name = "Errors", .value = "1"},
                                    .declared = true};
  ASSERT_TRUE(logs_->apply(config));
  const auto in = Value::structure({{"logGroupName", "/aws/lambda/x"}});
  EXPECT_EQ(ok("DescribeMetricFilters", in)["metricFilters"].elements().size(), 1U);
  EXPECT_EQ(logs_->groups()[0].retention_days, 14);
  ASSERT_TRUE(logs_->apply(std::make_shared<Config>()));
  EXPECT_TRUE(ok("DescribeMetricFilters", in)["metricFilters"].elements().empty());
  EXPECT_EQ(logs_->groups()[0].retention_days, std::nullopt) << "it stays, and its events with it";
}

}  // namespace
}  // namespace securebase::logs
