// securebase lighthouse: runs Lighthouse (tools/browser) in Chromium, shows the median with its spread, and leaves the
// runs as samples of a metric with the platform, where one runs.
#include "cli/lighthouse.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

struct LighthouseOptions {
  std::filesystem::path state;
  std::string url;
  std::size_t runs = 5;
  std::optional<double> min_score;  // of the median
  bool desktop = false;             // else a telephone on a slow network
  bool insecure = false;            // certificates are not checked
  bool record = true;               // with the platform, as a metric
  bool json = false;
};

constexpr std::chrono::seconds kRunTime{180};  // of one run; a loaded machine takes half a minute
constexpr std::size_t kLineBytes = 64 << 10;

Result<platform::BrowserTools> find_needed() {
  auto found = platform::find_browser_tools();
  if (found.tools.empty()) {
    return Error{Errc::kNotFound,
                 "Lighthouse is not installed: `make browser` in the checkout installs it into tools/browser (npm ci); "
                 "SECUREBASE_BROWSER_TOOLS names another folder"};
  }
  if (found.node.empty()) {
    return Error{Errc::kNotFound, "node is not installed; Lighthouse needs version 18.16 or newer: apt install nodejs"};
  }
  if (found.chromium.empty()) {
    return Error{Errc::kNotFound, "Chromium is not installed: apt install chromium; CHROMIUM names another browser"};
  }
  return found;
}

// A child whose standard output is read line by line; what it says on standard error is shown as it comes. Its own
// process group, so that the browser goes with it.
class Runner {
 public:
  static Result<Runner> start(const platform::BrowserTools& needed, const LighthouseOptions& options) {
    const std::string script = (needed.tools / "lighthouse.mjs").native();
    const std::string count = std::to_string(options.runs);
    const char* const argv[] = {needed.node.c_str(),
                                script.c_str(),
                                options.url.c_str(),
                                count.c_str(),
                                needed.chromium.c_str(),
                                options.desktop ? "desktop" : "mobile",
                                options.insecure ? "insecure" : "strict",
                                nullptr};
    int ends[2];
    if (pipe(ends) != 0) return system_error(errno, "pipe", "lighthouse");
    const pid_t child = fork();
    if (child < 0) return system_error(errno, "fork", needed.node);
    if (child == 0) {
      setpgid(0, 0);
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      execv(needed.node.c_str(), const_cast<char* const*>(argv));
      _exit(127);
    }
    close(ends[1]);
    return Runner(child, ends[0]);
  }
  Runner(Runner&& other) noexcept : child_(std::exchange(other.child_, -1)), output_(other.output_) {}
  Runner& operator=(Runner&&) = delete;
  ~Runner() {
    if (child_ < 0) return;
    kill(-child_, SIGKILL);
    static_cast<void>(finish());
  }

  // The next line; nullopt: it has said all.
  Result<std::optional<std::string>> line() {
    const auto end = std::chrono::steady_clock::now() + kRunTime;
    for (;;) {
      if (const auto at = text_.find('\n'); at != std::string::npos) {
        std::string line = text_.substr(0, at);
        text_.erase(0, at + 1);
        return std::optional(std::move(line));
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      pollfd ready{output_, POLLIN, 0};
      if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) == 0) {
        return Error{Errc::kTimeout, fmt::format("a run of Lighthouse did not end within {} s", kRunTime.count())};
      }
      char bytes[4096];
      const auto got = read(output_, bytes, sizeof bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::optional<std::string>();
      text_.append(bytes, static_cast<std::size_t>(got));
      if (text_.size() > kLineBytes) return Error{Errc::kLimit, "Lighthouse said more than a line can hold"};
    }
  }
  // Its exit code.
  int finish() {
    close(output_);
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) continue;
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  Runner(pid_t child, int output) : child_(child), output_(output) {}
  pid_t child_;
  int output_;
  std::string text_;
};

Result<std::vector<LighthouseRun>> run_all(const LighthouseOptions& options) {
  auto needed = find_needed();
  if (!needed) return needed.error();
  auto runner = Runner::start(*needed, options);
  if (!runner) return runner.error();
  std::vector<LighthouseRun> runs;
  for (;;) {
    auto line = runner->line();
    if (!line) return line.error();
    if (!*line) break;
    auto run = lighthouse_run(**line);
    if (!run) return run.error();
    runs.push_back(*run);
    if (!options.json) fmt::print(stderr, "run {} of {}: {}\n", runs.size(), options.runs, run->score);
  }
  const int code = runner->finish();
  if (code != 0 || runs.size() < options.runs) {
    return Error{Errc::kUnavailable, fmt::format("Lighthouse ended with {} after {} of {} runs of {}", code,
                                                 runs.size(), options.runs, options.url)};
  }
  return runs;
}

Result<Done> record(const LighthouseOptions& options, const base::Json& report) {
  auto question = base::Json::object({{"url", options.url}, {"scores", report["scores"]}});
  auto answer = platform::Control(options.state).ask("/lighthouse", question);
  if (!answer) return answer.error();
  return Done{};
}

// kFailed also when the median is below the wanted score.
int lighthouse(const LighthouseOptions& options) {
  auto runs = run_all(options);
  if (!runs) return fail(runs.error());
  const auto report = lighthouse_json(options.url, *runs, options.min_score);
  if (options.json) {
    fmt::print("{}\n", report.dump(2));
  } else {
    fmt::print("{}", render_lighthouse(options.url, *runs, options.min_score));
  }
  std::fflush(stdout);
  if (options.record) {
    if (auto recorded = record(options, report); !recorded) {
      fmt::print(stderr, "not recorded as a metric: {}\n", recorded.error().message);
    }
  }
  return !options.min_score || report["pass"].bool_or(false) ? kDone : kFailed;
}

}  // namespace

void add_lighthouse_command(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<LighthouseOptions>();
  auto* command = app.add_subcommand(
      "lighthouse",
      "Lighthouse's performance score of a page in Chromium: the median of several runs, with its spread");
  command->add_option("url", options->url, "The page")->required()->type_name("URL");
  command->add_option("--runs", options->runs, "How often")->check(CLI::Range(1, 100))->capture_default_str();
  command->add_option("--min-score", options->min_score, "Exit with 1 when the median is below this")
      ->check(CLI::Range(0, 100));
  command->add_flag("--desktop", options->desktop, "A desktop rather than a telephone");
  command->add_flag("--insecure", options->insecure, "Do not check certificates");
  command->add_flag("!--no-record", options->record, "Keep no metric: SecureBase/Performance LighthousePerformance");
  command->add_flag("--json", options->json, "For programs");
  add_state_option(*command, state);
  command->callback([options, &state, &chosen] {
    options->state = state;
    chosen = [options] { return lighthouse(*options); };
  });
}

}  // namespace securebase::cli
