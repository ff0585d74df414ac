// The door of functions (Lambda): runs function code in sandboxed instances behind the Lambda Runtime API. An instance
// serves one request at a time, is started on demand, kept warm, and stopped when idle. docs/functions.md tells how.
//
//   Functions functions(settings, workers);
//   functions.start();                                   // the helper that makes sandboxes, the log writer
//   functions.apply(config);                             // unpacks code; changes live, instance by instance
//   auto outcome = co_await functions.invoke("securebase-prod-auth", event, options);
//
// Threads: invoke() runs on any worker; everything else is called from outside the workers and may block.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/event.h"
#include "net/task.h"
#include "net/worker.h"
#include "stack/registry.h"
#include "stack/stack.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/span.h"

namespace securebase::aws {
class Operations;
}

namespace securebase::functions {

class CodeStore;  // code_store.h

// --- what a function is -----------------------------------------------------------------------------------------

enum class Runtime { kPython311, kProvided };

struct Layer {
  std::string arn;             // with its version
  std::filesystem::path code;  // a directory or a zip
  bool operator==(const Layer&) const = default;
};

struct FunctionConfig {
  std::string name;
  std::string arn;                  // without a qualifier
  std::string version = "$LATEST";  // "1" when it is published; versions run side by side
  Runtime runtime = Runtime::kProvided;
  std::string runtime_name = "provided";  // as written: python3.11, provided.al2023
  std::string handler;                    // module.function; may be empty for `provided`
  std::filesystem::path code;             // a directory or a zip
  std::vector<Layer> layers;              // unpacked into /opt in this order
  std::chrono::seconds timeout{3};
  std::size_t memory_mb = 128;
  std::size_t ephemeral_mb = 512;  // /tmp
  std::optional<std::size_t>
      reserved;                 // concurrent executions; 0: every call is throttled; nullopt: from the account's
  std::size_t provisioned = 0;  // instances that are kept warm
  bool traced = false;          // tracing_config { mode = "Active" }
  std::map<std::string, std::string> environment;
  bool operator==(const FunctionConfig&) const = default;
};

// An alias: another name for a version of a function. "$LATEST" is one too where a function is published and was not
// changed since: both run in the same instances.
struct Qualifier {
  std::string function;
  std::string name;     // "prod"
  std::string version;  // "$LATEST" or "1"
  // Shares of the calls, 0 to 1, that go to other versions: {{"2", 0.1}}.
  std::vector<std::pair<std::string, double>> shares;
  bool operator==(const Qualifier&) const = default;
};

// How calls that nobody waits for are retried.
struct EventInvoke {
  std::chrono::seconds age{21'600};  // an event that is older is dropped
  unsigned retries = 2;              // after function errors
  bool operator==(const EventInvoke&) const = default;
};

struct Config {
  std::vector<FunctionConfig> functions;  // name and version together are unique; `reserved` is one to a name
  std::vector<Qualifier> qualifiers;
  std::map<std::string, EventInvoke> event_invokes;  // by function name, or name:qualifier
};

// --- its Terraform ----------------------------------------------------------------------------------------------

// aws_lambda_function, _alias, _permission, _layer_version, _provisioned_concurrency_config,
// _function_event_invoke_config.
void declare(stack::Catalogue& catalogue);
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

// --- calling one ------------------------------------------------------------------------------------------------

struct InvokeOptions {
  // No aggregate: GCC 12 destroys a braced aggregate twice when it is an argument inside a co_await expression.
  InvokeOptions() {}  // NOLINT: not = default, which would leave it one

