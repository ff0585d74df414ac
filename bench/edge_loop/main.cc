// edge_loop PORT [BYTES]: the HTTP server alone, on one worker, answering a prepared response of BYTES (1024) at once.
// bench/edge_loop/run measures its CPU per request; what edge and gateway add comes on top.
#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>

#include "net/http/server.h"

namespace {

using namespace securebase;  // NOLINT

class Prepared final : public http::Handler {
 public:
  explicit Prepared(std::size_t bytes) {
    http::Headers headers;
    headers.add("Content-Type", "text/plain");
    response_ = http::prepare(200, std::move(headers), std::string(bytes, 'x'));
  }
  bool answer_now(const http::Request&, http::Response& response) override {
    response.prepared = response_;
    response.headers.add("Age", "10");
    return true;
  }
  net::Task<http::Response> answer(http::Request&) override { co_return http::Response{}; }

 private:
  std::shared_ptr<const http::PreparedResponse> response_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: edge_loop PORT [BYTES]\n");
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Prepared handler(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1024);
  net::Workers workers(1);
  http::ServerSettings settings;
  settings.address = {"127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1])), ""};
  auto server = http::Server::start(settings, workers, handler);
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}
