// The door of the API gateway: REST APIs of Amazon API Gateway, answered by functions, by HTTP upstreams or by mocks.
//
// A request is handled in two steps, because a stored response may only be looked up once it is known who asks
// (authorise, then look up, at the edge as well):
//
//   Admission admission;
//   if (!gateway.admit_now(request, admission)) admission = co_await gateway.admit(request);
//   switch (admission.verdict()) {
//     case Admission::Verdict::kRefused:   co_return admission.take_refusal();
//     case Admission::Verdict::kPublic:    // may be stored for everybody
//     case Admission::Verdict::kPrincipal: // admission.principal() is part of every cache key
//   }
//   ... a cache in front looks up here, and only on a miss goes on:
//   co_return co_await gateway.answer(request, std::move(admission));
//
// `request.authority` says which API is meant: a custom domain with its base path mappings, or
// {api}.execute-api.{region}.amazonaws.com, where the first segment of the path is the stage. As an http::Handler the
// gateway serves port 4566: these hosts, and /restapis/{api}/{stage}/_user_request_/{path} on any other.
//
// Threads: one Gateway for all workers; everything is called on a worker unless it says "any thread". The configuration
// is an immutable snapshot: a request is answered by the one under which it was admitted. docs/gateway.md says what is
// honoured and how it differs from AWS.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/event.h"
#include "net/http/message.h"
#include "stack/stack.h"
#include "store/tags.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/span.h"

namespace securebase::aws {
class Operations;
}
namespace securebase::functions {
class Invoker;
}

namespace securebase::gateway {

// Adds the resource types that this room owns.
void declare(stack::Catalogue& catalogue);

// The APIs, stages, domains and settings of a stack, ready to be applied. Opaque here.
struct Config;
// Everything that is wrong, each with its place in the files. Also what Terraform accepts and this gateway cannot do
// (an integration of type AWS, say): such an API is refused as a whole.
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

// What the OpenAPI documents of a stack say that has no effect here, as a resource policy.
std::vector<stack::Finding> notes(const stack::Stack& stack);

struct Settings {
  // Authorizer verdicts kept, over all APIs; beyond, the oldest go.
  std::size_t authorizer_verdicts = 65'536;
  // Responses kept by all stage caches together. cache_cluster_size bounds a stage's share of it.
  std::size_t stage_cache_bytes = std::size_t{256} << 20;
  // Bodies of requests, after decompression; API Gateway's own limit is 10 MB. 413 beyond.
  std::size_t request_body_bytes = std::size_t{10} << 20;
};

struct Doors {  // all outlive the gateway
  functions::Invoker& invoker;
  store::Tags& tags;  // shared with the edge: raised once, stale everywhere
  net::Pool& pool;    // for compressing large bodies
  const base::Clock& clock = base::system_clock();
  telemetry::Registry* metrics = nullptr;  // null: kept by the gateway itself, for statistics() alone
  telemetry::Spans* spans = nullptr;       // null: none are recorded
  telemetry::LogSink* logs = nullptr;      // takes access and execution lines; null: nobody does
};

struct Principal;  // who asked, as the authorizer named them, and what they may do
struct InForce;    // a configuration with its routes, throttles and caches

// What is known about a request before anything is looked up. Refers to nothing in the request.
class Admission {
 public:
  enum class Verdict { kRefused, kPublic, kPrincipal };

  Admission();
  ~Admission();
  Admission(Admission&&) noexcept;
  Admission& operator=(Admission&&) noexcept;

  Verdict verdict() const { return verdict_; }
  // kPublic: empty. kPrincipal: 32 hex digits over principalId, policy and context, so that two callers share stored
  // responses only if the authorizer says the same of both. Lives as long as this.
  std::string_view principal() const;
  // The resource's path, "/v1/customers/{id}"; empty where none was found. Lives as long as this.
  std::string_view route() const { return route_; }
  // kRefused: the whole answer (401, 403, 404, 500, with AWS's bodies). Once.
  http::Response take_refusal();

