#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "monitoring/metrics/protobuf.h"
#include "monitoring/metrics/test_directory.h"
#include "monitoring/otlp/intake.h"

namespace securebase::monitoring::otlp {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kProtobuf = "application/x-protobuf";

std::string nested(std::uint32_t number, std::string_view bytes) {
  std::string out;
  put_proto_bytes(out, number, bytes);
  return out;
}
std::string fixed(std::uint32_t number, std::uint64_t value) {
  std::string out;
  put_varint(out, std::uint64_t{number} << 3 | 1);
  put_fixed(out, value);
  return out;
}
std::string real(std::uint32_t number, double value) {
  std::string out;
  put_proto_real(out, number, value);
  return out;
}
std::string integer(std::uint32_t number, std::uint64_t value) {
  std::string out;
  put_proto_integer(out, number, value);
  return out;
}
template <class T>
std::string packed(std::uint32_t number, std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) put_fixed(bytes, value);
  return nested(number, bytes);
}
std::string attribute(std::string_view key, std::string_view value) {
  return nested(1, key) + nested(2, nested(1, value));
}
// A request of service shop/checkout with one metric.
std::string request(std::string_view metric) {
  const auto resource =
      nested(1, attribute("service.namespace", "shop")) + nested(1, attribute("service.name", "checkout"));
  return nested(1, nested(1, resource) + nested(2, nested(2, metric)));
}

class Otlp : public testing::Test {
 protected:
  Otlp() {
    store_ = *Store::open({.directory = directory_.path(), .threads = false}, clock_);
    intake_ = std::make_unique<Intake>(*store_, clock_, 3);
  }
  std::uint64_t now_ns() const { return static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()) * 1000; }
  std::optional<double> read(const char* name, const char* statistic,
                             std::vector<std::pair<std::string, std::string>> dimensions = {}) {
    MetricQuery query{.metric = {"shop/checkout", name, std::move(dimensions)},
                      .statistic = statistic,
                      .from = clock_.now() - 1h,
                      .to = clock_.now() + 1h};
    const auto point = store_->whole(query);
    return point && *point ? std::optional((*point)->value) : std::nullopt;
  }

  TestDirectory directory_;
  base::ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Intake> intake_;
};

TEST_F(Otlp, TakesGaugesInProtobuf) {
  const auto point = fixed(3, now_ns()) + real(4, 2.5) + nested(7, attribute("zone", "a"));
  const auto taken =
      intake_->take(request(nested(1, "queue") + nested(3, "{job}") + nested(5, nested(1, point))), kProtobuf);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(*taken, "");
  EXPECT_EQ(read("queue", "Average", {{"zone", "a"}}), 2.5);
  EXPECT_EQ(store_->units({"shop/checkout", "queue", {{"zone", "a"}}}), std::vector<std::string>{"Count"});
}

TEST_F(Otlp, CountsTheIncreaseOfCumulativeSums) {
  const auto send = [&](double value, std::uint64_t start) {
    const auto point = fixed(2, start) + fixed(3, now_ns()) + real(4, value);
    ASSERT_TRUE(intake_->take(request(nested(1, "jobs") + nested(7, nested(1, point) + integer(2, 2) + integer(3, 1))),
                              kProtobuf));
  };
  send(100, 5);  // where counting begins
  EXPECT_EQ(read("jobs", "Sum"), std::nullopt);
  send(103, 5);
  send(110, 5);
  EXPECT_EQ(read("jobs", "Sum"), 10);
  send(4, 9);  // restarted
  EXPECT_EQ(read("jobs", "Sum"), 14);
}

// Its sender sends it again.
TEST_F(Otlp, CountsOnceWhatTheStoreRefusedFirst) {
  const TestDirectory directory;
  auto store = *Store::open({.directory = directory.path(), .series_limit = 1, .threads = false}, clock_);
  Intake intake(*store, clock_);
  const auto sum = [&](double value) {
    const auto point = fixed(2, 5) + fixed(3, now_ns()) + real(4, value);
    return nested(1, "jobs") + nested(7, nested(1, point) + integer(2, 2) + integer(3, 1));
  };
  ASSERT_TRUE(intake.take(request(sum(100)), kProtobuf));
  ASSERT_TRUE(intake.take(request(sum(103)), kProtobuf));
  const auto another = nested(1, "queue") + nested(5, nested(1, fixed(3, now_ns()) + real(4, 1)));
  const auto refused = intake.take(request(sum(110)) + request(another), kProtobuf);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kLimit);
  ASSERT_TRUE(intake.take(request(sum(110)), kProtobuf));
  const MetricQuery query{
      .metric = {"shop/checkout", "jobs", {}}, .statistic = "Sum", .from = clock_.now() - 1h, .to = clock_.now() + 1h};
  EXPECT_EQ((*store->whole(query))->value, 10);
}

