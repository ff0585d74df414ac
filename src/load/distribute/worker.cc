#include "load/distribute/worker.h"

#include <fmt/format.h>

#include <mutex>
#include <thread>

#include "base/hash.h"
#include "base/random.h"
#include "load/distribute/plan.h"
#include "load/report/result.h"
#include "net/http/server.h"

namespace securebase::load {

namespace {

using base::Json;

constexpr std::size_t kPlanBytes = 16 << 20;

http::Response answer_with(int status, const Json& json) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = json.dump();
  return response;
}

http::Response refusal_of(int status, std::string_view message) {
  return answer_with(status, Json::object({{"message", message}}));
}

bool is_loopback(const net::Address& address) {
  return !address.path.empty() || address.host == "localhost" || address.host == "::1" ||
         address.host.starts_with("127.");
}

}  // namespace

struct LoadWorker::Impl final : http::Handler {
  explicit Impl(std::string token) : token(std::move(token)) {}
  ~Impl() override {
    if (server) server->drain();
    end_run();
    server.reset();
    workers.stop();
  }

  net::Task<http::Response> answer(http::Request& request) override {
    const auto given = request.headers.get("authorization").value_or("");
    if (!token.empty() && !base::equal_in_constant_time(given, "Bearer " + token)) {
      co_return refusal_of(401, "this worker asks for its token: --token-file");
    }
    const std::string path(request.path);
    if (path == "/v1/runs" && request.method == http::Method::kPost) {
      if (!request.body) co_return refusal_of(400, "a plan is expected");
      auto text = co_await http::read_all(*request.body, kPlanBytes);
      if (!text) co_return refusal_of(413, text.error().message);
      co_return begin(*text);
    }
    const std::lock_guard lock(mutex);
    if (id.empty() || path != "/v1/runs/" + id) co_return refusal_of(404, "no such run here");
    asked = std::chrono::steady_clock::now();
    if (request.method == http::Method::kDelete) {
      stop.store(true);
      claimed = false;
      co_return answer_with(202, Json::object());
    }
    co_return state();
  }

  http::Response begin(const std::string& text) {
    auto json = base::Json::parse(text);
    if (!json) return refusal_of(400, json.error().message);
    auto settings = settings_from_json(*json);
    if (!settings) return refusal_of(400, settings.error().message);
    const std::lock_guard lock(mutex);
    if (running) return refusal_of(409, "another run is under way here");
    if (claimed && outcome && std::chrono::steady_clock::now() - asked < kForgotten) {
      return refusal_of(
          409, fmt::format("the run {} has ended here and its result was not fetched: its coordinator does, or DELETE "
                           "/v1/runs/{} gives it up, or it is given up {} s after it was last asked for",
                           id, id, kForgotten.count()));
    }
    if (thread.joinable()) thread.join();
    id = base::random_hex(16);
    running = true;
    claimed = true;
    outcome.reset();
    failure.clear();
    live = {};
    asked = std::chrono::steady_clock::now();
    stop.store(false);
    thread = std::thread([this, settings = std::move(*settings)] { carry_out(settings); });
    return answer_with(202, Json::object({{"id", id}}));
  }

  void carry_out(const RunSettings& settings) {
    auto result = run(settings, stop, [this](const Live& now) {
      const std::lock_guard lock(mutex);
      live = now.progress;
      if (std::chrono::steady_clock::now() - asked > kForgotten) stop.store(true);
    });
    const std::lock_guard lock(mutex);
    if (result) {
      outcome = to_json(*result);
    } else {
      failure = result.error().message;
    }
    running = false;
  }

  // With the lock.
  http::Response state() {
    if (running) {
      return answer_with(200, Json::object({{"state", "running"},
                                            {"elapsed_ms", std::int64_t{live.elapsed.count()}},
                                            {"users", live.users},
                                            {"warming_up", live.warming_up}}));
    }
    if (!outcome) return answer_with(200, Json::object({{"state", "failed"}, {"message", failure}}));
    claimed = false;
    return answer_with(200, Json::object({{"state", "done"}, {"result", *outcome}}));
  }

  void end_run() {
    stop.store(true);
    if (thread.joinable()) thread.join();
  }

  const std::string token;
  net::Workers workers{1};
  std::unique_ptr<http::Server> server;
  std::thread thread;  // of the run
  StopFlag stop = false;

  std::mutex mutex;  // guards all below
  std::string id;
  bool running = false;
  bool claimed = false;  // its result was neither fetched nor given up
  std::optional<Json> outcome;
  std::string failure;
  Engine::Progress live;
  std::chrono::steady_clock::time_point asked;
};

Result<std::unique_ptr<LoadWorker>> LoadWorker::start(net::Address address, std::string token) {
  if (token.empty() && !is_loopback(address)) {
    return Error{Errc::kDenied,
                 fmt::format("{} is open to others, who could make this machine attack anybody: give it a "
                             "token (--token-file), or listen on 127.0.0.1",
                             address.to_string())};
  }
  auto impl = std::make_unique<Impl>(std::move(token));
  http::ServerSettings settings;
  settings.address = std::move(address);
  settings.limits.body_bytes = kPlanBytes;
  settings.trace_requests = false;
  auto server = http::Server::start(std::move(settings), impl->workers, *impl);
  if (!server) return server.error();
  impl->server = std::move(*server);
  return std::unique_ptr<LoadWorker>(new LoadWorker(std::move(impl)));
}

LoadWorker::LoadWorker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LoadWorker::~LoadWorker() = default;
std::uint16_t LoadWorker::port() const { return impl_->server->port(); }

}  // namespace securebase::load
