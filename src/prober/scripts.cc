// A script of CloudWatch Synthetics' shape: tools/browser/canary.mjs runs it in node, as an unprivileged user, in a
// directory of its own that is removed after the run. The supervisor ends what it has started when its time is over.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "prober/rounds.h"

namespace securebase::prober {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// Removes a run's directory, whatever became of the run.
struct Removed {
  fs::path directory;
  ~Removed() {
    std::error_code failure;
    if (!directory.empty()) fs::remove_all(directory, failure);
  }
};

// Pictures that the script took move to <work>/../artifacts/<canary>/<run>; those of the last runs stay.
constexpr std::size_t kKeptArtifacts = 5;

void keep_artifacts(const fs::path& work, const Workshop& shop, const CanaryRun& run) {
  std::error_code failure;
  const auto made = work / "artifacts";
  if (!fs::is_directory(fs::symlink_status(made, failure)) || fs::is_empty(made, failure)) return;
  const auto place = shop.work.parent_path() / "artifacts" / run.canary;
  fs::create_directories(place, failure);
  // By their time: names of runs say nothing of it.
  std::vector<std::pair<fs::file_time_type, fs::path>> kept;
  for (const auto& entry : fs::directory_iterator(place, failure))
    kept.emplace_back(entry.last_write_time(failure), entry);
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 0; i + kKeptArtifacts <= kept.size(); ++i) fs::remove_all(kept[i].second, failure);
  fs::rename(made, place / run.id, failure);
}

CanaryRun not_executed(CanaryRun run, std::string reason) {
  run.passed = false;
  run.executed = false;
  run.reason = std::move(reason);
  return run;
}

// A directory on the way to `path` that only its owner may pass through, as a home often is; else empty.
fs::path closed_directory(const fs::path& path) {
  std::error_code failure;
  for (fs::path at = path; at != at.root_path(); at = at.parent_path()) {
    const auto status = fs::status(at, failure);
    if (failure || (status.permissions() & fs::perms::others_exec) == fs::perms::none) return at;
  }
  return {};
}

process::Command command_for(const Canary& canary, const Workshop& shop, const fs::path& work,
                             const fs::path& temporary, const process::Credentials& user) {
  process::Command command;
  command.argv = {shop.node, fmt::format("--max-old-space-size={}", canary.memory_mb),
                  (shop.tools / "canary.mjs").native(), canary.code.native(), canary.handler};
  command.environment = canary.environment;
  command.environment["HOME"] = work.native();
  command.environment["TMPDIR"] = temporary.native();
  command.environment["SECUREBASE_ARTIFACTS"] = (work / "artifacts").native();
  command.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
  command.environment["LANG"] = "C.UTF-8";
  command.environment["SECUREBASE_CANARY"] = canary.name;
  command.environment["SECUREBASE_CHROMIUM"] = shop.chromium;
  command.environment["SECUREBASE_URL"] = shop.base_url;
  command.directory = work;
  command.run_as = user;
  return command;
}

}  // namespace

CanaryRun run_script_now(const Canary& canary, const Workshop& shop, process::Supervisor& supervisor, CanaryRun run) {
  if (shop.node.empty()) return not_executed(std::move(run), "node is not installed; scripts need 18.16 or newer");
  if (shop.tools.empty()) {
    return not_executed(std::move(run), "tools/browser is not installed; `make browser` in the checkout installs it");
  }
  auto user = process::unprivileged(shop.user);
  if (!user) return not_executed(std::move(run), user.error().message);
  if (const auto closed = closed_directory(shop.tools); user->user != geteuid() && !closed.empty()) {
    return not_executed(
        std::move(run),
        fmt::format("scripts run as {}, who cannot pass through {} to {}: have the checkout elsewhere, or "
                    "allow it (chmod o+x {})",
                    user->name, closed.native(), shop.tools.native(), closed.native()));
  }
  const Removed work{shop.work / run.id};
  if (auto made = process::private_directory(work.directory, *user); !made) {
    return not_executed(std::move(run), made.error().message);
  }
  // Chromium has sockets there, whose names may not be longer than 107 bytes; a state directory's may be.
  const Removed temporary{fs::path("/tmp") / ("securebase-" + run.id.substr(0, 8))};
  if (auto made = process::private_directory(temporary.directory, *user); !made) {
    return not_executed(std::move(run), made.error().message);
  }
  const auto begin = base::system_clock().steady();
  const auto finished =
      supervisor.run(command_for(canary, shop, work.directory, temporary.directory, *user),
                     process::RunLimits{.time = canary.timeout, .memory_bytes = std::uint64_t{canary.memory_mb} << 20});
  run.duration = std::chrono::duration_cast<milliseconds>(base::system_clock().steady() - begin);
  if (!finished) {
    const auto code = finished.error().code;
    run.passed = false;
    run.executed = code == Errc::kTimeout || code == Errc::kLimit;
    run.reason = code == Errc::kTimeout ? fmt::format("the script did not end within {} s", canary.timeout.count())
                 : code == Errc::kLimit
                     ? fmt::format("the script and its browser took more than the {} MB of memory that it may have",
                                   canary.memory_mb)
                     : finished.error().message;
    return run;
  }
  take_report(finished->output, finished->exit_code, run);
  keep_artifacts(work.directory, shop, run);
  return run;
}

}  // namespace securebase::prober
