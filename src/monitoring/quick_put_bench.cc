// PutMetricData of 1000 data with a value each, as bench/feeds.py and botocore write them: reading and storing, without
// what the port costs.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <bit>
#include <random>

#include "monitoring/metrics/test_directory.h"
#include "monitoring/quick_put.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;

void append_text(std::string& out, std::string_view text) {
  if (text.size() < 24) {
    out += static_cast<char>(0x60 + text.size());
  } else {
    out += {'\x78', static_cast<char>(text.size())};
  }
  out += text;
}

void append_real(std::string& out, double value) {
  const auto bits = __builtin_bswap64(std::bit_cast<std::uint64_t>(value));
  out += '\xfb';
  out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

std::string cbor_request(int series, base::TimePoint time, const std::vector<double>& values, std::size_t& next) {
  std::string body = "\xa2";
  for (const auto text : {"Namespace", "Bench", "MetricData"}) append_text(body, text);
  body += {'\x99', static_cast<char>(series >> 8), static_cast<char>(series)};
  for (int i = 0; i < series; ++i) {
    body += '\xa5';
    for (const auto text : {"MetricName", "Latency", "Dimensions"}) append_text(body, text);
    body += '\x82';
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"Host", fmt::format("host-{:06}", i)},
                                      std::pair<std::string, std::string>{"Service", "checkout"}}) {
      body += '\xa2';
      for (const std::string_view text :
           {std::string_view("Name"), std::string_view(name), std::string_view("Value"), std::string_view(value)}) {
        append_text(body, text);
      }
    }
    for (const auto text : {"Unit", "Milliseconds", "Timestamp"}) append_text(body, text);
    body += '\xc1';
    append_real(body, std::chrono::duration<double>(time.time_since_epoch()).count());
    append_text(body, "Value");
    append_real(body, values[next++ % values.size()]);
  }
  return body;
}

std::string json_request(int series, base::TimePoint time, const std::vector<double>& values, std::size_t& next) {
  std::string body = R"({"Namespace": "Bench", "MetricData": [)";
  for (int i = 0; i < series; ++i) {
    body += fmt::format(
        R"({}{{"MetricName": "Latency", "Dimensions": [{{"Name": "Host", "Value": "host-{:06}"}}, )"
        R"({{"Name": "Service", "Value": "checkout"}}], "Timestamp": {}, "Value": {}, "Unit": "Milliseconds"}})",
        i == 0 ? "" : ", ", i, std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(),
        values[next++ % values.size()]);
  }
  return body + "]}";
}

std::string minute_and_second(base::TimePoint time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count() % 3600;
  return fmt::format("{:02}%3A{:02}Z", seconds / 60, seconds % 60);
}

std::string form_request(int series, base::TimePoint time, const std::vector<double>& values, std::size_t& next) {
  std::string body = "Action=PutMetricData&Version=2010-08-01&Namespace=Bench";
  for (int i = 0; i < series; ++i) {
    const auto datum = fmt::format("&MetricData.member.{}.", i + 1);
    body += datum + "MetricName=Latency" + datum + "Dimensions.member.1.Name=Host" + datum +
            fmt::format("Dimensions.member.1.Value=host-{:06}", i) + datum + "Dimensions.member.2.Name=Service" +
            datum + "Dimensions.member.2.Value=checkout" + datum + "Timestamp=2023-11-14T22%3A" +
            minute_and_second(time) + datum + fmt::format("Value={}", values[next++ % values.size()]) + datum +
            "Unit=Milliseconds";
  }
  return body;
}

template <auto Make>
void quick_put_of_1000(benchmark::State& state, ReadPut read) {
  TestDirectory directory;
  base::ManualClock clock;
  const auto store = *Store::open({.directory = directory.path(), .threads = false}, clock);
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> tail(3, 1);
  std::vector<double> values;
  for (int i = 0; i < 1 << 15; ++i) values.push_back(std::nearbyint(tail(random) * 1000) / 1000);
  std::size_t next = 0;
  std::vector<std::string> bodies;
  for (int i = 0; i < 64; ++i) bodies.push_back(Make(1000, clock.now() + i * 15s, values, next));
  std::size_t turn = 0;
  for (auto _ : state) {
    auto done = quick_put(*store, read, bodies[turn++ % bodies.size()], clock.now());
    if (!done || !*done) state.SkipWithError("it was not taken");
    if (turn % 16 == 0) benchmark::DoNotOptimize(store->tick());
    if (turn % 2048 == 0) benchmark::DoNotOptimize(store->flush());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 1000);
}
void quick_put_cbor(benchmark::State& state) { quick_put_of_1000<cbor_request>(state, read_cbor_put); }
BENCHMARK(quick_put_cbor)->Unit(benchmark::kMicrosecond);
void quick_put_json(benchmark::State& state) { quick_put_of_1000<json_request>(state, read_json_put); }
BENCHMARK(quick_put_json)->Unit(benchmark::kMicrosecond);
void quick_put_form(benchmark::State& state) { quick_put_of_1000<form_request>(state, read_form_put); }
BENCHMARK(quick_put_form)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace securebase::monitoring
