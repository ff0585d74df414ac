// The process of an instance: its start, its calls' beginnings and ends, and its own end. What its runtime says and is
// told is in instance_api.cc.
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
using net::Task;

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
  std::vector<std::unique_ptr<http::WorkerServer>> taken;  // held until another port is found
  while (server && doors_.settings.taken_ports.contains((*server)->port())) {
    taken.push_back(std::move(*server));
    server = http::WorkerServer::start(serving, *this);
  }
  for (auto& other : taken) co_await other->drain().under(never);
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

void Instance::on_first_next() {
  initialised_ = true;
  timer_.cancel();
  init_duration_ = elapsed_since(started_);
  doors_.warden.settle(id_);
  function_->cold_starts.fetch_add(1, std::memory_order_relaxed);
  if (function_->metrics.init_duration) function_->metrics.init_duration->record(milliseconds(init_duration_));
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

}  // namespace securebase::functions
