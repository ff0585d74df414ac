#include "functions/instance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "functions/environment.h"
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

double milliseconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000; }

const char* signal_words(int number) {
  switch (number) {
    case SIGKILL:
      return "killed";
    case SIGSEGV:
      return "segmentation fault";
    case SIGABRT:
      return "aborted";
    case SIGTERM:
      return "terminated";
    case SIGBUS:
      return "bus error";
    case SIGILL:
      return "illegal instruction";
    case SIGFPE:
      return "floating point exception";
    case SIGSYS:
      return "bad system call";
    default:
      return "unknown signal";
  }
}

}  // namespace

std::string error_payload(std::string_view type, std::string_view message) {
  return base::Json::object({{"errorType", type}, {"errorMessage", message}}).dump();
}

std::string describe_ending(const Ending& ending) {
  if (!ending.started) return "Sandbox could not be started: " + ending.failure;
  if (WIFSIGNALED(ending.status)) {
    return fmt::format("Runtime exited with error: signal: {}", signal_words(WTERMSIG(ending.status)));
  }
  const int code = WEXITSTATUS(ending.status);
  if (code == 0) return "Runtime exited without providing a reason";
  return fmt::format("Runtime exited with error: exit status {}", code);
}

Instance::Instance(Doors& doors, std::shared_ptr<Function> function, std::uint64_t id, std::uint32_t uid)
    : doors_(doors),
      function_(std::move(function)),
      id_(id),
      uid_(uid),
      worker_(net::Worker::current()),
      timer_(worker_) {}

std::chrono::microseconds Instance::elapsed_since(base::SteadyPoint start) const {
  return std::chrono::duration_cast<std::chrono::microseconds>(doors_.clock.steady() - start);
}

void Instance::open_log(int pipe) {
  const std::string day = base::iso8601(doors_.clock.now()).substr(0, 10);
  log_name_ = fmt::format("{}/{}/{}/[{}]{}", day.substr(0, 4), day.substr(5, 2), day.substr(8, 2),
                          function_->config.version, base::random_hex(32));
  log_ = doors_.logs.open(function_->config.name, log_name_, pipe);
}

Task<Ending> Instance::live() {
  // Whatever becomes of the task, the process and the server are ended in order.
  net::Cancellation never;
  http::ServerSettings serving;
  serving.address.host = "127.0.0.1";
  serving.trace_requests = false;
  serving.limits.connections = 16;
  serving.limits.body_bytes = 16 << 20;  // more than a response may be: the runtime is told so, not cut off
  serving.limits.idle_time = 1h;         // between two calls of a function that runs for 15 minutes
  serving.limits.body_time = 15min;      // a response may be streamed as slowly as the function's timeout allows
  serving.limits.drain_time = 1ms;
  Ending failure{id_, false, {}, 0, false};
  auto server = http::WorkerServer::start(serving, *this);
  if (!server) {
    failure.failure = server.error().message;
    co_return failure;
  }
  server_ = std::move(*server);
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) {
    failure.failure = system_error(errno, "pipe2", "the output of an instance").message;
    co_await server_->drain().under(never);
    co_return failure;
  }
  open_log(output[0]);

  auto config = function_->config;
  config.provisioned = function_->provisioned;  // may have changed since
  StartRequest request{.id = id_,
                       .uid = uid_,
                       .argv = function_->argv,
                       .environment = instance_environment(config, doors_.settings, log_name_, server_->port()),
                       .task = function_->task,
                       .layers = function_->layers,
                       .runtime = config.runtime == Runtime::kPython311 ? doors_.python_runtime : "",
                       .writable_task = false,
                       .memory_mb = config.memory_mb,
                       .ephemeral_mb = config.ephemeral_mb};
  started_ = doors_.clock.steady();
  doors_.logs.submit(log_, LogWriter::Order::kBeforeOutput,
                     fmt::format("INIT_START Runtime Version: {}",
                                 config.runtime == Runtime::kPython311 ? "python:3.11" : config.runtime_name));
  doors_.warden.start_instance(
      request, output[1],
      {[&logs = doors_.logs, log = log_](const Report& report) { logs.measure(log, report.memory_peak, report.pid); },
       [ended = ended_](const Ending& ending) { ended.answer(ending); }});
  close(output[1]);
  const auto init_limit = std::max<std::chrono::seconds>(doors_.settings.init_time, config.timeout);
  timer_.start(init_limit, [this, init_limit] {
    init_error_type_ = "Sandbox.Timedout";
    init_error_ = error_payload(init_error_type_, fmt::format("Error: Init phase timed out after {:.2f} seconds",
                                                              static_cast<double>(init_limit.count())));
    kill();
  });

  auto ended = co_await ended_.wait();
  if (!ended) {  // cancelled
    kill();
    ended = co_await ended_.wait().under(never);
  }
  timer_.cancel();
  over_ = true;
  finish_by_ending(*ended);
  doors_.logs.close(log_);
  co_await server_->drain().under(never);
  server_.reset();
  co_return *ended;
}

void Instance::finish_by_ending(const Ending& ending) {
  const std::string words = describe_ending(ending);
  if (!job_) {
    if (!initialised_) {
      doors_.logs.submit(
          log_, LogWriter::Order::kAfterOutput,
          fmt::format("INIT_REPORT Init Duration: {:.2f} ms\tPhase: init\tStatus: error\tError Type: {}\n{}",
                      milliseconds(elapsed_since(started_)),
                      init_error_type_.empty() ? "Runtime.ExitError" : init_error_type_, words));
    }
    return;
  }
  InvokeOutcome outcome;
  outcome.kind = InvokeOutcome::Kind::kFunctionError;
  outcome.error_type = "Runtime.ExitError";
  const std::string message = fmt::format("RequestId: {} Error: {}", job_->request_id, words);
  outcome.payload = error_payload(outcome.error_type, message);
  doors_.logs.submit(log_, LogWriter::Order::kAfterOutput, message + "\nRuntime.ExitError");
  finish(std::move(outcome), "error\tError Type: Runtime.ExitError");
}

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

