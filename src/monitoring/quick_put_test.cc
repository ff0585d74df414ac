#include "monitoring/quick_put.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "monitoring/api_metrics.h"
#include "monitoring/metrics/test_directory.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;
using aws::Value;

void put_head(std::string& out, unsigned major, std::uint64_t argument, int bytes) {
  out += static_cast<char>(major << 5 | (bytes == 0 ? argument : bytes == 1 ? 24U : bytes == 2 ? 25U : 27U));
  for (int shift = 8 * bytes - 8; shift >= 0; shift -= 8) out += static_cast<char>(argument >> shift & 0xff);
}
void put_head(std::string& out, unsigned major, std::uint64_t argument) {
  put_head(out, major, argument, argument < 24 ? 0 : argument < 256 ? 1 : argument < 65536 ? 2 : 8);
}

// As a client's SDK writes it.
void put_cbor(std::string& out, const Value& value) {
  if (value.is_structure()) {
    put_head(out, 5, value.members().size());
    for (const auto& [name, member] : value.members()) {
      put_cbor(out, name);
      put_cbor(out, member);
    }
  } else if (value.is_list()) {
    put_head(out, 4, value.elements().size());
    for (const auto& element : value.elements()) put_cbor(out, element);
  } else if (const auto* text = value.as_string()) {
    put_head(out, 3, text->size());
    out += *text;
  } else if (const auto* time = value.as_time()) {
    put_head(out, 6, 1);
    put_head(out, 7, std::bit_cast<std::uint64_t>(static_cast<double>(time->time_since_epoch().count()) / 1e6), 8);
  } else if (value.is_integer()) {
    const auto number = value.integer_or(0);
    put_head(out, number < 0 ? 1 : 0, static_cast<std::uint64_t>(number < 0 ? -1 - number : number));
  } else {
    put_head(out, 7, std::bit_cast<std::uint64_t>(value.number_or(0)), 8);
  }
}

class QuickPut : public testing::Test {
 protected:
  QuickPut() : plain_(open(plain_directory_)), quick_(open(quick_directory_)) {}
  std::unique_ptr<Store> open(const TestDirectory& directory) {
    return std::move(*Store::open({.directory = directory.path(), .threads = false}, clock_));
  }

  static Value input(Value data, const char* name_space = "App") {
    return Value::structure({{"Namespace", name_space}, {"MetricData", std::move(data)}});
  }
  static std::string cbor(const Value& input) {
    std::string bytes;
    put_cbor(bytes, input);
    return bytes;
  }
  bool is_taken(const Value& input) { return read_put_metric_data(cbor(input), clock_.now()).has_value(); }
  // One datum, with these members beside its name.
  bool takes(std::initializer_list<Value::Member> members) {
    Value datum = Value::structure({{"MetricName", "Latency"}});
    for (const auto& [name, value] : members) datum.set(name, value);
    return is_taken(input(Value::list({datum})));
  }

  // What a store has of every metric and unit, by seconds of the last three hours.
  static std::string everything(const Store& store, base::TimePoint now) {
    std::string all;
    for (const auto& metric : store.list({})) {
      for (const auto& unit : store.units(metric)) {
        for (const char* statistic : {"SampleCount", "Sum", "Minimum", "Maximum", "p50", "p99"}) {
          for (const auto period : {1s, 60s}) {
            const MetricQuery query{.metric = metric,
                                    .statistic = statistic,
                                    .unit = unit,
                                    .period = period,
                                    .from = now - 3h,
                                    .to = now + 1h};
            const auto points = store.read(query);
            EXPECT_TRUE(points);
            for (const auto& point : *points) {
              all += metric_key(metric) + unit + statistic + base::iso8601(point.start) + std::to_string(point.value);
            }
          }
        }
      }
    }
    return all;
  }

  base::ManualClock clock_;
  TestDirectory plain_directory_;
  TestDirectory quick_directory_;
  std::unique_ptr<Store> plain_;
  std::unique_ptr<Store> quick_;
  const aws::Identity nobody_;
  const http::Request request_;
};

TEST_F(QuickPut, StoresWhatTheWayOfEveryOperationStores) {
  const auto dimension = [](const char* name, const char* value) {
    return Value::structure({{"Value", value}, {"Name", name}});
  };
  const auto now = clock_.now();
  const Value data = Value::list(
      {Value::structure({{"MetricName", "A"}, {"Value", 7}}),
       Value::structure({{"Value", -1.5}, {"MetricName", "A"}, {"Unit", "Milliseconds"}, {"Timestamp", now - 61s}}),
       Value::structure({{"MetricName", "B"},
                         {"Values", Value::list({1.0, 2.5, -3})},
                         {"Counts", Value::list({1, 2.6, 0.2})},
                         {"StorageResolution", 1},
                         {"Dimensions", Value::list({dimension("Z", "last"), dimension("A", "first")})}}),
       Value::structure({{"MetricName", "B"},
                         {"Values", Value::list({9})},
                         {"StorageResolution", 60},
                         {"Timestamp", now - 2h + 123456us},
                         {"Unit", "Count/Second"},
                         {"Dimensions", Value::list({dimension("A", "first"), dimension("Z", "last")})}})});
  const aws::Call call{.service = "cloudwatch",
                       .operation = "PutMetricData",
                       .identity = nobody_,
                       .region = "us-east-1",
                       .account = "123456789012",
                       .request_id = "",
                       .now = now,
                       .input = input(data),
                       .request = request_};
  ASSERT_TRUE(put_metric_data(*plain_, call));
  const auto batch = read_put_metric_data(cbor(input(data)), now);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->data.size(), 4u);
  ASSERT_TRUE(put_batch(*quick_, *batch));
  EXPECT_EQ(everything(*plain_, now), everything(*quick_, now));
  EXPECT_FALSE(everything(*plain_, now).empty());
}

