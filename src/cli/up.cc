// up: runs the platform until it is told to end.
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/version.h"

namespace securebase::cli {

namespace {

// SIGINT and SIGTERM are waited for rather than handled; blocked before any thread begins, so that all inherit it.
sigset_t block_ending_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ending;
}

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
  const sigset_t ending = block_ending_signals();
  const auto begin = std::chrono::steady_clock::now();
  auto started = platform::Platform::start(settings, [](std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  });
  if (!started) return fail(started.error());
  auto& platform = **started;
  say_welcome(platform.status(),
              std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin));

  int signal = 0;
  sigwait(&ending, &signal);
  fmt::print("\n{}: stopping\n", signal == SIGINT ? "interrupted" : "asked to end");
  std::fflush(stdout);
  platform.stop();
  return kDone;
}

}  // namespace securebase::cli
