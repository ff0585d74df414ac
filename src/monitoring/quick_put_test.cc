#include "monitoring/quick_put.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "base/encoding.h"
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

// As botocore writes it: escapes for all but letters, digits and "-._~", and no lists that are empty.
void put_form(std::string& out, const std::string& name, const Value& value) {
  if (value.is_structure()) {
    for (const auto& [member, one] : value.members()) put_form(out, name.empty() ? member : name + "." + member, one);
  } else if (value.is_list()) {
    std::size_t number = 0;
    for (const auto& one : value.elements()) put_form(out, name + ".member." + std::to_string(++number), one);
  } else {
    std::string text;
    if (const auto* own = value.as_string()) {
      text = *own;
    } else if (const auto* time = value.as_time()) {
      const auto parts = time->time_since_epoch() % 1s;
      text = base::iso8601(*time);
      if (parts.count() != 0) text.insert(text.size() - 1, fmt::format(".{:06}", parts.count()));
    } else {
      text = value.is_integer() ? std::to_string(value.integer_or(0)) : fmt::format("{}", value.number_or(0));
    }
    out += "&" + name + "=" + base::percent_encode(text);
  }
}

// As botocore writes it: a blank behind each comma and colon; times are numbers.
void put_json(std::string& out, const Value& value) {
  if (value.is_structure()) {
    out += '{';
    for (const auto& [name, member] : value.members()) {
      out += out.back() == '{' ? "\"" : ", \"";
      out += name + "\": ";
      put_json(out, member);
    }
    out += '}';
  } else if (value.is_list()) {
    out += '[';
    for (const auto& one : value.elements()) {
      if (&one != value.elements().data()) out += ", ";
      put_json(out, one);
    }
    out += ']';
  } else if (const auto* text = value.as_string()) {
    out += '"' + *text + '"';
  } else if (const auto* time = value.as_time()) {
    out += fmt::format("{:.6f}", static_cast<double>(time->time_since_epoch().count()) / 1e6);
  } else {
    out += value.is_integer() ? std::to_string(value.integer_or(0)) : fmt::format("{}", value.number_or(0));
  }
}

class QuickPut : public testing::Test {
 protected:
  QuickPut() : plain_(open(plain_directory_)), quick_(open(quick_directory_)) {}
  std::unique_ptr<Store> open(const TestDirectory& directory) {
    return *Store::open({.directory = directory.path(), .threads = false}, clock_);
  }

  static Value input(Value data, const char* name_space = "App") {
    return Value::structure({{"Namespace", name_space}, {"MetricData", std::move(data)}});
  }
  static std::string cbor(const Value& input) {
    std::string bytes;
    put_cbor(bytes, input);
    return bytes;
  }
  static std::string form(const Value& input) {
    std::string text = "Action=PutMetricData&Version=2010-08-01";
    put_form(text, "", input);
    return text;
  }
  static std::string json(const Value& input) {
    std::string text;
    put_json(text, input);
    return text;
  }
  bool is_json(std::string_view text) { return read_json_put(text, clock_.now(), nothing_).has_value(); }
  bool is_cbor(std::string_view bytes) { return read_cbor_put(bytes, clock_.now(), nothing_).has_value(); }
  bool is_form(std::string_view bytes) { return read_form_put(bytes, clock_.now(), nothing_).has_value(); }
  // As all, or as none.
  bool is_taken(const Value& input) {
    const bool taken = is_cbor(cbor(input));
    EXPECT_EQ(is_form(form(input)), taken) << form(input);
    EXPECT_EQ(is_json(json(input)), taken) << json(input);
    return taken;
  }
  aws::Call call(Value input) const {
    return {.service = "cloudwatch",
            .operation = "PutMetricData",
            .identity = nobody_,
            .region = "us-east-1",
            .account = "123456789012",
            .request_id = "",
            .now = clock_.now(),
            .input = std::move(input),
            .request = request_};
  }
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
  const KnownSeries nothing_;
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
  const std::pair<ReadPut, std::string> forms[] = {
      {read_cbor_put, cbor(input(data))}, {read_form_put, form(input(data))}, {read_json_put, json(input(data))}};
  for (const int turn : {0, 0, 1, 1, 2, 2, 0, 2}) {
    ASSERT_TRUE(put_metric_data(*plain_, call(input(data))));
    const auto& [read, bytes] = forms[turn];
    const auto done = quick_put(*quick_, read, bytes, now);
    ASSERT_TRUE(done && *done);
    EXPECT_EQ(everything(*plain_, now), everything(*quick_, now)) << turn;
    EXPECT_FALSE(everything(*plain_, now).empty());
    ASSERT_TRUE(quick_->tick());
    const auto known = quick_->known();
    EXPECT_GE(known.spellings().size(), 4u) << "A in two units, B in two orders";
    const auto batch = read(bytes, now, known.spellings());
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->keys.empty()) << "all of them are known";
  }
}

