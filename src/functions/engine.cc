#include "functions/engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "functions/environment.h"
#include "functions/metrics.h"
#include "functions/python_bootstrap.h"

namespace securebase::functions {
namespace {

using namespace std::chrono_literals;
using net::Task;
namespace fs = std::filesystem;

constexpr std::chrono::seconds kSweepInterval{5};
constexpr std::chrono::milliseconds kFirstBackOff{100};
constexpr std::chrono::milliseconds kLongestBackOff{10'000};
constexpr const char* kPython = "/usr/bin/python3.11";

void own_tree(const fs::path& directory, std::uint32_t uid) {
  std::error_code ignored;
  static_cast<void>(lchown(directory.c_str(), uid, uid));
  for (const auto& entry : fs::recursive_directory_iterator(directory, ignored)) {
    static_cast<void>(lchown(entry.path().c_str(), uid, uid));
  }
}

bool is_program(const fs::path& file) {
  struct stat found {};
  return stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) && (found.st_mode & 0111) != 0;
}

// The program of a custom runtime, where Lambda looks for it.
Result<std::string> find_bootstrap(const FunctionConfig& config, const fs::path& task, const fs::path& layers) {
  if (is_program(task / "bootstrap")) return std::string("/var/task/bootstrap");
  if (!layers.empty() && is_program(layers / "bootstrap")) return std::string("/opt/bootstrap");
  std::error_code ignored;
  return Error{
      Errc::kNotFound,
      fs::exists(task / "bootstrap", ignored)
          ? fmt::format("\"bootstrap\" in {} is not executable: chmod +x it before it is packed", config.code.native())
          : fmt::format("{} has no executable \"bootstrap\" at its top, which the runtime {} starts",
                        config.code.native(), config.runtime_name)};
}

}  // namespace

Functions::Engine::Engine(Settings given, net::Workers& all, const base::Clock& time, Invoker& invoker)
    : settings(std::move(given)),
      workers(all),
      clock(time),
      packages(settings.state_directory / "functions" / "packages"),
      code(settings.state_directory / "functions" / "code"),
      next_user(settings.first_uid),
      events(settings.state_directory / "functions" / "queue", {.retry_after = settings.retry_after},
             queue_doors(invoker)) {
  account.limit = settings.account_concurrency;
  if (settings.registry) account.unreserved = &settings.registry->distribution(kUnreservedExecutions, {});
}

EventQueue::Doors Functions::Engine::queue_doors(Invoker& invoker) {
  return {.invoker = invoker,
          .workers = workers,
          .clock = clock,
          .policy = [this](const std::string& function) -> EventInvoke {
            const auto known = registry.get();
            const auto& all = known->event_invokes;
            if (const auto exact = all.find(function); exact != all.end()) return exact->second;
            const auto by_name = all.find(function.substr(0, function.find(':')));
            return by_name == all.end() ? EventInvoke{} : by_name->second;
          },
          .metrics = [this](const std::string& function) -> EventQueue::Metrics {
            if (!settings.registry) return {};
            const telemetry::Dimensions of{{"FunctionName", function.substr(0, function.find(':'))}};
            auto& to = *settings.registry;
            return {&to.counter(kAsyncReceived, of), &to.counter(kAsyncDropped, of), &to.distribution(kAsyncAge, of)};
          }};
}

Result<Done> Functions::Engine::start() {
  const fs::path own = settings.state_directory / "functions";
  const fs::path program = settings.sandbox_program.empty()
                               ? fs::read_symlink("/proc/self/exe").parent_path() / "securebase-sandbox"
                               : settings.sandbox_program;
  if (!is_program(program)) {
    return Error{Errc::kNotFound, fmt::format("{} is missing: it makes the functions' sandboxes and is built and "
                                              "installed beside securebase itself",
                                              program.native())};
  }
  const fs::path python = own / "runtime" / "python3.11";
  for (const auto& directory : {own / "sandbox" / "root", own / "packages", python}) {
    if (auto made = base::make_directory(directory); !made) return made;
  }
  packages.clean();
  if (auto written = write_etc(own / "sandbox" / "etc", settings.authorities_pem); !written) return written;
  if (auto written = base::replace_file(python / "bootstrap.py", kPythonBootstrap); !written) return written;

  auto started = WardenClient::start(
      {program, own / "sandbox" / "root", own / "sandbox" / "etc", settings.isolation == Isolation::kRequired});
  if (!started) return started.error();
  warden = std::move(*started);
  for (const auto& missing : warden->measures().missing) base::log(base::Level::kWarning, "functions", "{}", missing);
  logs = std::make_unique<LogWriter>(settings.logs, clock);
  doors = std::make_unique<Instance::Doors>(Instance::Doors{settings, clock, *warden, *logs, python});
  workers[0].post([this] { net::Worker::current().tasks().spawn(sweep()); });
  return Done{};
}

// --- configuration ------------------------------------------------------------------------------------------------

FunctionMetrics Functions::Engine::metrics_of(const std::string& name, const std::string& resource) const {
  if (!settings.registry) return {};
  auto& to = *settings.registry;
  telemetry::Dimensions of{{"FunctionName", name}};
  if (!resource.empty()) of.emplace_back("Resource", resource);
  return {&to.counter(kInvocations, of),       &to.counter(kErrors, of),
          &to.counter(kThrottles, of),         &to.distribution(kDuration, of),
          &to.distribution(kInitDuration, of), &to.distribution(kConcurrentExecutions, of)};
}

ProvisionedMetrics Functions::Engine::provisioned_metrics_of(const FunctionConfig& config) const {
  if (!settings.registry) return {};
  auto& to = *settings.registry;
  const telemetry::Dimensions of{{"FunctionName", config.name}, {"Resource", config.name + ":" + config.version}};
  return {&to.counter(kProvisionedInvocations, of), &to.counter(kProvisionedSpillover, of),
          &to.distribution(kProvisionedExecutions, of), &to.distribution(kProvisionedUtilization, of)};
}

// By Python itself, in a sandbox, since the code is foreign; what does not compile says so when it is imported.
void Functions::Engine::compile_python(const fs::path& directory, const FunctionConfig& config) {
  const auto uid = take_user();
  if (uid != 0) own_tree(directory, uid);
  StartRequest request{
      .id = next_id++,
      .uid = uid,
      .argv = {kPython, "-S", "-E", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "."},
      .environment = {"PATH=/usr/bin", "LANG=C.UTF-8"},
      .task = directory,
      .layers = {},
      .runtime = {},
      .writable_task = true,
      .memory_mb = 512,
      .ephemeral_mb = 64};
  const int output = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const auto ending = warden->run(request, output);
  close(output);
  if (!ending.started) {
    base::log(base::Level::kWarning, "functions", "{}: not compiled before its first start: {}", config.name,
              ending.failure);
  }
  if (uid == 0) return;
  own_tree(directory, 0);
  const std::lock_guard lock(mutex);
  users.erase(uid);
}

Result<std::shared_ptr<Function>> Functions::Engine::make_function(const FunctionConfig& config) {
  const bool python = config.runtime == Runtime::kPython311;
  if (python && !is_program(kPython)) {
    return Error{Errc::kNotFound, fmt::format("{} is missing: install Debian's python3", kPython)};
  }
  const auto prepare = [&](const fs::path& directory) {
    if (python) compile_python(directory, config);
  };
  auto function = std::make_shared<Function>();
  function->config = config;
  function->account = &account;
  function->metrics = metrics_of(config.name);
  function->metrics_of_version = metrics_of(config.name, config.name + ":" + config.version);
  function->provisioned_metrics = provisioned_metrics_of(config);
  function->provisioned = config.provisioned;
  auto task = packages.unpack(config.code, prepare);
  if (!task) return task.error();
  function->task = std::move(*task);
  if (!config.layers.empty()) {
    std::vector<fs::path> codes;
    for (const auto& layer : config.layers) codes.push_back(layer.code);
    auto layers = packages.unpack_layers(codes, prepare);
    if (!layers) return layers.error();
    function->layers = std::move(*layers);
  }
  if (python) {
    function->argv = {kPython, "-S", "/var/runtime/bootstrap.py"};
    return function;
  }
  auto bootstrap = find_bootstrap(config, function->task, function->layers);
  if (!bootstrap) return bootstrap.error();
  function->argv = {std::move(*bootstrap)};
  return function;
}

namespace {

// What instances are started from: with the same of it, they go on. Code and layers are compared by content.
FunctionConfig runs_as(FunctionConfig config) {
  config.code.clear();
  config.layers.clear();
  config.reserved.reset();
  config.provisioned = 0;
  return config;
}

const std::shared_ptr<Function>* find_version(const Registry& registry, const FunctionConfig& config) {
  const auto named = registry.functions.find(config.name);
  if (named == registry.functions.end()) return nullptr;
  const auto found = named->second.versions.find(config.version);
  return found == named->second.versions.end() ? nullptr : &found->second;
}

}  // namespace

Result<std::shared_ptr<Registry>> Functions::Engine::make_registry(const Config& config, const Registry& before) {
  auto next = std::make_shared<Registry>();
  next->event_invokes = config.event_invokes;
  for (const auto& one : config.functions) {
    auto made = make_function(one);
    if (!made) return made.error().within(fmt::format("preparing the function {}", one.name));
    const auto* old = find_version(before, one);
    const bool same = old && runs_as((*old)->config) == runs_as(one) && (*old)->task == (*made)->task &&
                      (*old)->layers == (*made)->layers;
    Named& named = next->functions[one.name];
    if (!named.concurrency) {
      const auto known = before.functions.find(one.name);
      named.concurrency = known == before.functions.end() ? std::make_shared<Concurrency>() : known->second.concurrency;
    }
    (*made)->concurrency = named.concurrency;
    if (!same) this->made.push_back(*made);
    named.versions.emplace(one.version, same ? *old : std::move(*made));
  }
  for (const auto& route : config.qualifiers) {
    const auto named = next->functions.find(route.function);
    if (named == next->functions.end()) continue;
    named->second.aliases.emplace(route.name,
                                  Named::Alias{route, metrics_of(route.function, route.function + ":" + route.name)});
  }
  return next;
}

Result<Done> Functions::Engine::apply(const Config& config) {
  check(warden != nullptr, "start() came before apply()");
  const auto before = registry.get();
  auto made = make_registry(config, *before);
  if (!made) return made.error();
  const std::shared_ptr<Registry> next = std::move(*made);
  // From here on nothing fails.
  std::size_t reserved = 0;
  for (const auto& [name, named] : next->functions) {
    const auto one = std::find_if(config.functions.begin(), config.functions.end(),
                                  [&name = name](const auto& each) { return each.name == name; });
    named.concurrency->reserved = one->reserved ? static_cast<std::int64_t>(*one->reserved) : -1;
    reserved += one->reserved.value_or(0);
  }
  for (const auto& one : config.functions) (*find_version(*next, one))->provisioned = one.provisioned;
  account.limit = settings.account_concurrency > reserved ? settings.account_concurrency - reserved : 0;
  registry.set(next);
  // Not before there is a configuration: an event of a function that is not known is given up.
  if (!std::exchange(events_started, true)) {
    if (auto started = events.start(); !started) {
      base::log(base::Level::kError, "functions", "queued events are not given away: {}", started.error().message);
    }
  }
  for (const auto& [name, named] : before->functions) {
    for (const auto& [version, function] : named.versions) {
      const auto* kept = find_version(*next, function->config);
      if (!kept || *kept != function) retire(*function);
    }
  }
  collect_packages(config);
  workers[0].post([this, next] {
    for (const auto& [name, named] : next->functions) {
      for (const auto& [version, function] : named.versions) keep_provisioned(function);
    }
  });
  return Done{};
}

void Functions::Engine::collect_packages(const Config& config) {
  std::set<fs::path> used;
  for (const auto& one : config.functions) used.insert(one.code);  // of versions that the files' directories became
  std::erase_if(made, [&used](const auto& reference) {
    const auto function = reference.lock();
    if (!function) return true;
    used.insert(function->task);
    used.insert(function->layers);
    return false;
  });
  packages.collect(used);
}

void Functions::Engine::retire(Function& function) {
  std::vector<std::uint64_t> ids;
  {
    const std::lock_guard lock(function.mutex);
    function.retired = true;
    for (Instance* instance : function.dispatch.take_idle()) ids.push_back(instance->id());
  }
  for (const auto id : ids) warden->kill(id);
}

namespace {

std::string_view chosen_version(const Qualifier& alias) {
  if (alias.shares.empty()) return alias.version;
  thread_local std::minstd_rand random{std::random_device{}()};
  double lot = std::uniform_real_distribution<double>(0, 1)(random);
  for (const auto& [version, share] : alias.shares) {
    if (lot < share) return version;
    lot -= share;
  }
  return alias.version;
}

}  // namespace

// name, name:qualifier, 123456789012:function:name, arn:aws:lambda:region:account:function:name:qualifier
std::optional<Functions::Engine::Target> Functions::Engine::find(std::string_view name) const {
  constexpr std::string_view kMark = "function:";
  if (const auto at = name.find(kMark); at != name.npos) name.remove_prefix(at + kMark.size());
  std::string_view qualifier;
  if (const auto colon = name.find(':'); colon != name.npos) {
    qualifier = name.substr(colon + 1);
    name = name.substr(0, colon);
  }
  const auto known = registry.get();
  const auto found = known->functions.find(name);
  if (found == known->functions.end()) return std::nullopt;
  const Named& named = found->second;
  const std::string_view asked = qualifier.empty() ? "$LATEST" : qualifier;
  std::string_view version = asked;
  FunctionMetrics by_resource;
  if (const auto alias = named.aliases.find(asked); alias != named.aliases.end()) {
    version = chosen_version(alias->second.route);
    if (!qualifier.empty()) by_resource = alias->second.metrics;
  }
  auto function = named.versions.find(version);
  // A function that has one version needs no alias for it.
  if (asked == "$LATEST" && function == named.versions.end() && named.versions.size() == 1) {
    function = named.versions.begin();
  }
  if (function == named.versions.end()) return std::nullopt;
  if (asked == function->first && !qualifier.empty()) by_resource = function->second->metrics_of_version;
  Target target{function->second, function->second->config.arn, function->second->config.version, by_resource};
  if (!qualifier.empty()) target.arn += ":" + std::string(qualifier);
  return target;
}

// --- invocations --------------------------------------------------------------------------------------------------

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

// --- instances ----------------------------------------------------------------------------------------------------

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

void Functions::Engine::stop() {
  events.stop();
  if (stopping.exchange(true) || !warden) return;
  std::unique_lock lock(mutex);
  while (!living.empty()) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, instance] : living) ids.push_back(id);
    lock.unlock();
    for (const auto id : ids) warden->kill(id);
    lock.lock();
    all_gone.wait_for(lock, 100ms, [&] { return living.empty(); });
  }
}

}  // namespace securebase::functions
