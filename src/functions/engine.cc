// The engine's beginning and end, and what a name means.
#include "functions/engine.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <random>

#include "base/file.h"
#include "base/log.h"
#include "functions/environment.h"
#include "functions/metrics.h"
#include "functions/python_bootstrap.h"

namespace securebase::functions {

namespace fs = std::filesystem;

bool is_program(const fs::path& file) {
  struct stat found {};
  return stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) && (found.st_mode & 0111) != 0;
}

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
    all_gone.wait_for(lock, std::chrono::milliseconds{100}, [&] { return living.empty(); });
  }
}

// --- names -----------------------------------------------------------------------------------------------------------

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

}  // namespace securebase::functions