// What is right, a little wrong, or nothing at all, in every place.
class Inputs {
 public:
  explicit Inputs(base::TimePoint now) : now_(now) {}

  Value next() {
    Value data = Value::list();
    for (auto left = random_() % 4; left-- > 0;) data.push_back(datum());
    Value input = Value::structure({{"Namespace", one_of({"App", "App", "App", "B", "", "AWS/Lambda", ":x"})}});
    input.set("MetricData", std::move(data));
    return input;
  }

 private:
  bool seldom() { return random_() % 12 == 0; }
  Value one_of(std::initializer_list<Value> values) {
    return std::data(values)[random_() % (seldom() ? values.size() : (values.size() + 1) / 2)];
  }
  Value number() { return one_of({1.5, 7, -3, 0, 2.25, 1e300, std::numeric_limits<double>::infinity()}); }
  Value numbers() {
    Value made = Value::list();
    for (auto left = random_() % 3; left-- > 0;) made.push_back(number());
    return made;
  }
  Value dimensions() {
    Value made = Value::list();
    for (auto left = random_() % 3; left-- > 0;) {
      Value one = Value::structure();
      const auto name = one_of({"Host", "Zone", "A", "", ":b"});
      const auto value = one_of({"1", "2", "3", "\xc3\xb6", " "});
      const bool name_first = random_() % 2 == 0;
      if (name_first) one.set("Name", name);
      one.set("Value", value);
      if (!name_first && !seldom()) one.set("Name", name);
      made.push_back(std::move(one));
    }
    return made;
  }
  Value datum() {
    Value made = Value::structure();
    if (!seldom()) made.set("MetricName", one_of({"A", "B", "C", "D", ""}));
    if (random_() % 2 == 0) made.set("Dimensions", dimensions());
    if (random_() % 2 == 0) made.set("Unit", one_of({"Count", "None", "Milliseconds", "Furlong"}));
    if (random_() % 2 == 0) made.set("StorageResolution", one_of({1, 60, 5}));
    if (random_() % 2 == 0) {
      made.set("Timestamp", one_of({now_, now_ - 61s, now_ - 24h * 15, now_ + 3h}));
    }
    const bool list = random_() % 2 == 0;
    if (!list || seldom()) made.set("Value", number());
    if (list) made.set("Values", numbers());
    if (list && random_() % 3 == 0) made.set("Counts", numbers());
    if (seldom()) made.set("StatisticValues", Value::structure({{"SampleCount", 1}, {"Sum", 1}}));
    return made;
  }

  const base::TimePoint now_;
  std::mt19937 random_{1};
};

class QuickPutOfAny : public QuickPut, public testing::WithParamInterface<int> {
 protected:
  std::optional<aws::Outcome> put(const Value& input) {
    if (GetParam() == 0) return quick_put(*quick_, read_cbor_put, cbor(input), clock_.now());
    if (GetParam() == 1) return quick_put(*quick_, read_form_put, form(input), clock_.now());
    return quick_put(*quick_, read_json_put, json(input), clock_.now());
  }
};
INSTANTIATE_TEST_SUITE_P(CborFormAndJson, QuickPutOfAny, testing::Range(0, 3));

TEST_P(QuickPutOfAny, TakesOnlyWhatTheWayOfEveryOperationTakesAndMakesTheSameOfIt) {
  Inputs inputs(clock_.now());
  int taken = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    const auto input = inputs.next();
    const auto done = put(input);
    if (!done) continue;
    ++taken;
    ASSERT_TRUE(*done) << done->error().message;
    const auto plain = put_metric_data(*plain_, call(input));
    ASSERT_TRUE(plain) << plain.error().message;
  }
  EXPECT_GT(taken, 300);
  EXPECT_GT(quick_->known().spellings().size(), 30u);
  EXPECT_EQ(everything(*plain_, clock_.now()), everything(*quick_, clock_.now()));
}

