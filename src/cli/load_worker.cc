#include "cli/load_worker.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <memory>

#include "base/file.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

struct WorkerOptions {
  std::string listen = "127.0.0.1:8089";
  std::filesystem::path token_file;
};

int serve(const WorkerOptions& options) {
  auto address = net::Address::parse(options.listen);
  if (!address) {
    fail(address.error());
    return kUsage;
  }
  auto token = read_token(options.token_file);
  if (!token) return fail(token.error());
  // Before any thread is made, so that all of them leave these signals to sigwait.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  auto worker = load::LoadWorker::start(*address, std::move(*token));
  if (!worker) return fail(worker.error());
  fmt::print("waits for load tests on port {}; Ctrl-C ends it\n", (*worker)->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  return kDone;
}

}  // namespace

void add_fleet_options(CLI::App& command, FleetOptions& options) {
  command
      .add_option(
          "--worker", options.workers,
          "HOST:PORT of a machine that runs `securebase load worker`; repeated, each takes a share of the load and "
          "this machine none")
      ->type_name("ADDRESS");
  command.add_option("--token-file", options.token_file, "What the workers ask for; else $SECUREBASE_LOAD_TOKEN")
      ->type_name("FILE");
}

Result<std::string> read_token(const std::filesystem::path& file) {
  constexpr std::size_t kFewest = 16;
  if (file.empty()) {
    const char* said = std::getenv("SECUREBASE_LOAD_TOKEN");
    const std::string token = said ? said : "";
    if (!token.empty() && token.size() < kFewest) {
      return Error{Errc::kMalformed,
                   fmt::format("$SECUREBASE_LOAD_TOKEN: a token has at least {} characters", kFewest)};
    }
    return token;
  }
  auto text = base::read_file(file, 4096);
  if (!text) return text.error();
  auto token = text->substr(0, text->find_first_of("\r\n"));
  if (token.size() < kFewest) {
    return Error{Errc::kMalformed, fmt::format("{}: a token has at least {} characters", file.native(), kFewest)};
  }
  return token;
}

Result<load::Fleet> read_fleet(const FleetOptions& options) {
  load::Fleet fleet;
  for (const auto& text : options.workers) {
    auto address = net::Address::parse(text);
    if (!address) return address.error();
    fleet.workers.push_back(std::move(*address));
  }
  auto token = read_token(options.token_file);
  if (!token) return token.error();
  fleet.token = std::move(*token);
  return fleet;
}

void add_load_worker_command(CLI::App& load, Chosen& chosen) {
  auto options = std::make_shared<WorkerOptions>();
  auto* command = load.add_subcommand("worker", "Wait for load tests of another machine, and generate a share of them");
  command->footer(
      "A worker sends what it is told to, to whomever: it listens on loopback, or asks for a token. What it is told "
      "holds\n"
      "the requests' credentials and travels in clear: between machines, by a network of your own or an SSH tunnel.");
  command->add_option("--listen", options->listen, "Where")->type_name("ADDRESS")->capture_default_str();
  command->add_option("--token-file", options->token_file, "What it asks for; else $SECUREBASE_LOAD_TOKEN")
      ->type_name("FILE");
  command->callback([=, &chosen] { chosen = [=] { return serve(*options); }; });
}

}  // namespace securebase::cli
