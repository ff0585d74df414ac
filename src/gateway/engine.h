// The inside of the Gateway: the way of a request in steps, each in the file that bears its name.
//   gateway.cc     the door, the walk to a method, what every answer gets at its end
//   authorize.cc   who asks
//   answer.cc      throttles, stage cache, and the integration behind them
//   integrate.cc   functions and mocks
//   http_proxy.cc  HTTP upstreams
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/snapshot.h"
#include "functions/functions.h"
#include "gateway/access_log.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/in_force.h"
#include "gateway/principal.h"
#include "gateway/refusal.h"
#include "gateway/throttle.h"
#include "gateway/verdicts.h"
#include "net/http/client.h"
#include "net/task.h"

namespace securebase::gateway {

// A request and where it goes. Does not move: its call's views point into it.
struct Walk {
  std::shared_ptr<const InForce> in_force;
  Place place;
  Call call;
  const MethodInForce* method = nullptr;
  std::shared_ptr<const Principal> principal_owner;  // keeps call.principal
  base::SteadyPoint began;

  Walk() = default;
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;
};

// A copy of a request that lives as long as a fetch which outlives its client.
struct OwnedRequest {
  explicit OwnedRequest(const http::Request& original);
  OwnedRequest(const OwnedRequest&) = delete;
  OwnedRequest& operator=(const OwnedRequest&) = delete;

  http::Arena text;
  http::Request request;
};

// What an integration gave, and how it went.
struct Integrated {
  http::Response response;
  std::optional<int> status;  // of the integration itself
  std::optional<std::chrono::microseconds> latency;
  std::string_view error_type;  // set: `response` is a refusal
};

// How the authorizer answered a call: a principal, or why there is none.
struct Asked {
  std::shared_ptr<const Principal> principal;
  Refusal refusal = Refusal::kUnauthorized;
  std::uint32_t milliseconds = 0;
};

// Several requests with one identity, of which one asks.
struct AuthorizerFlight {
  std::mutex mutex;
  std::optional<Asked> asked;  // guarded by mutex
  net::Event changed;
};

struct Engine {
  Engine(Settings settings, Doors doors);

  // ---- gateway.cc
  std::shared_ptr<const InForce> in_force();
  // The refusal, if there is no way to a method.
  std::optional<Refusal> walk(const http::Request& request, Walk& out) const;
  // Headers, metrics and log lines that every answer gets.
  void finish(Walk& walk, Integrated& answered);
  void write_log(const Walk& walk, const Answered& said) const;
  void apply(std::shared_ptr<const Config> config);
  // Tags of a Cache-Invalidate header: "#customer:42, #invoices:42".
  void raise(std::string_view header);
  std::size_t drop_verdicts(std::string_view tag);

  // ---- authorize.cc
  enum class Step { kDecided, kAsk };
  struct Identity {
    std::string key;     // digest; empty: verdicts are not kept
    std::string token;   // of TOKEN authorizers
    bool known = false;  // decided by a verdict that was kept
  };
  Step decide(Walk& walk, Admission& admission, Identity& identity);
  net::Task<Admission> admit(const http::Request& request);
  void judge(Walk& walk, Admission& admission, std::shared_ptr<const Principal> principal);
  void refuse_admission(Walk& walk, Admission& admission, Refusal refusal);
  net::Task<Asked> ask_authorizer(std::string function, std::string event, telemetry::TraceContext trace);
  net::Task<void> fly(std::shared_ptr<AuthorizerFlight> flight, std::string key, std::string scope,
                      std::chrono::seconds ttl, std::string function, std::string event, telemetry::TraceContext trace);
  net::Task<Asked> join_authorizer(std::string key, std::string scope, std::chrono::seconds ttl, std::string function,
                                   std::string event, telemetry::TraceContext trace);

  // ---- answer.cc
  static void describe(const Walk& walk, telemetry::Span& span);
  net::Task<http::Response> answer(http::Request& request, Admission admission);
  // A refusal, or a response of the stage cache, without a coroutine's frame. False: nothing was done, answer() does
  // all.
  bool answer_now(const http::Request& request, http::Response& response);
  std::optional<Integrated> throttle(const Walk& walk);
  net::Task<Integrated> answer_cached(Walk& walk);
  net::Task<void> fetch(std::shared_ptr<OwnedRequest> request, std::shared_ptr<const InForce> in_force,
                        std::shared_ptr<const Principal> principal, std::uint32_t authorizer_milliseconds,
                        std::shared_ptr<store::Flight> flight, std::string key, std::shared_ptr<Integrated> first);
  // Which bytes of a stored response this caller gets. Null: an encoding that has to be made first.
  struct Choice {
    std::shared_ptr<const http::PreparedResponse> variant;
    bool varies = false;
  };
  static Choice choose(const Call& call, const store::StoredResponse& stored);
  Integrated answer_stored(const store::StoredResponse& stored, const Choice& choice, bool hit) const;
  static bool is_cached(const Walk& walk);
  static void count(const Walk& walk, telemetry::Counter& (*of)(Meters&));
  net::Task<Integrated> from_stored(Walk& walk, std::string key, std::shared_ptr<const store::StoredResponse> stored,
                                    bool hit);
  net::Task<Integrated> compressed(const Walk& walk, Integrated answered);
  enum class CacheControl { kNone, kInvalidate, kIgnored, kRefused };
  CacheControl cache_control_of(const Walk& walk) const;

  // ---- integrate.cc, http_proxy.cc
  // The request's body, decompressed; an error is a refusal.
  net::Task<Result<std::string, Refusal>> read_body(http::Request& request);
  net::Task<Integrated> integrate(const Walk& walk, bool has_body, std::string body);
  net::Task<Integrated> call_function(const Walk& walk, bool has_body, std::string body);
  Integrated mock(const Walk& walk) const;
  net::Task<Integrated> ask_upstream(const Walk& walk, std::string body);
  http::Client& client();

  // Constant after construction.
  const Settings settings;
  const Doors doors;
  telemetry::Registry own_metrics;
  telemetry::Registry& metrics;
  // Any thread.
  base::Snapshot<InForce> current;
  std::mutex applying;
  Verdicts verdicts;
  Throttle account{10'000, 5'000};  // AWS's default for an account and region
  std::atomic<std::uint64_t> authorizer_hits{0};
  std::atomic<std::uint64_t> authorizer_misses{0};
  std::mutex flights_mutex;
  std::unordered_map<std::string, std::shared_ptr<AuthorizerFlight>> flights;  // guarded by flights_mutex
  // By worker index, each touched by its worker only.
  static constexpr std::size_t kWorkers = 256;
  std::vector<base::Snapshot<InForce>::View> views;
  std::array<std::unique_ptr<http::Client>, kWorkers> clients;
};

Integrated refused(Refusal refusal, const Call& call, std::string_view detail = {});

}  // namespace securebase::gateway
