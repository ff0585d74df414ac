// A script, as an unprivileged user, in a directory of its own that is removed after the run: one of CloudWatch
// Synthetics' shape by tools/browser/canary.mjs in node, a load test's by the program that runs load tests. The
// supervisor ends what it has started when its time is over.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "prober/artifacts.h"
#include "prober/load_script.h"
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

// Where a run has its files.
struct Places {
  fs::path work;
  fs::path temporary;
  fs::path results() const { return work / "results.json"; }  // of a load test's script
};

process::Command command_for(const Canary& canary, const Workshop& shop, const Places& places,
                             const process::Credentials& user) {
  process::Command command;
  command.argv =
      canary.kind == Canary::Kind::kLoad
          ? load_words(canary, shop, places.results())
          : std::vector<std::string>{shop.node, fmt::format("--max-old-space-size={}", canary.memory_mb),
                                     (shop.tools / "canary.mjs").native(), canary.code.native(), canary.handler};
  command.environment = canary.environment;
  command.environment["HOME"] = places.work.native();
  command.environment["TMPDIR"] = places.temporary.native();
  command.environment["SECUREBASE_ARTIFACTS"] = (places.work / "artifacts").native();
  command.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
  command.environment["LANG"] = "C.UTF-8";
  command.environment["SECUREBASE_CANARY"] = canary.name;
  command.environment["SECUREBASE_CHROMIUM"] = shop.chromium;
  command.environment["SECUREBASE_URL"] = shop.base_url;
  command.directory = places.work;
  command.run_as = user;
  return command;
}

// Why no script of this kind can run here; "": it can.
std::string missing(const Canary& canary, const Workshop& shop) {
  std::error_code failure;
  if (canary.kind == Canary::Kind::kLoad) {
    const auto program = load_program(load_tool_of(canary.handler), shop);
    return fs::exists(program, failure) ? ""
                                        : fmt::format("{} is not installed; `make up` builds it", program.native());
  }
  if (shop.node.empty()) return "node is not installed; scripts need 18.16 or newer";
  if (shop.tools.empty()) return "tools/browser is not installed; `make browser` in the checkout installs it";
  return "";
}

void take_results(const Canary& canary, const Places& places, const process::Finished& finished, CanaryRun& run) {
  if (canary.kind == Canary::Kind::kScript) return take_report(finished.output, finished.exit_code, run);
  std::error_code failure;
  // The directory is the script's: a pipe there would be waited for, a link would be read with our rights.
  auto results = fs::is_regular_file(fs::symlink_status(places.results(), failure))
                     ? base::read_file(places.results(), kResultBytes)
                     : std::string();
  if (!results) {
    run = not_executed(std::move(run), results.error().message + "; a canary's script is one user's visit");
    return;
  }
  const auto take = load_tool_of(canary.handler) == LoadTool::kK6 ? take_k6_samples : take_artillery_report;
  take(*results, finished.exit_code, finished.output, run);
}

}  // namespace

CanaryRun run_script_now(const Canary& canary, const Workshop& shop, process::Supervisor& supervisor, CanaryRun run) {
  if (auto reason = missing(canary, shop); !reason.empty()) return not_executed(std::move(run), std::move(reason));
  auto user = process::unprivileged(shop.user);
  if (!user) return not_executed(std::move(run), user.error().message);
  const auto& needed = canary.kind == Canary::Kind::kLoad ? shop.programs : shop.tools;
  if (const auto closed = closed_directory(needed); user->user != geteuid() && !closed.empty()) {
    return not_executed(
        std::move(run),
        fmt::format("scripts run as {}, who cannot pass through {} to {}: have the checkout elsewhere, or "
                    "allow it (chmod o+x {})",
                    user->name, closed.native(), needed.native(), closed.native()));
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
  const Places places{work.directory, temporary.directory};
  const auto begin = base::system_clock().steady();
  const auto finished =
      supervisor.run(command_for(canary, shop, places, *user),
                     process::RunLimits{.time = canary.timeout, .memory_bytes = std::uint64_t{canary.memory_mb} << 20});
  run.duration = std::chrono::duration_cast<milliseconds>(base::system_clock().steady() - begin);
  if (!finished) {
    const auto code = finished.error().code;
    run.passed = false;
    run.executed = code == Errc::kTimeout || code == Errc::kLimit;
    run.reason = code == Errc::kTimeout ? fmt::format("the script did not end within {} s", canary.timeout.count())
                 : code == Errc::kLimit
                     ? fmt::format("the script and what it started took more than the {} MB of memory that it may have",
                                   canary.memory_mb)
                     : finished.error().message;
    return run;
  }
  take_results(canary, places, *finished, run);
  const auto place = shop.work.parent_path() / "artifacts" / run.canary;
  if (const auto left_out = keep_artifacts(work.directory / "artifacts", place, run.id)) {
    base::log(base::Level::kWarning, "prober",
              "{}: {} files of its artifacts are not kept: a run has at most {} MB in {} files, and no links",
              run.canary, left_out, ArtifactLimits{}.bytes >> 20, ArtifactLimits{}.files);
  }
  return run;
}

}  // namespace securebase::prober
