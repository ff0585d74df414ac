// What the stack says becomes functions: packages, versions, aliases; what it says no more goes.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "functions/engine.h"
#include "functions/environment.h"
#include "functions/metrics.h"

namespace securebase::functions {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPython = "/usr/bin/python3.11";

void own_tree(const fs::path& directory, std::uint32_t uid) {
  std::error_code ignored;
  static_cast<void>(lchown(directory.c_str(), uid, uid));
  for (const auto& entry : fs::recursive_directory_iterator(directory, ignored)) {
    static_cast<void>(lchown(entry.path().c_str(), uid, uid));
  }
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

}  // namespace securebase::functions
