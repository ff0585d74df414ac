// The Runtime API of one instance (AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes").
#include <fmt/format.h>

#include "base/json.h"
#include "functions/instance.h"
#include "telemetry/span.h"

namespace securebase::functions {
namespace {

using namespace std::chrono_literals;
using http::Method;
using http::Response;
using net::Task;

constexpr std::string_view kApi = "/2018-06-01/runtime/";
constexpr std::size_t kResponseBytes = 6'291'556;  // Lambda's limit of a buffered response
constexpr std::size_t kErrorBytes = 256 << 10;
// A runtime that has told why its init failed ends by itself, or is ended after this.
constexpr std::chrono::milliseconds kLastWords{500};
// An addition of ours: the answer to a result that carries it is the next event itself, with its 200, as if it had been
// asked for right after. It saves a runtime that knows it an exchange for each call (docs/functions.md).
constexpr std::string_view kNextField = "Securebase-Runtime-Next";
// Another: what the handler asked of PostgreSQL and Redis (runtime_calls.h).
constexpr std::string_view kCallsField = "Securebase-Runtime-Calls";

Response json(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

Response accepted() { return json(202, R"({"status":"OK"})"); }

Response refused(int status, std::string_view type, std::string_view message) {
  return json(status, error_payload(type, message));
}

// As Lambda's runtime API says it of a call that does not fit what is under way.
Response out_of_turn(std::string_view message) { return refused(403, "InvalidStateTransition", message); }

Task<Result<std::string>> body_of(http::Request& request, std::size_t limit) {
  if (!request.body) co_return std::string();
  co_return co_await http::read_all(*request.body, limit);
}

// "/invocation/ID/response" gives ID.
std::optional<std::string_view> id_in(std::string_view path, std::string_view ending) {
  constexpr std::string_view kBegin = "invocation/";
  if (!path.starts_with(kBegin) || !path.ends_with(ending)) return std::nullopt;
  path.remove_prefix(kBegin.size());
  if (path.size() <= ending.size()) return std::nullopt;
  path.remove_suffix(ending.size());
  return path;
}

}  // namespace

bool Instance::speaks_for_itself(const http::Request& request) {
  // Without users of their own instances cannot be told apart; the platform has warned of that at its start.
  if (uid_ == 0) return true;
  // A socket keeps the user that made it, so each connection is asked about once.
  if (proven_.contains(request.connection)) return true;
  if (users_.user_of(request.peer_port, server_->port()) != uid_) return false;
  constexpr std::size_t kRemembered = 64;  // of a runtime that makes a connection for every call
  if (proven_.size() == kRemembered) proven_.erase(proven_.begin());
  proven_.insert(request.connection);
  return true;
}

Task<Response> Instance::answer(http::Request& request) {
  if (!speaks_for_itself(request)) co_return refused(403, "Forbidden", "This port belongs to another instance");
  if (!request.path.starts_with(kApi)) co_return refused(404, "NotFound", "No such path of the Runtime API");
  const auto path = request.path.substr(kApi.size());
  if (request.method == Method::kGet && path == "invocation/next") co_return co_await next();
  if (request.method != Method::kPost) co_return refused(404, "NotFound", "No such path of the Runtime API");
  if (path == "init/error") co_return co_await init_failed(request);
  for (const bool succeeded : {true, false}) {
    const auto id = id_in(path, succeeded ? "/response" : "/error");
    if (!id) continue;
    if (!job_) co_return out_of_turn("No invocation is under way: it was answered already");
    if (job_->request_id != *id) co_return refused(400, "InvalidRequestID", "Invalid request ID");
    // Not a conditional expression: GCC 12 runs both sides of one that awaits.
    if (succeeded) co_return co_await response(request);
    co_return co_await error(request);
  }
  co_return refused(404, "NotFound", "No such path of the Runtime API");
}

// What the dispatch has for an instance that asks; null: it is idle from now on, and its mailbox open.
std::shared_ptr<Job> Instance::look_for_work() {
  const bool first = !initialised_;
  if (first) on_first_next();
  bool surplus = false;
  std::shared_ptr<Job> job;
  {
    const std::lock_guard lock(function_->mutex);
    if (first) {
      function_->dispatch.initialised(init_duration_);
      function_->back_off = 0ms;
    }
    mailbox_ = {};  // before the dispatch may give us away
    job = function_->dispatch.ready(this, worker_.index(), doors_.clock.steady(), first);
    surplus = !job && function_->retired;
    if (surplus) function_->dispatch.gone(this);
  }
  if (surplus) {
    over_ = true;
    kill();
  }
  mailbox_open_ = !job;
  return job;
}

Task<Response> Instance::next() {
  if (polling_) co_return out_of_turn("The next invocation is being waited for already");
  if (over_) co_return out_of_turn("The instance is over");
  if (job_) {  // the runtime gave up on it without a word
    InvokeOutcome outcome;
    outcome.kind = InvokeOutcome::Kind::kFunctionError;
    outcome.error_type = "Runtime.NoResponse";
    outcome.payload = error_payload(outcome.error_type, "The runtime asked for the next event before it answered");
    finish(std::move(outcome), "error\tError Type: Runtime.NoResponse");
  }
  timer_.cancel();  // of expect_return()
  // An open mailbox: the connection that waited for it went. The instance is idle as before, or was given a job.
  auto job = mailbox_open_ ? nullptr : look_for_work();
  if (!job) {
    polling_ = true;
    const auto mailbox = mailbox_;
    auto came = co_await mailbox.wait();
    polling_ = false;
    if (!came) {
      expect_return();
      co_return refused(500, "Cancelled", "The connection was closed");
    }
    mailbox_open_ = false;
    job = std::move(*came);
  }
  if (over_) {
    stranded_ = std::move(job);
    co_return out_of_turn("The instance is over");
  }
  co_return deliver(std::move(job));
}

Response Instance::deliver(std::shared_ptr<Job> job) {
  const auto& config = function_->config;
  const auto deadline = doors_.clock.now() + config.timeout;
  delivered_ = doors_.clock.steady();
  job->invoke_span = std::exchange(job->options.trace.parent_span, telemetry::new_span_id());
  Response response;
  auto& headers = response.headers;
  headers.add_view("Content-Type", "application/json");
  headers.add("Lambda-Runtime-Aws-Request-Id", job->request_id);
  headers.add("Lambda-Runtime-Deadline-Ms",
              std::to_string(std::chrono::floor<std::chrono::milliseconds>(deadline).time_since_epoch().count()));
  headers.add("Lambda-Runtime-Invoked-Function-Arn", job->invoked_arn);
  if (job->options.trace.trace_high != 0 || job->options.trace.trace_low != 0) {
    headers.add("Lambda-Runtime-Trace-Id", telemetry::to_xray_header(job->options.trace));
  }
  if (!job->options.client_context.empty()) headers.add("Lambda-Runtime-Client-Context", job->options.client_context);
  response.body = std::move(job->event);
  if (job->options.log_tail) doors_.logs.keep_tail(log_);
  doors_.logs.submit(log_, LogWriter::Order::kBeforeOutput,
                     fmt::format("START RequestId: {} Version: {}", job->request_id, job->executed_version));
  job_ = std::move(job);
  timer_.start(config.timeout, [this] { on_timeout(); });
  return response;
}

Task<Response> Instance::after_result(bool with_next) {
  if (over_) co_return accepted();
  if (with_next) co_return co_await next();
  expect_return();
  co_return accepted();
}

Task<Response> Instance::response(http::Request& request) {
  const std::string id = job_->request_id;
  const bool with_next = request.headers.get(kNextField).has_value();
  job_->calls = parse_runtime_calls(request.headers.get(kCallsField).value_or(""));
  InvokeOutcome outcome;
  outcome.kind = InvokeOutcome::Kind::kOk;
  if (const auto type = request.headers.get("Content-Type")) outcome.content_type = *type;
  auto body = co_await body_of(request, kResponseBytes);
  // It may have timed out while its body came.
  if (!job_ || job_->request_id != id) co_return refused(400, "InvalidRequestID", "Invalid request ID");
  if (!body && body.error().code != Errc::kLimit) co_return refused(400, "InvalidResponse", body.error().message);
  if (!body) {
    outcome.kind = InvokeOutcome::Kind::kFunctionError;
    outcome.error_type = "Function.ResponseSizeTooLarge";
    outcome.payload = error_payload(
        outcome.error_type,
        fmt::format("Response payload size exceeded maximum allowed payload size ({} bytes).", kResponseBytes));
    std::string payload = outcome.payload;
    finish(std::move(outcome), "error\tError Type: Function.ResponseSizeTooLarge");
    co_return json(413, std::move(payload));
  }
  outcome.payload = std::move(*body);
  finish(std::move(outcome), "");
  co_return co_await after_result(with_next);
}

Task<Response> Instance::error(http::Request& request) {
  const std::string id = job_->request_id;
  const bool with_next = request.headers.get(kNextField).has_value();
  job_->calls = parse_runtime_calls(request.headers.get(kCallsField).value_or(""));
  InvokeOutcome outcome;
  outcome.kind = InvokeOutcome::Kind::kFunctionError;
  outcome.error_type = request.headers.get("Lambda-Runtime-Function-Error-Type").value_or("");
  auto body = co_await body_of(request, kErrorBytes);
  if (!job_ || job_->request_id != id) co_return refused(400, "InvalidRequestID", "Invalid request ID");
  if (!body) co_return refused(413, "RequestEntityTooLarge", body.error().message);
  if (auto parsed = base::Json::parse(*body)) {
    if (outcome.error_type.empty()) outcome.error_type = (*parsed)["errorType"].string_or("");
    outcome.payload = std::move(*body);
  } else {
    outcome.payload = error_payload(outcome.error_type, "The runtime gave an error that is no JSON");
  }
  finish(std::move(outcome), "");
  co_return co_await after_result(with_next);
}

Task<Response> Instance::init_failed(http::Request& request) {
  if (initialised_) co_return out_of_turn("Initialisation is over");
  const std::string type(request.headers.get("Lambda-Runtime-Function-Error-Type").value_or("Runtime.Unknown"));
  auto body = co_await body_of(request, kErrorBytes);
  if (!body) co_return refused(413, "RequestEntityTooLarge", body.error().message);
  init_error_type_ = type;
  init_error_ = base::Json::parse(*body) ? std::move(*body) : error_payload(type, "The runtime failed in init");
  timer_.start(kLastWords, [this] { kill(); });
  co_return accepted();
}

}  // namespace securebase::functions
