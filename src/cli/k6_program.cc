#include "cli/k6_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/load_runs.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSummaryBytes = std::size_t{64} << 20;

Error missing(const fs::path& program) {
  return {Errc::kNotFound,
          fmt::format("{} is not there: it is built and installed beside securebase", program.native())};
}

// A directory of our own for the summary, gone with this.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "securebase-k6-XXXXXX").native();
    if (mkdtemp(name.data()) != nullptr) directory_ = name;
  }
  ~Scratch() {
    std::error_code failure;
    if (!directory_.empty()) fs::remove_all(directory_, failure);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& directory() const { return directory_; }

 private:
  fs::path directory_;
};

// A pair of connected sockets: one end is the child's.
struct Sockets {
  int mine = -1;
  int childs = -1;
  Sockets() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
    mine = ends[0];
    childs = ends[1];
  }
  ~Sockets() {
    close_childs();
    if (mine >= 0) close(mine);
  }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;
  void close_childs() {
    if (childs >= 0) close(childs);
    childs = -1;
  }
};

// Answers what the child asks of the platform (load/k6/platform_hops.h), until it has ended.
void answer_child(int socket, const LoadRunNote& note) {
  constexpr std::size_t kMostQuestionBytes = 1000;
  std::string question;
  while (socket >= 0 && question.size() < kMostQuestionBytes) {
    char piece[200];
    const auto got = recv(socket, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    question.append(piece, static_cast<std::size_t>(got));
    if (!question.ends_with('\n')) continue;
    const auto asked = base::Json::parse(question);
    question.clear();
    if (!asked) return;
    const auto answer = note.hops_of(std::chrono::milliseconds{(*asked)["duration_ms"].integer_or(0)},
                                     (*asked)["requests"].number_or(0))
                            .dump() +
                        "\n";
    for (std::string_view left = answer; !left.empty();) {
      const auto sent = send(socket, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return;
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
}

// Its exit code. Signals of the terminal reach the child as well, and it is the one that ends for them.
Result<int> run_child(const fs::path& program, std::vector<char*> words, const LoadRunNote& note) {
  Sockets sockets;
  std::string option = fmt::format("--platform-socket={}", sockets.childs);
  if (sockets.childs >= 0) words.push_back(option.data());
  words.push_back(nullptr);
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  static pid_t child = 0;
  child = fork();
  if (child < 0) return system_error(errno, "fork", program.native());
  if (child == 0) {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGQUIT, SIG_DFL);
    if (sockets.childs >= 0) fcntl(sockets.childs, F_SETFD, 0);
    execv(program.c_str(), words.data());
    _exit(127);
  }
  sockets.close_childs();
  std::signal(SIGTERM, [](int number) { kill(child, number); });
  answer_child(sockets.mine, note);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return system_error(errno, "waitpid", program.native());
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What the summary and the exit code say.
LoadOutcome outcome_of(const base::Json& summary, int code, const std::string& script) {
  constexpr int kThresholds = 99;
  const auto& metrics = summary["metrics"];
  const auto& durations = metrics["http_req_duration"];
  LoadOutcome outcome;
  outcome.tool = "k6";
  outcome.scenario = script == "-" ? "script" : fs::path(script).filename().native();
  const bool valid = summary["generator"]["valid"].bool_or(false) && (code == 0 || code == kThresholds);
  std::optional<bool> passed;
  outcome.requests = static_cast<std::uint64_t>(std::max<std::int64_t>(0, metrics["http_reqs"]["count"].integer_or(0)));
  outcome.errors_percent = 100 * metrics["http_req_failed"]["rate"].number_or(0);
  outcome.p50_ms = durations["p(50)"].number_or(durations["med"].number_or(0));
  outcome.p95_ms = durations["p(95)"].number_or(0);
  outcome.p99_ms = durations["p(99)"].number_or(0);
  if (const auto* all = metrics.as_object()) {
    for (const auto& [name, metric] : *all) {
      const auto* thresholds = metric["thresholds"].as_object();
      if (!thresholds) continue;
      passed = passed.value_or(true);
      for (const auto& [source, crossed] : *thresholds) {
        if (!crossed.bool_or(true)) continue;
        passed = false;
        outcome.failed_thresholds.push_back(fmt::format("{}: {}", name, source));
      }
    }
  }
  outcome.verdict = verdict_word(valid, passed);
  return outcome;
}

// The value of `--name value` or `--name=value`; "": it is not said.
std::string said(const std::vector<char*>& words, std::string_view name) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == name && i + 1 < words.size()) return words[i + 1];
    if (word.starts_with(name) && word.substr(name.size()).starts_with('=')) {
      return std::string(word.substr(name.size() + 1));
    }
  }
  return "";
}

}  // namespace

int k6_main(int argc, char** argv) {
  std::error_code failure;
  const auto program = fs::read_symlink("/proc/self/exe", failure).parent_path() / "securebase-k6";
  if (!fs::exists(program, failure)) return fail(missing(program));
  std::vector<char*> words{argv, argv + argc};

  const bool runs = std::find(words.begin(), words.end(), std::string_view("run")) != words.end();
  const LoadRunNote note(platform::default_state_directory());
  const Scratch scratch;
  if (!runs || !note.platform_is_there() || scratch.directory().empty()) {
    words.push_back(nullptr);
    execv(program.c_str(), words.data());
    return fail(system_error(errno, "execute", program.native()));
  }
  // The platform's gates rest on load tests, whoever's script it was.
  fs::path summary = said(words, "--summary-export");
  if (const char* const named = std::getenv("K6_SUMMARY_EXPORT"); summary.empty() && named) summary = named;
  std::string option;
  if (summary.empty()) {
    summary = scratch.directory() / "summary.json";
    option = "--summary-export=" + summary.native();
    words.push_back(option.data());
  }
  const auto written_before = fs::last_write_time(summary, failure);
  const bool was_there = !failure;
  const auto code = run_child(program, words, note);
  if (!code) return fail(code.error());
  // What a run before this one left is not this one's.
  const auto written = fs::last_write_time(summary, failure);
  if (failure || (was_there && written == written_before)) return *code;
  auto text = base::read_file(summary, kSummaryBytes);
  auto json = text ? base::Json::parse(*text) : Result<base::Json>(text.error());
  const auto script = std::find_if(words.begin() + 1, words.end(), [](std::string_view word) {
    return word == "-" || word.ends_with(".js") || word.ends_with(".mjs") || word.ends_with(".ts");
  });
  if (json) note.tell(outcome_of(*json, *code, script == words.end() ? "script" : *script));
  return *code;
}

}  // namespace securebase::cli
