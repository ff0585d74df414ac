// One function as it runs: its configuration, its instances, those who wait for one, and its counts.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "functions/dispatch.h"
#include "functions/functions.h"
#include "net/event.h"

namespace securebase::functions {

class Function;

// One invocation on its way. Its reply is answered once, by whoever ends it.
struct Job {
  std::shared_ptr<Function> function;
  std::string request_id;
  std::string invoked_arn;
  std::string executed_version;
  std::string event;
  InvokeOptions options;
  net::Reply<InvokeOutcome> reply;
};

// How many executions the account has left for functions that reserve none.
struct AccountConcurrency {
  std::atomic<std::size_t> under_way{0};
  std::atomic<std::size_t> limit{1000};
};

struct FunctionMetrics {
  telemetry::Counter* invocations = nullptr;
  telemetry::Counter* errors = nullptr;
  telemetry::Counter* throttles = nullptr;
  telemetry::Distribution* duration = nullptr;
  telemetry::Distribution* init_duration = nullptr;
  telemetry::Distribution* concurrent = nullptr;
};

class Function {
 public:
  FunctionConfig config;
  // Unpacked; empty: none. Constant after construction.
  std::filesystem::path task, layers;
  std::vector<std::string> argv;
  FunctionMetrics metrics;
  AccountConcurrency* account = nullptr;

  // Any thread.
  std::atomic<bool> retired = false;  // a newer configuration took its place
  std::atomic<std::size_t> under_way{0};
  std::atomic<std::uint64_t> invocations{0}, errors{0}, throttles{0}, cold_starts{0}, failed_starts{0};

  std::mutex mutex;
  // Guarded by mutex; never held across a wait.
  Dispatch dispatch;
  base::SteadyPoint no_start_before = base::SteadyPoint::min();  // after failed starts
  std::chrono::milliseconds back_off{0};
  InvokeOutcome last_failure;

  enum class Admission { kAdmitted, kFunctionLimit, kAccountLimit };
  Admission admit();
  // Ends an admitted job, whoever waits for it or not.
  void conclude(Job& job, InvokeOutcome outcome);
  void release();
};

}  // namespace securebase::functions
