// A call from its beginning to its end: it finds an instance or waits for one, or is told why it cannot.
#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "functions/engine.h"

namespace securebase::functions {

using namespace std::chrono_literals;
using net::Task;

Task<InvokeOutcome> Functions::Engine::invoke(std::string name, std::string event, InvokeOptions options) {
  constexpr std::size_t kEventBytes = 6 << 20;  // Lambda's limit of a synchronous call
  InvokeOutcome outcome;
  if (stopping || !warden) {
    outcome.payload = error_payload("ServiceException", "The platform is shutting down");
    co_return outcome;
  }
  auto target = find(name);
  if (!target) {
    outcome.kind = InvokeOutcome::Kind::kNotFound;
    outcome.payload = base::Json::object({{"Type", "User"}, {"Message", "Function not found: " + name}}).dump();
    co_return outcome;
  }
  if (event.size() > kEventBytes) {
    outcome.kind = InvokeOutcome::Kind::kTooLarge;
    outcome.payload = base::Json::object({{"Type", "User"},
                                          {"message", fmt::format("{} byte payload is too large for the "
                                                                  "RequestResponse invocation type (limit 6291456 "
                                                                  "bytes)",
                                                                  event.size())}})
                          .dump();
    co_return outcome;
  }
  auto& function = *target->function;
  if (!options.trace.known()) options.trace = telemetry::new_trace(clock.now());
  telemetry::SpanGuard span(settings.spans, clock, options.trace, telemetry::Hop::kInvoke, function.config.name);
  if (function.config.traced) {
    span.decide({.service = function.config.name, .type = "AWS::Lambda", .host = {}, .method = {}, .path = {}});
  }
  options.trace = span.trace();
  using Admission = Function::Admission;
  const auto admitted = function.admit();
  if (admitted == Admission::kFunctionLimit || admitted == Admission::kAccountLimit) {
    function.throttles.fetch_add(1, std::memory_order_relaxed);
    if (function.metrics.throttles) function.metrics.throttles->add();
    if (target->by_resource.throttles) target->by_resource.throttles->add();
    span.status(429);
    outcome.kind = InvokeOutcome::Kind::kThrottled;
    outcome.error_type = "TooManyRequestsException";
    outcome.payload = base::Json::object({{"Reason", admitted == Admission::kFunctionLimit
                                                         ? "ReservedFunctionConcurrentInvocationLimitExceeded"
                                                         : "ConcurrentInvocationLimitExceeded"},
                                          {"Type", "User"},
                                          {"message", "Rate Exceeded."}})
                          .dump();
    co_return outcome;
  }
  auto job = std::make_shared<Job>(
      Job{.function = target->function,
          .request_id = options.request_id.empty() ? base::random_uuid() : std::move(options.request_id),
          .invoked_arn = std::move(target->arn),
          .executed_version = std::move(target->version),
          .event = std::move(event),
          .options = std::move(options),
          .by_resource = target->by_resource,
          .counts_for_account = admitted == Admission::kFromAccount,
          .reply = {}});
  const auto patience = place(job);
  outcome = co_await wait_for(std::move(job), patience);
  if (outcome.kind != InvokeOutcome::Kind::kOk) span.fail();
  co_return outcome;
}

std::chrono::microseconds Functions::Engine::place(const std::shared_ptr<Job>& job) {
  auto& function = *job->function;
  std::optional<InvokeOutcome> failure;
  bool start = false;
  std::chrono::microseconds patience{0};
  {
    const std::lock_guard lock(function.mutex);
    if (function.dispatch.instances() == 0 && clock.steady() < function.no_start_before) {
      failure = function.last_failure;
    } else {
      const auto placed = function.dispatch.place(job, net::Worker::current().index());
      if (placed.instance) placed.instance->hand_over(job);
      start = placed.start;
      patience = placed.patience;
    }
  }
  if (failure) function.conclude(*job, *std::move(failure));
  if (start) start_instance(job->function);
  return patience;
}

// A caller that goes away leaves a running job running, and takes one that still waits out of the queue.
Task<InvokeOutcome> Functions::Engine::wait_for(std::shared_ptr<Job> job, std::chrono::microseconds patience) {
  const auto deadline = job->options.deadline;
  auto& function = *job->function;
  const auto withdraw = [&] {
    const std::lock_guard lock(function.mutex);
    return function.dispatch.withdraw(job.get());
  };
  const auto left = [&] { return deadline - clock.steady(); };
  if (patience.count() > 0 && left() > patience) {
    auto outcome = co_await net::with_timeout(patience, job->reply.wait());
    if (outcome) co_return std::move(*outcome);
    bool start = false;
    {
      const std::lock_guard lock(function.mutex);
      start = outcome.error().code == Errc::kTimeout && function.dispatch.insist(job.get());
    }
    if (start) start_instance(job->function);
  }
  // Not a conditional expression: GCC 12 runs both sides of one that awaits.
  Result<InvokeOutcome> outcome = Error{Errc::kTimeout, "the caller's deadline passed"};
  if (deadline == base::SteadyPoint::max()) {
    outcome = co_await job->reply.wait();
  } else {
    outcome = co_await net::with_timeout(left(), job->reply.wait());
  }
  if (outcome) co_return std::move(*outcome);
  InvokeOutcome given_up;
  given_up.kind = InvokeOutcome::Kind::kDeadline;
  given_up.request_id = job->request_id;
  given_up.payload = error_payload("DeadlineExceeded", "The caller's deadline passed before the function answered");
  if (withdraw()) function.conclude(*job, given_up);
  co_return given_up;
}

}  // namespace securebase::functions