TEST_F(QuickPut, LeavesToTheModelWhatIsNotPlainOrWrong) {
  EXPECT_TRUE(takes({{"Value", 1}}));
  EXPECT_FALSE(takes({})) << "no value";
  EXPECT_FALSE(takes({{"Value", 1}, {"Values", Value::list({1})}}));
  EXPECT_FALSE(takes({{"Values", Value::list()}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Counts", Value::list({1, 1})}}));
  EXPECT_FALSE(takes({{"Values", Value::list({1, 2})}, {"Counts", Value::list({1})}}));
  EXPECT_FALSE(takes({{"Values", Value::list({1})}, {"Counts", Value::list({0})}}));
  EXPECT_FALSE(takes({{"Value", 1e300}}));
  EXPECT_FALSE(takes({{"Value", std::numeric_limits<double>::quiet_NaN()}}));
  EXPECT_FALSE(takes({{"Value", "1"}}));
  EXPECT_FALSE(takes({{"StatisticValues", Value::structure({{"Sum", 1}})}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Unit", "Furlong"}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"StorageResolution", 5}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Timestamp", clock_.now() - 24h * 15}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Timestamp", clock_.now() + 3h}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Timestamp", 1'700'000'000}})) << "no time without its tag";
  EXPECT_FALSE(takes({{"Value", 1}, {"Another", 1}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"MetricName", ""}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"MetricName", "\xc3\xb6"}}));
  const auto with = [&](std::initializer_list<Value::Member> dimension) {
    return takes(
        {{"Value", 1}, {"Dimensions", Value::list({Value::structure(dimension), Value::structure(dimension)})}});
  };
  EXPECT_FALSE(with({{"Name", "A"}, {"Value", "1"}})) << "twice the same name";
  EXPECT_FALSE(with({{"Name", "A"}}));
  EXPECT_FALSE(with({{"Name", ""}, {"Value", "1"}}));
  Value many = Value::list();
  for (int i = 0; i < 31; ++i) many.push_back(Value::structure({{"Name", "D" + std::to_string(i)}, {"Value", "1"}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Dimensions", many}}));
  Value values = Value::list();
  for (int i = 0; i < 151; ++i) values.push_back(i);
  EXPECT_FALSE(takes({{"Values", values}}));

  const Value datum = Value::structure({{"MetricName", "A"}, {"Value", 1}});
  EXPECT_FALSE(is_taken(input(Value::list({datum}), "AWS/Lambda")));
  EXPECT_FALSE(is_taken(input(Value::list({datum}), "")));
  EXPECT_FALSE(is_taken(Value::structure({{"Namespace", "App"}})));
  EXPECT_FALSE(is_taken(Value::structure({{"MetricData", Value::list({datum})}, {"Namespace", "App"}})));
  Value data = Value::list();
  for (int i = 0; i <= 1000; ++i) data.push_back(datum);
  EXPECT_FALSE(is_taken(input(data)));
}

TEST_F(QuickPut, NoPartOfARequestIsARequest) {
  const auto whole =
      cbor(input(Value::list({Value::structure({{"MetricName", "A"}, {"Values", Value::list({1, 2.5})}})})));
  EXPECT_TRUE(read_put_metric_data(whole, clock_.now()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_put_metric_data(std::string_view(whole).substr(0, size), clock_.now())) << size;
  }
  EXPECT_FALSE(read_put_metric_data(whole + "x", clock_.now()));
}

TEST_F(QuickPut, TheStoreRefusesNewMetricsBeyondItsLimitAndOldTimes) {
  TestDirectory directory;
  const auto store =
      std::move(*Store::open({.directory = directory.path(), .series_limit = 1, .threads = false}, clock_));
  auto batch = *read_put_metric_data(cbor(input(Value::list({Value::structure({{"MetricName", "A"}, {"Value", 1}}),
                                                             Value::structure({{"MetricName", "B"}, {"Value", 1}})}))),
                                     clock_.now());
  EXPECT_EQ(put_batch(*store, batch).error().code, "LimitExceeded");
  EXPECT_TRUE(store->list({}).empty()) << "all or none";
  batch.data[1].time -= 24h * 15;
  const auto refused = store->put(batch);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("metric B"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace securebase::monitoring