TEST_F(Otlp, TakesHistogramsOfBothKinds) {
  const auto point = fixed(3, now_ns()) + fixed(4, 10) + real(5, 700) + packed<std::uint64_t>(6, {0, 5, 5, 0}) +
                     packed<double>(7, {10, 50, 100}) + real(11, 20) + real(12, 100);
  ASSERT_TRUE(intake_->take(
      request(nested(1, "latency") + nested(3, "ms") + nested(9, nested(1, point) + integer(2, 1))), kProtobuf));
  EXPECT_EQ(read("latency", "SampleCount"), 10);
  EXPECT_EQ(read("latency", "Sum"), 700);
  EXPECT_EQ(read("latency", "Minimum"), 20);
  EXPECT_EQ(read("latency", "Maximum"), 100);
  EXPECT_NEAR(*read("latency", "p90"), 75, 1);
  std::string counts;
  for (const std::uint64_t count : {3, 0, 1}) put_varint(counts, count);
  // Scale 0: bucket 3 is (8, 16], bucket 5 is (32, 64].
  const auto exponential = fixed(3, now_ns()) + fixed(4, 5) + integer(6, 0) + fixed(7, 1) +
                           nested(8, integer(1, zigzag(3)) + nested(2, counts));
  ASSERT_TRUE(
      intake_->take(request(nested(1, "size") + nested(10, nested(1, exponential) + integer(2, 1))), kProtobuf));
  EXPECT_EQ(read("size", "SampleCount"), 5);
  EXPECT_EQ(read("size", "Minimum"), 0);
  EXPECT_NEAR(*read("size", "p60"), 11.3, 0.2);
  EXPECT_NEAR(*read("size", "p100"), 45.3, 0.5);
}

TEST_F(Otlp, TakesTheSameInJson) {
  const auto body = fmt::format(
      R"({{"resourceMetrics":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"checkout"}}}},
      {{"key":"service.namespace","value":{{"stringValue":"shop"}}}}]}},"scopeMetrics":[{{"metrics":[
      {{"name":"rate","sum":{{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{{"timeUnixNano":"{0}","asInt":"7",
      "attributes":[{{"key":"port","value":{{"intValue":"80"}}}}]}}]}}}},
      {{"name":"h","histogram":{{"aggregationTemporality":1,"dataPoints":[{{"timeUnixNano":"{0}","count":"2","sum":3.0,
      "bucketCounts":["2","0"],"explicitBounds":[5]}}]}}}},
      {{"name":"s","summary":{{"dataPoints":[{{"timeUnixNano":"{0}","count":"2","sum":3.0}}]}}}}]}}]}}]}})",
      now_ns());
  const auto taken = intake_->take(body, "application/json; charset=utf-8");
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_NE(taken->find(R"("rejectedDataPoints":"1")"), std::string::npos) << *taken;
  EXPECT_EQ(read("rate", "Sum", {{"port", "80"}}), 7);
  EXPECT_EQ(read("h", "Average"), 1.5);
  EXPECT_EQ(read("h", "p50"), 1.5);
}

TEST_F(Otlp, RefusesWhatItCannotKeepAndSaysWhy) {
  const auto refusal = [&](std::string_view metric) {
    const auto taken = intake_->take(request(metric), kProtobuf);
    return taken ? *taken : taken.error().message;
  };
  const auto gauge = [&](std::string_view point) { return nested(1, "g") + nested(5, nested(1, point)); };
  EXPECT_NE(refusal(gauge(fixed(3, now_ns()) + real(4, INFINITY))).find("finite"), std::string::npos);
  EXPECT_NE(refusal(gauge(fixed(3, 1) + real(4, 1))).find("two weeks"), std::string::npos);
  EXPECT_NE(refusal(nested(1, "h") + nested(9, nested(1, fixed(3, now_ns()) + packed<std::uint64_t>(6, {1}) +
                                                             packed<double>(7, {1, 2})) +
                                                   integer(2, 1)))
                .find("do not fit"),
            std::string::npos);
  EXPECT_EQ(intake_->take("{}", "text/plain").error().code, Errc::kUnsupported);
  EXPECT_EQ(intake_->take("\x0a\xff", kProtobuf).error().code, Errc::kMalformed);
  EXPECT_EQ(intake_->take("[1]", "application/json").error().code, Errc::kMalformed);
  for (int i = 0; i < 4; ++i) {
    const auto point = fixed(3, now_ns()) + real(4, 1) + nested(7, attribute("id", std::to_string(i)));
    const auto said = refusal(nested(1, "c") + nested(7, nested(1, point) + integer(2, 2) + integer(3, 1)));
    EXPECT_EQ(said.find("cumulative series") != std::string::npos, i == 3) << said;
  }
  EXPECT_EQ(store_->list({}).size(), 0u);
}

}  // namespace
}  // namespace securebase::monitoring::otlp
