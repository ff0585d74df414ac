// How many instances there are: started when a call wants one, kept while provisioned or not idle for long, and not
// started again and again where starts fail.
#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "functions/engine.h"

namespace securebase::functions {

using net::Task;

namespace {

constexpr std::chrono::seconds kSweepInterval{5};
constexpr std::chrono::milliseconds kFirstBackOff{100};
constexpr std::chrono::milliseconds kLongestBackOff{10'000};

}  // namespace

// 0: instances have no users of their own. In turn, so that a user is not met again soon.
std::uint32_t Functions::Engine::take_user() {
  if (!warden->measures().own_users) return 0;
  const std::lock_guard lock(mutex);
  check(users.size() < settings.uid_count, "there are more users than instances can be");
  do {
    if (++next_user >= settings.first_uid + settings.uid_count) next_user = settings.first_uid;
  } while (!users.insert(next_user).second);
  return next_user;
}

void Functions::Engine::start_instance(const std::shared_ptr<Function>& function) {
  auto instance = std::make_shared<Instance>(*doors, function, next_id++, take_user());
  {
    const std::lock_guard lock(function->mutex);
    function->dispatch.starting(instance.get());
  }
  {
    const std::lock_guard lock(mutex);
    living.emplace(instance->id(), instance.get());
  }
  net::Worker::current().tasks().spawn(live(std::move(instance), function));
}

Task<void> Functions::Engine::live(std::shared_ptr<Instance> instance, std::shared_ptr<Function> function) {
  const Ending ending = co_await instance->live();
  {
    const std::lock_guard lock(function->mutex);
    function->dispatch.gone(instance.get());
  }
  const auto stranded = co_await instance->take_stranded();
  {
    const std::lock_guard lock(mutex);
    living.erase(instance->id());
    users.erase(instance->uid());
    all_gone.notify_all();
  }
  if (!instance->initialised()) after_failed_start(*function, *instance, ending);
  if (stranded) place(stranded);
  if (!stopping) start_wanted(function);
}

// Those who wait learn why: another start would end as this one did. Later callers are told the same without a start
// until the back-off is over.
void Functions::Engine::after_failed_start(Function& function, const Instance& instance, const Ending& ending) {
  InvokeOutcome outcome;
  outcome.kind = ending.started ? InvokeOutcome::Kind::kFunctionError : InvokeOutcome::Kind::kUnavailable;
  outcome.error_type = ending.started ? "Runtime.ExitError" : "Sandbox.StartFailed";
  outcome.cold_start = true;
  if (!instance.init_error().empty()) {
    outcome.error_type = instance.init_error_type();
    outcome.payload = instance.init_error();
  } else {
    outcome.payload = error_payload(outcome.error_type, "Error: " + describe_ending(ending));
  }
  if (stopping) outcome.kind = InvokeOutcome::Kind::kUnavailable;
  base::log(base::Level::kWarning, "functions", "{}: an instance did not start: {}", function.config.name,
            instance.init_error().empty() ? describe_ending(ending) : instance.init_error_type());
  function.failed_starts.fetch_add(1, std::memory_order_relaxed);
  std::vector<std::shared_ptr<Job>> jobs;
  {
    const std::lock_guard lock(function.mutex);
    function.back_off = std::clamp(function.back_off * 2, kFirstBackOff, kLongestBackOff);
    function.no_start_before = clock.steady() + function.back_off;
    function.last_failure = outcome;
    while (function.dispatch.wanted() > 0) jobs.push_back(function.dispatch.take_oldest());
  }
  for (const auto& job : jobs) function.conclude(*job, outcome);
}

void Functions::Engine::start_wanted(const std::shared_ptr<Function>& function) {
  for (;;) {
    {
      const std::lock_guard lock(function->mutex);
      if (function->dispatch.wanted() == 0) break;
    }
    start_instance(function);
  }
}

void Functions::Engine::keep_provisioned(const std::shared_ptr<Function>& function) {
  while (!stopping && !function->retired) {
    {
      const std::lock_guard lock(function->mutex);
      if (function->dispatch.instances() >= function->provisioned) return;
      if (clock.steady() < function->no_start_before) return;
    }
    start_instance(function);
  }
}

void Functions::Engine::stop_expired(Function& function) {
  std::vector<std::uint64_t> ids;
  {
    const std::lock_guard lock(function.mutex);
    const auto expired = function.dispatch.expired(clock.steady(), settings.idle_time, function.provisioned);
    for (Instance* instance : expired) ids.push_back(instance->id());
  }
  for (const auto id : ids) warden->kill(id);
}

Task<void> Functions::Engine::sweep() {
  while (!stopping) {
    auto slept = co_await net::sleep_for(kSweepInterval);
    if (!slept || stopping) co_return;
    const auto known = registry.get();
    for (const auto& [name, named] : known->functions) {
      for (const auto& [version, function] : named.versions) {
        stop_expired(*function);
        keep_provisioned(function);
      }
    }
  }
}

}  // namespace securebase::functions
