// One function as it runs: its configuration, its instances, those who wait for one, and its counts.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "functions/dispatch.h"
#include "functions/functions.h"
#include "functions/runtime_calls.h"
#include "net/event.h"

namespace securebase::functions {

class Function;

struct FunctionMetrics {
  telemetry::Counter* invocations = nullptr;
  telemetry::Counter* errors = nullptr;
  telemetry::Counter* throttles = nullptr;
  telemetry::Distribution* duration = nullptr;
  telemetry::Distribution* init_duration = nullptr;
  telemetry::Distribution* concurrent = nullptr;
};

// Only where instances are kept warm.
struct ProvisionedMetrics {
  telemetry::Counter* invocations = nullptr;
  telemetry::Counter* spillover = nullptr;
  telemetry::Distribution* concurrent = nullptr;
  telemetry::Distribution* utilization = nullptr;
};

// One invocation on its way. Its reply is answered once, by whoever ends it.
struct Job {
  std::shared_ptr<Function> function;
  std::string request_id;
  std::string invoked_arn;
  std::string executed_version;
  std::string event;
  InvokeOptions options;
  FunctionMetrics by_resource;      // of the alias or version that was asked for; none: of the bare name
  RuntimeCalls calls;               // what its runtime told with its result
  std::uint64_t invoke_span = 0;    // the hop that options.trace was before its function's own
  bool counts_for_account = false;  // it was admitted from what the account has left
  net::Reply<InvokeOutcome> reply;
};

// How many executions the account has left for functions that reserve none.
struct AccountConcurrency {
  std::atomic<std::size_t> under_way{0};
  std::atomic<std::size_t> limit{1000};
  telemetry::Distribution* unreserved = nullptr;
};

// What all versions of a function share.
struct Concurrency {
  std::atomic<std::size_t> under_way{0};
  std::atomic<std::int64_t> reserved{-1};  // -1: none
};

// One version of a function.
class Function {
 public:
  FunctionConfig config;
  // Unpacked; empty: none. Constant after construction.
  std::filesystem::path task, layers;
  std::vector<std::string> argv;
  FunctionMetrics metrics, metrics_of_version;
  ProvisionedMetrics provisioned_metrics;
  AccountConcurrency* account = nullptr;
  std::shared_ptr<Concurrency> concurrency;

  // Any thread.
  std::atomic<bool> retired = false;        // a newer configuration took its place
  std::atomic<std::size_t> under_way{0};    // of this version
  std::atomic<std::size_t> provisioned{0};  // instances that are kept warm
  std::atomic<std::uint64_t> invocations{0}, errors{0}, throttles{0}, cold_starts{0}, failed_starts{0};

  std::mutex mutex;
  // Guarded by mutex; never held across a wait.
  Dispatch dispatch;
  base::SteadyPoint no_start_before = base::SteadyPoint::min();  // after failed starts
  std::chrono::milliseconds back_off{0};
  InvokeOutcome last_failure;

  enum class Admission { kFromReserved, kFromAccount, kFunctionLimit, kAccountLimit };
  Admission admit();
  // Ends an admitted job, whoever waits for it or not.
  void conclude(Job& job, InvokeOutcome outcome);
  void release(bool counts_for_account);
};

}  // namespace securebase::functions
