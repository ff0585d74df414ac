#include "platform/control.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <future>

#include "net/http/client.h"
#include "net/http/server.h"
#include "platform/platform.h"

namespace securebase::platform {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAnswerBytes = std::size_t{64} << 20;  // a plan of a large stack has some megabytes
constexpr std::chrono::minutes kAnswerTime{10};              // an apply may unpack code and restart children

constexpr std::array kCodes = {Errc::kMalformed,   Errc::kNotFound, Errc::kDenied,     Errc::kConflict,
                               Errc::kLimit,       Errc::kTimeout,  Errc::kCancelled,  Errc::kClosed,
                               Errc::kUnavailable, Errc::kIo,       Errc::kUnsupported};

Errc code_named(std::string_view word) {
  for (const Errc code : kCodes) {
    if (to_string(code) == word) return code;
  }
  return Errc::kIo;
}

http::Response json_response(int status, const base::Json& json) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = json.dump();
  return response;
}

http::Response error_response(int status, const Error& error) {
  return json_response(status, base::Json::object({{"code", to_string(error.code)}, {"message", error.message}}));
}

net::Task<Result<base::Json>> ask_over(fs::path socket, std::string path, std::string question) {
  http::ClientLimits limits;
  limits.read_time = kAnswerTime;
  http::Client client(limits);
  http::ClientRequest request;
  request.origin.path = socket.native();
  request.method = http::Method::kPost;
  request.target = std::move(path);
  request.headers.add("Host", "securebase");
  request.headers.add("Content-Type", "application/json");
  request.body = std::move(question);
  auto response = co_await client.send(std::move(request));
  if (!response) co_return response.error();
  std::string text;
  if (response->body) {
    auto read = co_await http::read_all(*response->body, kAnswerBytes);
    if (!read) co_return read.error();
    text = std::move(*read);
  }
  auto answer = base::Json::parse(text);
  if (!answer) co_return answer.error().within("the platform's answer");
  if (response->status == 200) co_return std::move(*answer);
  co_return Error{code_named((*answer)["code"].string_or("")), std::string((*answer)["message"].string_or(""))};
}

net::Task<void> keep(net::Task<Result<base::Json>> asked, Result<base::Json>& answer) {
  answer = co_await std::move(asked);
}

}  // namespace

fs::path control_socket(const fs::path& state) { return state / "control.sock"; }

struct ControlServer::Impl final : http::Handler {
  Impl(net::Worker& worker, Answerers answerers) : worker(worker), answerers(std::move(answerers)) {}

  net::Task<http::Response> answer(http::Request& request) override {
    const std::string path(request.path);
    auto found = answerers.at_once.find(path);
    const bool at_once = found != answerers.at_once.end();
    if (!at_once) found = answerers.in_turn.find(path);
    if (request.method != http::Method::kPost || (!at_once && found == answerers.in_turn.end())) {
      co_return error_response(404, {Errc::kNotFound, fmt::format("the platform has no answer for {}; is the command "
                                                                  "line of the same version?",
                                                                  request.path)});
    }
    std::string text = "null";
    if (request.body) {
      auto read = co_await http::read_all(*request.body, kAnswerBytes);
      if (!read) co_return error_response(400, read.error());
      if (!read->empty()) text = std::move(*read);
    }
    auto question = base::Json::parse(text);
    if (!question) co_return error_response(400, question.error());
    auto made = co_await (at_once ? many : one).run([&] { return found->second(*question); });
    if (!made) co_return error_response(503, made.error());
    if (!*made) co_return error_response(422, made->error());
    co_return json_response(200, **made);
  }

  net::Worker& worker;
  const Answerers answerers;
  net::Pool one{1, 16};
  net::Pool many{8, 64};
  // Worker only.
  std::unique_ptr<http::WorkerServer> server;
  fs::path socket;
};

ControlServer::ControlServer(net::Worker& worker, Answerers answerers)
    : impl_(std::make_unique<Impl>(worker, std::move(answerers))) {}

ControlServer::~ControlServer() { stop(); }

Result<Done> ControlServer::start(const fs::path& socket) {
  if (unlink(socket.c_str()) != 0 && errno != ENOENT) return system_error(errno, "unlink", socket.native());
  std::promise<Result<Done>> started;
  impl_->worker.post([this, &socket, &started] {
    http::ServerSettings settings;
    settings.address.path = socket.native();
    settings.limits.body_bytes = kAnswerBytes;
    settings.limits.body_time = kAnswerTime;
    settings.trace_requests = false;
    auto server = http::WorkerServer::start(std::move(settings), *impl_);
    if (!server) {
      started.set_value(server.error());
      return;
    }
    impl_->server = std::move(*server);
    started.set_value(Done{});
  });
  auto outcome = started.get_future().get();
  if (!outcome) return outcome.error().within("the control socket");
  impl_->socket = socket;
  if (chmod(socket.c_str(), 0600) != 0) return system_error(errno, "chmod", socket.native());
  return Done{};
}

namespace {

net::Task<void> drain(http::WorkerServer& server, std::promise<void>& done) {
  co_await server.drain();
  done.set_value();
}

}  // namespace

void ControlServer::stop() {
  if (impl_->socket.empty()) return;
  unlink(impl_->socket.c_str());
  impl_->socket.clear();
  std::promise<void> drained;
  impl_->worker.post([this, &drained] { impl_->worker.tasks().spawn(drain(*impl_->server, drained)); });
  drained.get_future().wait();
  std::promise<void> gone;
  impl_->worker.post([this, &gone] {
    impl_->server.reset();
    gone.set_value();
  });
  gone.get_future().wait();
}

Control::Control(fs::path state) : state_(std::move(state)) {}

Result<base::Json> Control::ask(std::string_view path, const base::Json& question) const {
  const fs::path socket = control_socket(fs::absolute(state_));
  const Error nobody{
      Errc::kUnavailable,
      fmt::format("no platform runs on {}; start one with `securebase up DIR`, or name its state directory "
                  "with --state",
                  state_.native())};
  if (access(socket.c_str(), F_OK) != 0) return nobody;
  if (access(socket.c_str(), R_OK | W_OK) != 0) return system_error(errno, "access", socket.native());
  net::Worker worker(0);
  Result<base::Json> answer = nobody;
  worker.run_until_done(keep(ask_over(socket, std::string(path), question.dump()), answer));
  if (!answer && answer.error().code == Errc::kUnavailable &&
      answer.error().message.find("connect") != std::string::npos) {
    return nobody;
  }
  return answer;
}

}  // namespace securebase::platform
