// A hit at the edge, without the server: from the parsed request to the response that is ready to be sent. The first
// is a public object, the second belongs to a principal behind a gate.
#include <benchmark/benchmark.h>

#include "edge/engine.h"
#include "net/worker.h"

namespace securebase::edge {
namespace {

struct BenchOrigin final : Origin {
  bool gate = false;
  bool has_gate() const override { return gate; }
  bool admit_now(const http::Request& request, Caller& caller) override {
    if (!gate) return Origin::admit_now(request, caller);
    caller.verdict = Caller::Verdict::kPrincipal;
    caller.principal = "0123456789abcdef0123456789abcdef";
    return true;
  }
  net::Task<Result<http::Response>> fetch(OriginRequest&, Caller&) override {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=3600, public");
    response.headers.add("Content-Type", "text/html");
    response.headers.add("ETag", "\"0123456789abcdef\"");
    response.headers.add("Cache-Tag", "customer:42,invoices:42");
    response.body = std::string(1024, 'x');
    co_return response;
  }
};

struct World {
  net::Worker worker{0};
  net::Pool pool{1, 8};
  store::Tags tags;
  telemetry::Registry registry;
  telemetry::Spans spans;
  Engine engine;
  http::Request request;

  explicit World(bool gate)
      : engine({}, {tags,
                    pool,
                    registry,
                    &spans,
                    base::system_clock(),
                    [gate](const OriginConfig&) {
                      auto made = std::make_unique<BenchOrigin>();
                      made->gate = gate;
                      return made;
                    },
                    {}}) {
    auto config = std::make_shared<Config>();
    DistributionConfig distribution;
    distribution.id = "E1";
    distribution.domain_name = "d1.cloudfront.net";
    distribution.origins.push_back({});
    Behaviour behaviour;
    behaviour.pattern = "*";
    behaviour.allowed = ~0U;
    behaviour.cached = ~0U;
    behaviour.gzip = behaviour.brotli = true;
    behaviour.key_queries.kind = Selection::Kind::kAll;
    behaviour.key_headers = {Selection::Kind::kSome, {"authorization", "x-api-key"}};
    behaviour.key_prefix = "E1\n0123456789abcdef\n";
    for (const char* pattern : {"/assets/*", "/static/*", "/v2/*"}) {
      distribution.behaviours.push_back(behaviour);
      distribution.behaviours.back().pattern = pattern;
    }
    distribution.behaviours.push_back(behaviour);
    config->distributions.push_back(distribution);
    engine.apply(config);
    request.authority = "d1.cloudfront.net";
    request.target = request.path = "/api/v1/customers/42/invoices";
    request.headers.add("Host", "d1.cloudfront.net");
    request.headers.add("User-Agent", "wrk");
    request.headers.add("Accept", "*/*");
  }
};

net::Task<void> hits(World& world, benchmark::State& state) {
  auto first = co_await world.engine.answer(world.request);
  http::Response response;
  for (auto unused : state) {
    static_cast<void>(unused);
    response.headers.clear();
    response.prepared.reset();
    const bool answered = world.engine.answer_now(world.request, response);
    check(answered, "the second request is a hit");
    benchmark::DoNotOptimize(response);
  }
}

void hit(benchmark::State& state) {
  World world(state.range(0) != 0);
  world.worker.run_until_done(hits(world, state));
}
BENCHMARK(hit)->Arg(0)->Arg(1);

}  // namespace
}  // namespace securebase::edge