void Instance::on_first_next() {
  initialised_ = true;
  timer_.cancel();
  init_duration_ = elapsed_since(started_);
  doors_.warden.settle(id_);
  function_->cold_starts.fetch_add(1, std::memory_order_relaxed);
  if (function_->metrics.init_duration) function_->metrics.init_duration->record(milliseconds(init_duration_));
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

// A runtime that neither works nor asks for work would keep what is handed over to it for ever. It gets as long as a
// call may take; what lies in its mailbox then goes to another instance.
void Instance::expect_return() {
  timer_.start(function_->config.timeout, [this] {
    base::log(base::Level::kWarning, "functions", "{}: an instance asks for no more events and is ended",
              function_->config.name);
    kill();
  });
}

Task<std::shared_ptr<Job>> Instance::take_stranded() {
  if (mailbox_open_ && !mailbox_.answer(nullptr)) {  // something lies in it
    net::Cancellation never;
    auto left = co_await mailbox_.wait().under(never);
    if (left) stranded_ = std::move(*left);
  }
  co_return std::move(stranded_);
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

void Instance::on_timeout() {
  if (!job_) return;
  const double limit = static_cast<double>(function_->config.timeout.count());
  InvokeOutcome outcome;
  outcome.kind = InvokeOutcome::Kind::kFunctionError;
  outcome.error_type = "Sandbox.Timedout";
  outcome.timed_out = true;
  outcome.payload =
      error_payload(outcome.error_type,
                    fmt::format("RequestId: {} Error: Task timed out after {:.2f} seconds", job_->request_id, limit));
  doors_.logs.submit(log_, LogWriter::Order::kAfterOutput,
                     fmt::format("{} {} Task timed out after {:.2f} seconds", base::iso8601_millis(doors_.clock.now()),
                                 job_->request_id, limit));
  over_ = true;
  kill();
  finish(std::move(outcome), "timeout");
}

void Instance::record_spans(const Job& job, const InvokeOutcome& outcome) const {
  auto* const spans = doors_.settings.spans;
  const auto& trace = job.options.trace;
  if (!spans || !trace.known()) return;
  telemetry::Span span;
  span.trace_high = trace.trace_high;
  span.trace_low = trace.trace_low;
  span.parent = job.invoke_span;
  span.sampled = trace.sampled;
  span.name.assign(function_->config.name);
  if (first_job_) {
    span.hop = telemetry::Hop::kInit;
    span.id = telemetry::new_span_id();
    span.begin = started_;
    span.end = started_ + init_duration_;
    spans->record(span);
  }
  span.hop = telemetry::Hop::kFunction;
  span.id = trace.parent_span;
  span.subject.assign(job.request_id);
  span.begin = delivered_;
  span.end = doors_.clock.steady();
  span.cold = first_job_;
  span.failed = outcome.kind != InvokeOutcome::Kind::kOk;
  spans->record(span);

  // Sums have no place in the call: they are put one after the other at its beginning.
  const auto handler = span.end - span.begin;
  auto from = span.begin;
  span.parent = span.id;
  span.cold = span.failed = false;
  for (const auto& [hop, calls] :
       {std::pair{telemetry::Hop::kSql, job.calls.sql}, {telemetry::Hop::kCache, job.calls.cache}}) {
    if (calls.count == 0 || calls.time > handler) continue;  // more than there was time for is not believed
    span.hop = hop;
    span.id = telemetry::new_span_id();
    span.calls = calls.count;
    span.subject.assign({});
    span.begin = from;
    span.end = from = from + calls.time;
    spans->record(span);
  }
}

// Answers the caller first; what is left (metrics, log lines) comes after.
void Instance::finish(InvokeOutcome outcome, std::string_view status) {
  timer_.cancel();
  const auto job = std::move(job_);
  job_.reset();
  outcome.duration = elapsed_since(delivered_);
  outcome.cold_start = first_job_;
  if (first_job_) outcome.init_duration = init_duration_;
  const auto duration = outcome.duration;
  record_spans(*job, outcome);  // before the caller's own, which end when it is told
  function_->conclude(*job, std::move(outcome));
  {
    const std::lock_guard lock(function_->mutex);
    function_->dispatch.answered(this, duration);
    if (over_) function_->dispatch.gone(this);
  }
  std::string report = fmt::format(
      "END RequestId: {0}\nREPORT RequestId: {0}\tDuration: {1:.2f} ms\tBilled Duration: {2} ms\tMemory Size: {3} MB\t"
      "Max Memory Used: {{max_memory}} MB\t",
      job->request_id, milliseconds(duration), std::llround(std::ceil(milliseconds(duration))),
      function_->config.memory_mb);
  if (first_job_) report += fmt::format("Init Duration: {:.2f} ms\t", milliseconds(init_duration_));
  if (!status.empty()) report += fmt::format("Status: {}\t", status);
  const auto& trace = job->options.trace;
  if (function_->config.traced && trace.trace_high != 0) {
    const std::string root = telemetry::to_xray_header(trace);
    report += fmt::format("\nXRAY TraceId: {}\tSegmentId: {:016x}\tSampled: {}\t", root.substr(5, root.find(';') - 5),
                          trace.parent_span, trace.sampled);
  }
  first_job_ = false;
  doors_.logs.submit(log_, LogWriter::Order::kAfterOutput, std::move(report));
  if (job->options.log_tail) doors_.logs.take_tail(log_, *job->options.log_tail);
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
