// What the gateway itself costs a request: a function that answers at once stands behind it.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/json.h"
#include "functions/functions.h"
#include "gateway/assemble.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "net/worker.h"

namespace securebase::gateway {
namespace {

class InstantFunction final : public functions::Invoker {
 public:
  net::Task<functions::InvokeOutcome> invoke(std::string, std::string event, functions::InvokeOptions) override {
    benchmark::DoNotOptimize(event.data());
    functions::InvokeOutcome outcome;
    outcome.kind = functions::InvokeOutcome::Kind::kOk;
    outcome.payload =
        R"({"statusCode":200,"headers":{"Content-Type":"application/json","Cache-Control":"max-age=300, public"},)"
        R"("body":"{\"invoices\":[{\"invoice_id\":\"i-1\",\"amount\":12.5},{\"invoice_id\":\"i-2\",\"amount\":7}]}"})";
    co_return outcome;
  }
  bool knows(std::string_view) const override { return true; }
};

std::shared_ptr<const Config> one_route(bool cached) {
  auto config = std::make_shared<Config>();
  Api api;
  api.id = "a1b2c3d4e5";
  api.name = "bench";
  api.account = "123456789012";
  api.region = "us-east-1";
  for (const char* path : {"/v1/health", "/v1/tiers", "/v1/customers/{id}", "/v1/customers/{id}/invoices"}) {
    Method method;
    method.name = "GET";
    method.integration.type = Integration::Type::kAwsProxy;
    method.integration.function = "arn:aws:lambda:us-east-1:123456789012:function:bench";
    Resource resource;
    resource.id = "abc123";
    resource.path = path;
    resource.methods.push_back(std::move(method));
    api.resources.push_back(std::move(resource));
  }
  Stage stage;
  stage.name = "prod";
  stage.cache_enabled = cached;
  stage.cache_bytes = 16 << 20;
  stage.settings["*/*"].caching_enabled = cached;
  api.stages.push_back(std::move(stage));
  config->domains.push_back({"api.securebase.com", {{"api", api.id, "prod"}}});
  config->apis.push_back(std::move(api));
  return config;
}

// The clock moves a millisecond a request, so that the account's 10,000 a second are never reached.
net::Task<void> ask_often(benchmark::State& state, Gateway& gateway, http::Request& request, base::ManualClock& clock) {
  for (auto _ : state) {
    clock.advance(std::chrono::milliseconds{1});
    auto response = co_await gateway.answer(request);
    if (response.status != 200) state.SkipWithError("an answer that is not 200");
    benchmark::DoNotOptimize(response.status);
  }
}

void run(benchmark::State& state, bool cached) {
  net::Worker worker(0);
  net::Pool pool(1, 100);
  InstantFunction function;
  store::Tags tags;
  base::ManualClock clock;
  Gateway gateway({}, {function, tags, pool, clock});
  auto config = std::make_shared<Config>(*one_route(cached));
  config->apis[0].stages[0].settings["*/*"].throttling_rate_limit = -1;
  gateway.apply(config);
  http::Request request;
  request.authority = "api.securebase.com";
  request.target = "/api/v1/customers/42/invoices?limit=20&status=open";
  request.path = "/api/v1/customers/42/invoices";
  request.query = "limit=20&status=open";
  request.peer_address = "203.0.113.7";
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"Host", "api.securebase.com"},
           {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"},
           {"Accept", "application/json"},
           {"Accept-Encoding", "gzip, deflate, br"},
           {"Accept-Language", "en-US,en;q=0.9"},
           {"Authorization",
            "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiIsImV4cCI6MTcwMDAwMDAwMH0.c2ln"},
           {"X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"}}) {
    request.headers.add(name, value);
  }
  worker.run_until_done(ask_often(state, gateway, request, clock));
}

void through_to_the_function(benchmark::State& state) { run(state, false); }
void from_the_stage_cache(benchmark::State& state) { run(state, true); }
BENCHMARK(through_to_the_function);
BENCHMARK(from_the_stage_cache);

}  // namespace
}  // namespace securebase::gateway
