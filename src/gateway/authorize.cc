// Who asks: by the cached verdict on what identifies them, else by the authorizer, which is asked once for all requests
// that bear the same identity at the same time.
#include <fmt/format.h>
#include <re2/re2.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/log.h"
#include "gateway/engine.h"
#include "gateway/event.h"

namespace securebase::gateway {
namespace {

constexpr std::string_view kInvoke = "execute-api:Invoke";
// API Gateway gives an authorizer as long as an integration.
constexpr std::chrono::seconds kAuthorizerTime{29};

void append_part(std::string& text, std::string_view part) { text += fmt::format("{}:{};", part.size(), part); }

}  // namespace

void Engine::refuse_admission(Walk& walk, Admission& admission, Refusal refusal) {
  auto answered = refused(refusal, walk.call);
  finish(walk, answered);
  admission.verdict_ = Admission::Verdict::kRefused;
  admission.principal_ = nullptr;
  admission.refusal_ = std::make_unique<http::Response>(std::move(answered.response));
}

// The policy is cached with the principal, but judged for each call: one verdict serves many methods.
void Engine::judge(Walk& walk, Admission& admission, std::shared_ptr<const Principal> principal) {
  walk.call.principal = principal.get();
  switch (principal->policy.evaluate(kInvoke, method_arn(walk.call))) {
    case Policy::Decision::kAllowed:
      admission.verdict_ = Admission::Verdict::kPrincipal;
      admission.principal_ = std::move(principal);
      return;
    case Policy::Decision::kDenied:
      return refuse_admission(walk, admission, Refusal::kAccessDenied);
    case Policy::Decision::kExplicitlyDenied:
      return refuse_admission(walk, admission, Refusal::kExplicitlyDenied);
  }
}

Engine::Step Engine::decide(Walk& walk, Admission& admission, Identity& identity) {
  admission.in_force_ = walk.in_force;
  admission.route_ = walk.call.resource->path;
  const auto* authorizer = walk.method->method->authorizer.get();
  if (!authorizer) {
    admission.verdict_ = Admission::Verdict::kPublic;
    return Step::kDecided;
  }
  const bool kept = authorizer->ttl.count() > 0;
  const bool token = authorizer->type == Authorizer::Type::kToken;
  std::string identified;
  append_part(identified, authorizer->version);
  append_part(identified, walk.place.stage->scope);
  std::size_t present = 0;
  for (const auto& source : authorizer->identity) {
    auto value = value_of(walk.call, source);
    present += value.has_value();
    identified += value ? '+' : '-';
    if (value) append_part(identified, *value);
    if (value && token) identity.token = std::move(*value);
  }
  // Developer Guide, "Lambda authorizers": with caching, all identity sources are there or the answer is 401 without
  // asking. A TOKEN authorizer always needs its token.
  const bool missing = authorizer->any_identity ? present == 0 : present < authorizer->identity.size();
  if (missing && (kept || token)) {
    refuse_admission(walk, admission, Refusal::kUnauthorized);
    return Step::kDecided;
  }
  if (walk.method->token_expression && !RE2::FullMatch(identity.token, *walk.method->token_expression)) {
    refuse_admission(walk, admission, Refusal::kUnauthorized);
    return Step::kDecided;
  }
  if (!kept) return Step::kAsk;
  identity.key = base::sha256(identified);
  auto principal = verdicts.find(identity.key, doors.clock.steady());
  if (!principal) return Step::kAsk;
  identity.known = true;
  judge(walk, admission, std::move(principal));
  return Step::kDecided;
}

net::Task<Asked> Engine::ask_authorizer(std::string function, std::string event, telemetry::TraceContext trace) {
  authorizer_misses.fetch_add(1, std::memory_order_relaxed);
  const auto began = doors.clock.steady();
  functions::InvokeOptions options;
  options.deadline = began + kAuthorizerTime;
  options.trace = trace;
  auto outcome = co_await doors.invoker.invoke(function, std::move(event), std::move(options));
  Asked asked;
  const auto took = std::chrono::round<std::chrono::milliseconds>(doors.clock.steady() - began);
  asked.milliseconds = static_cast<std::uint32_t>(took.count());
  if (outcome.kind == functions::InvokeOutcome::Kind::kFunctionError) {
    // Raising "Unauthorized", and nothing else, is how a function says 401.
    const auto error = base::Json::parse(outcome.payload);
    const bool unauthorized = error && (*error)["errorMessage"].string_or("") == "Unauthorized";
    asked.refusal = unauthorized ? Refusal::kUnauthorized : Refusal::kAuthorizerFailure;
    co_return asked;
  }
  if (outcome.kind != functions::InvokeOutcome::Kind::kOk) {
    asked.refusal = Refusal::kAuthorizerFailure;
    co_return asked;
  }
  auto principal = Principal::parse(outcome.payload);
  if (!principal) {
    base::log(base::Level::kWarning, "gateway", "authorizer {}: {}", function, principal.error().message);
    asked.refusal = Refusal::kAuthorizerConfigurationError;
    co_return asked;
  }
  asked.principal = std::make_shared<const Principal>(std::move(*principal));
  co_return asked;
}

// Runs among the worker's tasks: the client who asked first may go.
net::Task<void> Engine::fly(std::shared_ptr<AuthorizerFlight> flight, std::string key, std::string scope,
                            std::chrono::seconds ttl, std::string function, std::string event,
                            telemetry::TraceContext trace) {
  const auto generation = verdicts.generation();
  auto asked = co_await ask_authorizer(std::move(function), std::move(event), trace);
  if (asked.principal) verdicts.put(key, scope, asked.principal, doors.clock.steady() + ttl, generation);
  {
    const std::lock_guard lock(flights_mutex);
    flights.erase(key);
  }
  {
    const std::lock_guard lock(flight->mutex);
    flight->asked = std::move(asked);
  }
  flight->changed.notify_all();
}

net::Task<Asked> Engine::join_authorizer(std::string key, std::string scope, std::chrono::seconds ttl,
                                         std::string function, std::string event, telemetry::TraceContext trace) {
  std::shared_ptr<AuthorizerFlight> flight;
  bool first = false;
  {
    const std::lock_guard lock(flights_mutex);
    auto& place = flights[key];
    if (!place) {
      place = std::make_shared<AuthorizerFlight>();
      first = true;
    }
    flight = place;
  }
  if (first) {
    net::Worker::current().tasks().spawn(
        fly(flight, key, std::move(scope), ttl, std::move(function), std::move(event), trace));
  }
  for (;;) {
    const auto ticket = flight->changed.ticket();
    {
      const std::lock_guard lock(flight->mutex);
      if (flight->asked) co_return *flight->asked;
    }
    const auto notified = co_await flight->changed.after(ticket);
    if (!notified) co_return Asked{nullptr, Refusal::kAuthorizerFailure, 0};
  }
}

net::Task<Admission> Engine::admit(const http::Request& request) {
  Admission admission;
  Walk way;
  way.in_force = in_force();
  admission.in_force_ = way.in_force;
  if (const auto refusal = walk(request, way)) {
    refuse_admission(way, admission, *refusal);
    co_return admission;
  }
  Identity identity;
  if (decide(way, admission, identity) == Step::kDecided) {
    if (identity.known) authorizer_hits.fetch_add(1, std::memory_order_relaxed);
    co_return admission;
  }

  // Before the authorizer is asked: a flood of invented credentials must not become a flood of calls.
  admission.counted_ = true;
  if (auto limited = throttle(way)) {
    finish(way, *limited);
    admission.refusal_ = std::make_unique<http::Response>(std::move(limited->response));
    co_return admission;
  }
  const auto& authorizer = *way.method->method->authorizer;
  way.call.request_id = new_request_id();
  way.call.extended_request_id = new_extended_request_id();
  auto event =
      authorizer.type == Authorizer::Type::kToken ? token_event(way.call, identity.token) : request_event(way.call);
  Asked asked;
  {
    // Who joins another's question waits as long.
    telemetry::SpanGuard span(doors.spans, doors.clock, request.trace, telemetry::Hop::kAuthorizer,
                              way.call.method->authorizer->name);
    span.span().entry = false;  // the hop that it is part of comes
    if (identity.key.empty()) {
      asked = co_await ask_authorizer(way.method->authorizer_function, std::move(event), span.trace());
    } else {
      asked = co_await join_authorizer(identity.key, way.place.stage->scope, authorizer.ttl,
                                       way.method->authorizer_function, std::move(event), span.trace());
    }
    if (!asked.principal && asked.refusal != Refusal::kUnauthorized) span.fail();
  }
  if (!asked.principal) {
    refuse_admission(way, admission, asked.refusal);
    co_return admission;
  }
  admission.authorizer_milliseconds_ = asked.milliseconds;
  judge(way, admission, std::move(asked.principal));
  co_return admission;
}

}  // namespace securebase::gateway