  // How long the caller waits, queueing included. The function itself may run on, up to its own timeout.
  // The default: as long as it takes.
  base::SteadyPoint deadline = base::SteadyPoint::max();
  telemetry::TraceContext trace;
  std::string client_context;  // Lambda-Runtime-Client-Context; JSON
  std::string request_id;      // "": a new one
  // Answered with the last 4 KB that the call logged, soon after its outcome; not when it never reached an instance.
  std::optional<net::Reply<std::string>> log_tail;
};

struct InvokeOutcome {
  enum class Kind {
    kOk,             // payload is what the handler returned
    kFunctionError,  // payload is {"errorMessage","errorType",...}: raised, timed out, exited, failed in init
    kThrottled,      // 429 TooManyRequestsException; payload is {"Reason","Type","message"}
    kNotFound,       // 404 ResourceNotFoundException; payload is {"Type","Message"}
    kTooLarge,       // 413 RequestEntityTooLargeException: an event beyond 6 MB
    kDeadline,       // the caller's deadline passed
    kUnavailable,    // the platform could not run it: shutting down, no sandbox; payload says why
  };
  Kind kind = Kind::kUnavailable;
  std::string payload;
  std::string content_type = "application/json";
  std::string error_type;  // of a function error: "KeyError", "Sandbox.Timedout", "Runtime.ExitError", ...
  bool timed_out = false;  // the function outlived its own timeout
  bool cold_start = false;
  std::string request_id;
  std::string executed_version;
  std::chrono::microseconds duration{0};       // of the handler, as REPORT has it
  std::chrono::microseconds init_duration{0};  // of a cold start
};

class Invoker {
 public:
  virtual ~Invoker() = default;
  // `function`: a name, name:qualifier, a partial ARN, or an ARN with or without qualifier. On a worker. Never fails:
  // what went wrong is an outcome. When the awaiting task is cancelled, the function runs on and its answer is dropped.
  virtual net::Task<InvokeOutcome> invoke(std::string function, std::string event, InvokeOptions options) = 0;
  // Any thread.
  virtual bool knows(std::string_view function) const = 0;
};

// --- the engine -------------------------------------------------------------------------------------------------

// What to do where users or control groups are not to be had (docs/functions.md has the table). Without namespaces
// nothing starts.
enum class Isolation {
  kRequired,    // refuse to start
  kBestEffort,  // run with what there is, and warn what is missing
};

struct Settings {
  std::filesystem::path state_directory;  // uses functions/ in it
  // The program that makes sandboxes, `securebase-sandbox`; empty: beside the running program.
  std::filesystem::path sandbox_program;
  std::string region = "us-east-1";
  std::string account = "123456789012";
  Isolation isolation = Isolation::kBestEffort;
  std::size_t account_concurrency = 1000;  // AWS's own default
  std::chrono::seconds idle_time{600};     // an instance not used for so long is stopped
  std::chrono::seconds init_time{10};      // Lambda's limit for the init phase; a longer function timeout extends it
  // Host users for instances, one each; only used when started by root.
  std::uint32_t first_uid = 1'900'000;
  std::uint32_t uid_count = 20'000;
  // After a function error, until an event that nobody waits for is tried again; the second time twice as long.
  std::chrono::milliseconds retry_after{60'000};
  // Given to every instance unless its own environment has them: AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...
  std::map<std::string, std::string> environment;
  telemetry::Registry* registry = nullptr;  // records the metrics of metrics.h; outlives the engine
  telemetry::LogSink* logs = nullptr;       // takes what functions print; outlives the engine; null: nobody does
  telemetry::Spans* spans = nullptr;        // records what calls were part of; outlives the engine
  // Ports that somebody else of the platform has, or will have: no instance's Runtime API takes one of them, though the
  // kernel may offer it meanwhile.
  std::set<std::uint16_t> taken_ports;
  // PEM of authorities that instances trust beside the system's: the local CA.
  std::string authorities_pem;
};

struct FunctionStatistics {
  std::string function;
  std::uint64_t invocations = 0;  // executed, as CloudWatch counts them: throttled ones are not in it
  std::uint64_t errors = 0;
  std::uint64_t throttles = 0;
  std::uint64_t cold_starts = 0;
  std::uint64_t failed_starts = 0;
  std::size_t idle = 0;
  std::size_t busy = 0;
  std::size_t starting = 0;
  std::size_t queued = 0;
  std::size_t under_way = 0;            // executions, of all its versions
  std::optional<std::size_t> reserved;  // how many it may have at once; nullopt: it shares the account's
};

struct Statistics {
  std::vector<FunctionStatistics> functions;
  std::size_t unreserved_under_way = 0;  // executions of functions that reserve none
  std::size_t unreserved_limit = 0;      // how many they may have at once
  std::uint64_t log_lines_dropped = 0;   // too much waited
};

class Functions final : public Invoker {
 public:
  // `workers` and `clock` outlive it.
  Functions(Settings settings, net::Workers& workers, const base::Clock& clock = base::system_clock());
  ~Functions() override;  // stop()

  // What of the sandbox this machine does not give is logged as a warning, or with kRequired the error.
  Result<Done> start();
  // Unpacks code that is not yet unpacked, then changes over: unchanged functions keep their instances, changed ones
  // start new instances while the old ones finish what they do. An error names function and reason; nothing changed.
  Result<Done> apply(std::shared_ptr<const Config> config);
  // Refuses new calls, ends all instances. Idempotent.
  void stop();

  net::Task<InvokeOutcome> invoke(std::string function, std::string event, InvokeOptions options) override;
  bool knows(std::string_view function) const override;

  // Takes an event that nobody waits for, as Lambda does with InvocationType=Event: it is on disk when this returns,
  // and is given to the function until it succeeds, or by its EventInvoke is given up. The request's id. kNotFound: no
  // such function; kLimit: the event is too large; kUnavailable: too many wait already. Any thread but a worker's.
  Result<std::string> enqueue(const std::string& function, std::string event);

  Statistics statistics() const;
  // SHA-256 of the zip that a version runs, or of a directory's content; nullopt: not known.
  std::optional<std::string> code_digest(std::string_view function, std::string_view version) const;
  // The immutable directory that a version runs from.
  std::optional<std::filesystem::path> package_of(std::string_view function, std::string_view version) const;
  // How many instances of a version have been initialised and live.
  std::size_t ready_instances(std::string_view function, std::string_view version) const;
  // Whether a zip can be unpacked.
  Result<Done> check_code(const std::filesystem::path& zip);
  // Where code that comes by API is kept.
  CodeStore& code();
  // One line each: what the sandbox of this machine consists of, and what is missing.
  std::vector<std::string> isolation_report() const;

 private:
  struct Engine;  // engine.h
  std::unique_ptr<Engine> engine_;
};

// --- its AWS API ------------------------------------------------------------------------------------------------

class CodeLinks;  // code_links.h

// All outlive the operations.
struct ApiDoors {
  Functions& functions;
  stack::Changes& changes;
  net::Pool& pool;
  // The bytes of an object, for code in S3. Blocks. Not set: such code is refused.
  std::function<Result<std::string>(const std::string& bucket, const std::string& key)> fetch_object;
  const CodeLinks* links = nullptr;  // null: code and layers have no Location
  std::size_t account_concurrency = 1000;
  const base::Clock& clock = base::system_clock();
};
// Lambda's operations (docs/functions.md lists them).
void add_operations(aws::Operations& operations, ApiDoors doors);

}  // namespace securebase::functions