TEST_F(QuickPut, LeavesToTheModelWhatIsUnusualInAForm) {
  const std::string head = "Action=PutMetricData&Version=2010-08-01";
  const std::string datum = "&MetricData.member.1.MetricName=A&MetricData.member.1.Value=1";
  EXPECT_TRUE(is_form(head + "&Namespace=App" + datum));
  EXPECT_TRUE(is_form(head + datum + "&Namespace=App")) << "wherever it stands";
  EXPECT_TRUE(is_form(head + "&Namespace=A%70p" + datum + "&MetricData.member.1.Unit=Count%2FSecond"));
  EXPECT_TRUE(is_form(head + "&Namespace=App" + datum + "&MetricData.member.1.Timestamp=2023-11-14T22%3A13%3A20Z"));
  EXPECT_TRUE(is_form(head + "&Namespace=App" + datum + "&MetricData.member.1.Timestamp=2023-11-14T22%3A13%3A20.5Z"));
  for (const char* more :
       {"&Namespace=App", "&Another=1", "&MetricData.member.1.Value=2", "&MetricData.member.3.Value=2",
        "&MetricData.member.1.Value", "&MetricData.member.1.Unit=%2", "&MetricData.member.1.Unit=Coun%7x",
        "&MetricData.member.1.Timestamp=2023-11-14", "&MetricData.member.1.Timestamp=2023-02-30T00%3A00%3A00Z",
        "&MetricData.member.1.Timestamp=2023-11-14T22%3A13%3A20+01%3A00", "&MetricData.member.1.StorageResolution=1.0",
        "&MetricData.member.1.Dimensions.member.2.Name=A&MetricData.member.1.Dimensions.member.2.Value=A",
        "&MetricData.member.1.Dimensions.member.1.Name=A", "&MetricData.member.1.Dimensions.member.1.Nom=A",
        "&MetricData.member.0.Value=1", "&MetricData.member.2.Value=1", "&MetricData.member.x.Value=1", "&&", "&="}) {
    EXPECT_FALSE(is_form(head + "&Namespace=App" + datum + more)) << more;
  }
  for (const char* value : {"", "x", "nan", "inf", "1e999", "+1", "%2B1", "0x10", "1,5"}) {
    EXPECT_FALSE(is_form(head + "&Namespace=App&MetricData.member.1.MetricName=A&MetricData.member.1.Value=" + value))
        << value;
  }
  EXPECT_FALSE(is_form(head + "&Namespace=App"));
  EXPECT_FALSE(is_form(head + datum));
  EXPECT_FALSE(is_form(""));
}

TEST_F(QuickPut, KnowsSeriesInWhateverOrderTheyCome) {
  const auto datum = [](int number) {
    return Value::structure(
        {{"MetricName", "A"},
         {"Dimensions",
          Value::list({Value::structure({{"Name", "Host"}, {"Value", "host-" + std::to_string(number)}})})},
         {"Value", number}});
  };
  for (const auto& order : {std::vector{1, 2, 3, 4}, {1, 2, 3, 4}, {4, 3, 2, 1}, {1, 2, 2, 4}, {2, 3, 5, 1, 4}}) {
    Value data = Value::list();
    for (const int one : order) data.push_back(datum(one));
    ASSERT_TRUE(put_metric_data(*plain_, call(input(data))));
    const auto done = quick_put(*quick_, read_json_put, json(input(data)), clock_.now());
    ASSERT_TRUE(done && *done);
    ASSERT_TRUE(put_metric_data(*plain_, call(input(data))));
    const auto again = quick_put(*quick_, read_cbor_put, cbor(input(data)), clock_.now());
    ASSERT_TRUE(again && *again);
    EXPECT_EQ(everything(*plain_, clock_.now()), everything(*quick_, clock_.now()));
  }
}

