// What stands behind the door: the functions by name, their instances, the warden and the log.
#pragma once

#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "base/snapshot.h"
#include "functions/code_store.h"
#include "functions/event_queue.h"
#include "functions/instance.h"
#include "functions/packages.h"

namespace securebase::functions {

// All that one name stands for.
struct Named {
  struct Alias {
    Qualifier route;
    FunctionMetrics metrics;
  };
  std::shared_ptr<Concurrency> concurrency;
  std::map<std::string, std::shared_ptr<Function>, std::less<>> versions;
  std::map<std::string, Alias, std::less<>> aliases;
};

struct Registry {
  std::map<std::string, Named, std::less<>> functions;
  std::map<std::string, EventInvoke> event_invokes;
};

// A regular file that somebody may execute.
bool is_program(const std::filesystem::path& file);

struct Functions::Engine {
  // `invoker`: the Functions it stands behind.
  Engine(Settings settings, net::Workers& workers, const base::Clock& clock, Invoker& invoker);

  Result<Done> start();
  Result<Done> apply(const Config& config);
  void stop();
  net::Task<InvokeOutcome> invoke(std::string name, std::string event, InvokeOptions options);

  // The function that a name means, and how it was named.
  struct Target {
    std::shared_ptr<Function> function;
    std::string arn;
    std::string version;
    FunctionMetrics by_resource;
  };
  std::optional<Target> find(std::string_view name) const;

  Result<std::shared_ptr<Function>> make_function(const FunctionConfig& config);
  Result<std::shared_ptr<Registry>> make_registry(const Config& config, const Registry& before);
  void compile_python(const std::filesystem::path& directory, const FunctionConfig& config);
  // `resource`: NAME:QUALIFIER, or "" for the whole function.
  FunctionMetrics metrics_of(const std::string& name, const std::string& resource = "") const;
  ProvisionedMetrics provisioned_metrics_of(const FunctionConfig& config) const;

  // Finds the job an instance or lets it wait; starts what is to be started, on the current worker.
  std::chrono::microseconds place(const std::shared_ptr<Job>& job);
  net::Task<InvokeOutcome> wait_for(std::shared_ptr<Job> job, std::chrono::microseconds patience);
  void start_instance(const std::shared_ptr<Function>& function);
  net::Task<void> live(std::shared_ptr<Instance> instance, std::shared_ptr<Function> function);
  void after_failed_start(Function& function, const Instance& instance, const Ending& ending);
  void start_wanted(const std::shared_ptr<Function>& function);
  void keep_provisioned(const std::shared_ptr<Function>& function);
  // Packages that no function has, and no instance that still ends its work.
  void collect_packages(const Config& config);
  void stop_expired(Function& function);
  net::Task<void> sweep();
  void retire(Function& function);
  std::uint32_t take_user();
  EventQueue::Doors queue_doors(Invoker& invoker);

  // Constant after start().
  const Settings settings;
  net::Workers& workers;
  const base::Clock& clock;
  Packages packages;
  CodeStore code;
  std::unique_ptr<LogWriter> logs;
  std::unique_ptr<WardenClient> warden;
  std::unique_ptr<Instance::Doors> doors;

  // Any thread.
  AccountConcurrency account;
  base::Snapshot<Registry> registry{std::make_shared<const Registry>()};
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> next_id{1};
  std::mutex mutex;
  std::condition_variable all_gone;
  // Guarded by mutex.
  std::unordered_map<std::uint64_t, Instance*> living;
  std::unordered_set<std::uint32_t> users;
  std::uint32_t next_user = 0;
  // apply() only.
  bool events_started = false;
  std::vector<std::weak_ptr<const Function>> made;
  EventQueue events;
};

}  // namespace securebase::functions
