// up: runs the platform until it is told to end.
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/descriptor.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/version.h"

namespace securebase::cli {

namespace {

// The signals that ask for the end are waited for rather than handled; blocked before any thread begins, so that all
// inherit it. A hang-up that is ignored (nohup) stays so: blocked it would be heard.
sigset_t block_ending_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  struct sigaction hang_up {};
  if (sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) sigaddset(&ending, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ending;
}

// Hears these signals on a thread of its own: the first asks for an orderly end, also of a start that is under way, the
// second ends the process at once. What was acknowledged is on disk, and the warden ends the children.
class EndingSignals {
 public:
  explicit EndingSignals(platform::Interruption& interruption)
      : signals_(block_ending_signals()), interruption_(interruption), thread_([this] { hear(); }) {}
  ~EndingSignals() {
    deaf_ = true;
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
    if (asking_.joinable()) asking_.join();
  }

  // Blocks until one has come.
  void wait() {
    std::unique_lock lock(mutex_);
    heard_.wait(lock, [this] { return first_ != 0; });
  }

 private:
  void hear() {
    for (int signal = 0; sigwait(&signals_, &signal) == 0 && !deaf_;) {
      if (first_ != 0) {
        fmt::print("{} again: ended at once\n", word_for(signal));
        std::fflush(stdout);
        std::_Exit(128 + signal);
      }
      fmt::print("\n{}: stopping\n", word_for(signal));
      std::fflush(stdout);
      asking_ = std::thread([this] { interruption_.ask(); });
      const std::lock_guard lock(mutex_);
      first_ = signal;
      heard_.notify_all();
    }
  }

  static std::string_view word_for(int signal) { return signal == SIGINT ? "interrupted" : "asked to end"; }

  const sigset_t signals_;
  platform::Interruption& interruption_;
  std::atomic<bool> deaf_{false};
  std::mutex mutex_;
  std::condition_variable heard_;
  std::atomic<int> first_{0};
  std::thread asking_;  // of thread_, until that has ended
  std::thread thread_;
};

void say_welcome(const base::Json& status, std::chrono::milliseconds took) {
  const auto row = [](std::string_view name, std::string_view text) {
    fmt::print("  {} {}\n", styled(fmt::format("{:<12}", name), Style::kDim), text);
  };
  const auto& addresses = status["addresses"];
  fmt::print("\n{}\n\n", styled(fmt::format("SecureBase {} is up", kVersion), Style::kBold));
  row("portal, API", fmt::format("{}   {}", addresses["http"].string_or(""), addresses["https"].string_or("")));
  row("AWS APIs", addresses["aws"].string_or(""));
  row("operator", fmt::format("{}/metrics   /healthz", addresses["operator"].string_or("")));
  if (const auto* text = addresses["postgres"].as_string()) row("PostgreSQL", *text);
  if (const auto* text = addresses["redis"].as_string()) row("Redis", *text);
  row("state", status["state"].string_or(""));
  row("credentials", command_for_credentials(status["state"].string_or("")));
  if (const auto* commands = status["try"].as_array(); commands && !commands->empty()) {
    fmt::print("\n  Try\n");
    for (const auto& command : *commands) fmt::print("    {}\n", command.string_or(""));
  }
  fmt::print("\n  Ready after {:.1f} s. Ctrl-C stops everything.\n", static_cast<double>(took.count()) / 1000);
  std::fflush(stdout);
}

}  // namespace

int up(const platform::Settings& settings) {
  base::raise_descriptor_limit();
  platform::Interruption interruption;
  EndingSignals ending(interruption);
  const auto begin = std::chrono::steady_clock::now();
  auto started = platform::Platform::start(
      settings,
      [](std::string_view line) {
        fmt::print("{}\n", line);
        std::fflush(stdout);
      },
      &interruption);
  if (!started && interruption.asked()) return kDone;  // as it was asked to
  if (!started) return fail(started.error());
  auto& platform = **started;
  say_welcome(platform.status(),
              std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin));

  ending.wait();
  platform.stop();
  return kDone;
}

}  // namespace securebase::cli