TEST_F(QuickPut, LeavesToTheModelWhatIsUnusualInJson) {
  const std::string data = R"("MetricData":[{"MetricName":"A","Value":1}])";
  EXPECT_TRUE(is_json(R"({"Namespace":"App",)" + data + "}"));
  EXPECT_TRUE(is_json("{" + data + R"(,"Namespace":"App"})")) << "wherever it stands";
  EXPECT_TRUE(is_json(" {\n\t\"Namespace\" : \"App\" , " + data + " }\r\n"));
  for (const std::string& text :
       {R"({"Namespace":"A\u0070p",)" + data + "}", R"({"Namespace":"App","Namespace":"App",)" + data + "}",
        R"({"Namespace":null,)" + data + "}", R"({"Namespace":"App",)" + data + R"(,"More":1})",
        R"({"Namespace":"App",)" + data + "," + data + "}", R"({"Namespace":"App",)" + data + ",}",
        R"({"Namespace":"App",)" + data + "}}", R"(["Namespace":"App",)" + data + "]", "{" + data + "}",
        std::string(R"({"Namespace":"App"})"), std::string()}) {
    EXPECT_FALSE(is_json(text)) << text;
  }
  const auto takes = [&](const std::string& members) {
    return is_json(R"({"Namespace":"App","MetricData":[{"MetricName":"A",)" + members + "}]}");
  };
  for (const char* number : {"0", "-0", "1.5", "1e3", "1E+3", "-2.5e-3", "999999999999999999"}) {
    EXPECT_TRUE(takes(R"("Value":)" + std::string(number))) << number;
  }
  for (const char* number : {"01", "+1", ".5", "1.", "1e", "1e+", "-", "", "NaN", "\"1\"", "null", "true", "1e999",
                             "1e-999", "0x1", "9999999999999999999", "1 2", "[1]"}) {
    EXPECT_FALSE(takes(R"("Value":)" + std::string(number))) << number;
  }
  EXPECT_TRUE(takes(R"("Values":[1,2],"Counts":[1, 2],"Timestamp":1700000000.5,"Dimensions":[])"));
  for (const char* members :
       {R"("Value":1,"Value":1)", R"("Value":1,"Values":[1])", R"("Value":1,"Unit":null)", R"("Values":[1,])",
        R"("Value":1,"Timestamp":"2023-11-14T22:13:20Z")", R"("Value":1,"Namespace":"B")",
        R"("Value":1,"Dimensions":[{"Name":"A"}])", R"("Value":1,"Dimensions":[{"Name":"A","Name":"B"}])",
        R"("Value":1,"Dimensions":[{"Name":"A","Value":"1","More":"2"}])", R"("Value":1,"Dimensions":{})",
        R"("Value":1,"Dimensions":[{"Name":"A","Value":"1"},])", R"("Value":1,"Unit":"Co\u0075nt")"}) {
    EXPECT_FALSE(takes(members)) << members;
  }
}

TEST_F(QuickPut, BytesThatResembleAKnownSeriesAreNotIt) {
  const auto with = [](const char* name, const char* dimension, const char* value) {
    return input(Value::list(
        {Value::structure({{"MetricName", name},
                           {"Dimensions", Value::list({Value::structure({{"Name", dimension}, {"Value", value}})})},
                           {"Value", 1}})}));
  };
  ASSERT_TRUE(*quick_put(*quick_, read_cbor_put, cbor(with("Latency", "Host", "a")), clock_.now()));
  for (const auto& other : {with("Latenc", "Host", "a"), with("Latency", "Hos", "ta"), with("Latency", "Host", "b")}) {
    ASSERT_TRUE(*quick_put(*quick_, read_cbor_put, cbor(other), clock_.now()));
  }
  EXPECT_EQ(quick_->list({}).size(), 4u);
  EXPECT_FALSE(is_taken(with("Latency", "", "a")));
  auto swapped = cbor(with("Latency", "Host", "a"));
  swapped.replace(swapped.find("Name", swapped.find("Host") - 6), 4, "Nome");
  EXPECT_FALSE(quick_put(*quick_, read_cbor_put, swapped, clock_.now()));
}

TEST_F(QuickPut, WhatIsKnownIsForgottenWithTheSeries) {
  const auto bytes = cbor(input(Value::list({Value::structure({{"MetricName", "A"}, {"Value", 1}})})));
  ASSERT_TRUE(*quick_put(*quick_, read_cbor_put, bytes, clock_.now()));
  EXPECT_EQ(quick_->known().spellings().size(), 1u);
  ASSERT_TRUE(quick_->flush());
  clock_.advance(24h * 500);
  ASSERT_TRUE(quick_->maintain());
  EXPECT_EQ(quick_->figures().series, 0u);
  EXPECT_EQ(quick_->known().spellings().size(), 0u);
  ASSERT_TRUE(*quick_put(*quick_, read_cbor_put, bytes, clock_.now()));
  EXPECT_EQ(quick_->figures().series, 1u);
}