 private:
  friend class Gateway;
  friend struct Engine;
  Verdict verdict_ = Verdict::kRefused;
  bool counted_ = false;  // the throttles have counted it
  std::uint32_t authorizer_milliseconds_ = 0;
  std::shared_ptr<const InForce> in_force_;
  std::string_view route_;  // of in_force_
  std::shared_ptr<const Principal> principal_;
  std::unique_ptr<http::Response> refusal_;
};

// The stage cache asks anew in both cases; it never serves what is stale.
using Strength = store::Strength;

struct StageStatistics {
  std::string api_id;
  std::string api_name;
  std::string stage;
  std::uint64_t requests = 0;
  std::uint64_t errors_4xx = 0;
  std::uint64_t errors_5xx = 0;
  std::uint64_t throttled = 0;  // part of errors_4xx
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
};

struct Statistics {
  std::vector<StageStatistics> stages;
  std::uint64_t authorizer_hits = 0;
  std::uint64_t authorizer_misses = 0;
  std::size_t authorizer_verdicts = 0;
  std::size_t cached_responses = 0;
  std::size_t cached_bytes = 0;
};

struct Engine;  // gateway.cc
class Gateway;

// Answers API Gateway's own API (operations.cc). `gateway` outlives the operations.
void add_operations(aws::Operations& operations, Gateway& gateway);

class Gateway final : public http::Handler {
 public:
  Gateway(Settings settings, Doors doors);
  // The tasks of the workers have ended: fetches that outlive their clients belong to them.
  ~Gateway() override;

  // Any thread. Requests admitted from now on see the new configuration; those under way end under the old one. Stored
  // responses and authorizer verdicts of what did not change stay.
  void apply(std::shared_ptr<const Config> config);

  // Does an API answer for this host (custom domain or execute-api)? Lower case, a port is ignored. Any thread.
  bool serves(std::string_view host) const;

  // The verdict, when it is at hand: no such route, a public route, missing credentials, or an authorizer's cached
  // answer. Does not wait; false: call admit().
  bool admit_now(const http::Request& request, Admission& admission);
  net::Task<Admission> admit(const http::Request& request);

  // Throttles, stage cache, integration. The authorizer is not asked again. Never fails. The response is never a
  // prepared one, and keeps Cache-Tag, Age and Cache-Invalidate for the cache in front: who sends it to a client takes
  // Cache-Invalidate out. What it names is raised in `store::Tags`, hard, before this answers, so that who wrote reads
  // what was written.
  net::Task<http::Response> answer(http::Request& request, Admission admission);

  // The whole way, for port 4566. 404 with a reason when neither host nor path names an API.
  bool answer_now(const http::Request& request, http::Response& response) override;
  net::Task<http::Response> answer(http::Request& request) override;

  // Is this a request that the Handler above answers? Port 4566 is shared with the AWS APIs. Any thread.
  bool recognises(const http::Request& request) const;

  // Any thread. Tags are without '#'. Raising the tags in `store::Tags` is the caller's part, once for all rooms; this
  // drops the authorizer verdicts that a tag is about (`api_keys:42` those of principal 42). Gives how many.
  std::size_t invalidate_tags(const std::vector<std::string>& tags);
  // Any thread. Paths as clients of the API see them behind the base path ("/v1/customers/42/invoices"), '*' stands for
  // any text. Gives how many stored responses.
  std::size_t invalidate_paths(const std::vector<std::string>& patterns, Strength strength);
  // Any thread. kNotFound when there is no such API or stage. As FlushStageCache: hard.
  Result<std::size_t> flush_stage_cache(std::string_view api_id, std::string_view stage);
  // As FlushStageAuthorizersCache.
  Result<std::size_t> flush_authorizers_cache(std::string_view api_id, std::string_view stage);

  // Any thread.
  Statistics statistics() const;

  // On every worker, before it stops: closes connections to HTTP upstreams.
  void close_on_worker();

 private:
  friend void add_operations(aws::Operations& operations, Gateway& gateway);
  std::unique_ptr<Engine> engine_;
};

}  // namespace securebase::gateway
