// What a call costs beside its handler: finding out what it is, verifying, decoding, encoding.
#include <benchmark/benchmark.h>

#include "aws/aws.h"
#include "aws/cbor.h"
#include "aws/test_support.h"

namespace securebase::aws {
namespace {

struct Bench {
  Bench() : worker(0), pool(1, 16), front({}, operations(), identities, pool, clock) {}
  const Operations& operations() {
    made.add_on_worker("cloudwatch", "PutMetricData", answer);
    made.add_on_worker("dynamodb", "GetItem", answer);
    return made;
  }
  static net::Task<Outcome> answer(Call& call) {
    if (call.operation != "GetItem") co_return Answer();
    auto item = Value::structure({{"customer_id", Value::structure({{"S", "42"}})},
                                  {"total", Value::structure({{"N", "129.95"}})},
                                  {"state", Value::structure({{"S", "paid"}})}});
    co_return Answer(Value::structure({{"Item", std::move(item)}}));
  }

  static net::Task<void> answer_all(benchmark::State& state, Front& front, TestRequest& request, std::string body) {
    for (auto _ : state) {
      request.body(body);
      auto response = co_await front.answer(request.request);
      if (response.status != 200) state.SkipWithError(std::string(response.body.bytes()).c_str());
    }
  }

  void run(benchmark::State& state, TestRequest& request, std::string_view service, const std::string& body) {
    sign_request(request, service, base::hex(base::sha256(body)), clock.now());
    worker.run_until_done(answer_all(state, front, request, body));
  }

  net::Worker worker;
  net::Pool pool;
  const base::ManualClock clock;
  TestIdentities identities;
  Operations made;
  Front front;
};

constexpr std::string_view kDatum =
    R"({"MetricName":"Latency","Value":12.5,"Unit":"Milliseconds","Timestamp":1700000000,)"
    R"("Dimensions":[{"Name":"Stage","Value":"prod"},{"Name":"Route","Value":"/v1/invoices"}]})";

void put_metric_data_json(benchmark::State& state) {
  TestRequest request("POST", "/");
  request.header("Host", "127.0.0.1:4566");
  request.header("Content-Type", "application/x-amz-json-1.0");
  request.header("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData");
  Bench().run(state, request, "monitoring", R"({"Namespace":"Portal","MetricData":[)" + std::string(kDatum) + "]}");
}
BENCHMARK(put_metric_data_json);

void put_metric_data_cbor(benchmark::State& state) {
  const auto dimension = [](const char* name, const char* value) {
    return Value::structure({{"Name", name}, {"Value", value}});
  };
  const auto datum =
      Value::structure({{"MetricName", "Latency"},
                        {"Value", 12.5},
                        {"Unit", "Milliseconds"},
                        {"Timestamp", base::TimePoint{std::chrono::seconds(1'700'000'000)}},
                        {"Dimensions", Value::list({dimension("Stage", "prod"), dimension("Route", "/v1/invoices")})}});
  std::string body;
  encode_cbor(body, Value::structure({{"Namespace", "Portal"}, {"MetricData", Value::list({datum})}}), nullptr);
  TestRequest request("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData");
  request.header("Host", "127.0.0.1:4566");
  request.header("Content-Type", "application/cbor");
  request.header("Smithy-Protocol", "rpc-v2-cbor");
  Bench().run(state, request, "monitoring", body);
}
BENCHMARK(put_metric_data_cbor);

void put_metric_data_query(benchmark::State& state) {
  TestRequest request("POST", "/");
  request.header("Host", "127.0.0.1:4566");
  request.header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  Bench().run(state, request, "monitoring",
              "Action=PutMetricData&Version=2010-08-01&Namespace=Portal&MetricData.member.1.MetricName=Latency&"
              "MetricData.member.1.Value=12.5&MetricData.member.1.Unit=Milliseconds&MetricData.member.1.Timestamp="
              "2023-11-14T22%3A13%3A20Z&MetricData.member.1.Dimensions.member.1.Name=Stage&MetricData.member.1."
              "Dimensions.member.1.Value=prod&MetricData.member.1.Dimensions.member.2.Name=Route&MetricData.member.1."
              "Dimensions.member.2.Value=%2Fv1%2Finvoices");
}
BENCHMARK(put_metric_data_query);

void get_item(benchmark::State& state) {
  TestRequest request("POST", "/");
  request.header("Host", "127.0.0.1:4566");
  request.header("Content-Type", "application/x-amz-json-1.0");
  request.header("X-Amz-Target", "DynamoDB_20120810.GetItem");
  Bench().run(state, request, "dynamodb", R"({"TableName":"invoices","Key":{"customer_id":{"S":"42"}}})");
}
BENCHMARK(get_item);

}  // namespace
}  // namespace securebase::aws