TEST(KnownSeries, StaysWithinItsBytesAndFindsWhatItHas) {
  KnownSeries known;
  Shard shard;
  const auto spelled = [&known](const std::string& dimensions) {
    KnownSeries::Spelling spelling{"App", "Latency", dimensions, 3, 0};
    spelling.hash = known.hash_of(spelling, known.hash_of("App"));
    return spelling;
  };
  std::vector<std::unique_ptr<StoredSeries>> series;
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    series.push_back(std::unique_ptr<StoredSeries>(new StoredSeries{i, 3}));
    known.add(spelled(std::string(i % 1500, 'x') + std::to_string(i)), {&shard, series.back().get()});
    ASSERT_LE(known.bytes(), KnownSeries::kMostBytes + (1 << 16));
    ASSERT_EQ(known.find(spelled(std::string(i % 1500, 'x') + std::to_string(i))).series, series.back().get());
  }
  EXPECT_LT(known.size(), 60'000u) << "it has begun anew";
  known.clear();
  for (std::uint32_t i = 0; i < 5000; ++i) known.add(spelled(std::to_string(i)), {&shard, series[i].get()});
  for (std::uint32_t i = 0; i < 5000; ++i) {
    ASSERT_EQ(known.find(spelled(std::to_string(i))).series, series[i].get());
  }
  auto other = spelled("7");
  other.unit = 4;
  EXPECT_EQ(known.find(other).series, nullptr);
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
  EXPECT_FALSE(takes({{"StatisticValues", Value::structure({{"Sum", 1}})}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Unit", "Furlong"}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"StorageResolution", 5}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Timestamp", clock_.now() - 24h * 15}}));
  EXPECT_FALSE(takes({{"Value", 1}, {"Timestamp", clock_.now() + 3h}}));
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
  EXPECT_FALSE(is_cbor(cbor(Value::structure({{"MetricData", Value::list({datum})}, {"Namespace", "App"}}))));
  const Value seconds = Value::structure({{"MetricName", "A"}, {"Value", 1}, {"Timestamp", 1'700'000'000}});
  EXPECT_FALSE(is_cbor(cbor(input(Value::list({seconds}))))) << "no time without its tag";
  const Value text = Value::structure({{"MetricName", "A"}, {"Value", "1"}});
  EXPECT_FALSE(is_cbor(cbor(input(Value::list({text})))));
  Value data = Value::list();
  for (int i = 0; i <= 1000; ++i) data.push_back(datum);
  EXPECT_FALSE(is_taken(input(data)));
}

TEST_F(QuickPut, NoPartOfARequestIsARequest) {
  const auto whole =
      cbor(input(Value::list({Value::structure({{"MetricName", "A"}, {"Values", Value::list({1, 2.5})}})})));
  EXPECT_TRUE(is_cbor(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(is_cbor(std::string_view(whole).substr(0, size))) << size;
  }
  EXPECT_FALSE(is_cbor(whole + "x"));
}

TEST_F(QuickPut, NoPartOfAJsonRequestIsARequest) {
  const auto whole = json(input(
      Value::list({Value::structure({{"MetricName", "A"},
                                     {"Dimensions", Value::list({Value::structure({{"Name", "H"}, {"Value", "a"}})})},
                                     {"Values", Value::list({1, 2.5})}})})));
  EXPECT_TRUE(is_json(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(is_json(std::string_view(whole).substr(0, size))) << size;
  }
  EXPECT_FALSE(is_json(whole + "x"));
}

TEST_F(QuickPut, TheStoreRefusesNewMetricsBeyondItsLimitAndOldTimes) {
  TestDirectory directory;
  const auto store = *Store::open({.directory = directory.path(), .series_limit = 1, .threads = false}, clock_);
  const auto bytes = cbor(input(Value::list(
      {Value::structure({{"MetricName", "A"}, {"Value", 1}}), Value::structure({{"MetricName", "B"}, {"Value", 1}})})));
  auto batch = *read_cbor_put(bytes, clock_.now(), nothing_);
  EXPECT_EQ(put_batch(*store, batch).error().code, "LimitExceeded");
  EXPECT_TRUE(store->list({}).empty()) << "all or none";
  batch.data[1].time -= 24h * 15;
  const auto refused = store->put(batch);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("metric B"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace securebase::monitoring
