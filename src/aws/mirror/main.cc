// A port of AWS APIs that answers every operation of every model with what it is told to, and shows what came: for
// mirror/roundtrip_test.py, which holds both against what botocore sent and got.
//
//   PUT /-/output    the next answer's output, as JSON that has the shape of the operation asked next
//   PUT /-/fault     the next answer's fault: {"code", "message", "status", "members"}
//   GET /-/input     what the last operation got: {"service", "operation", "input"}
#include <fmt/format.h>

#include <csignal>
#include <mutex>

#include "aws/aws.h"
#include "aws/json_codec.h"
#include "aws/model.h"
#include "base/json.h"
#include "net/http/server.h"

namespace securebase::aws {
namespace {

class OneKey final : public Identities {
 public:
  std::optional<Found> find(std::string_view access_key_id) const override {
    if (access_key_id != "AKIDEXAMPLE") return std::nullopt;
    return Found{{"AKIDEXAMPLE", "123456789012", "arn:aws:iam::123456789012:root", "123456789012"},
                 "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                 "",
                 std::nullopt};
  }
};

struct Told {
  std::mutex mutex;
  std::string output = "{}";
  std::optional<Fault> fault;
  std::string input;
};

net::Task<Outcome> reflect(Told& told, const Operation& operation, Call& call) {
  Value input = std::move(call.input);
  if (call.payload) {
    auto bytes = co_await http::read_all(*call.payload, std::size_t{64} << 20);
    if (!bytes) co_return Fault{"InternalError", bytes.error().message, 500, {}};
    input.set(operation.input->payload->name, Blob{std::move(*bytes)});
  }
  const std::lock_guard lock(told.mutex);
  std::string text;
  encode_json(text, input, nullptr);
  told.input = fmt::format(R"({{"service":"{}","operation":"{}","input":{}}})", call.service, call.operation, text);
  if (told.fault) co_return *std::exchange(told.fault, std::nullopt);
  if (!operation.output) co_return Answer();
  auto output = decode_json(told.output, *operation.output);
  if (!output) co_return Fault{"InternalError", output.error().message, 500, {}};
  co_return Answer(std::move(*output));
}

class Mirror final : public http::Handler {
 public:
  Mirror(Front& front, Told& told) : front_(front), told_(told) {}

  net::Task<http::Response> answer(http::Request& request) override {
    if (!request.path.starts_with("/-/")) co_return co_await front_.answer(request);
    std::string body;
    if (request.body) {
      auto read = co_await http::read_all(*request.body, std::size_t{64} << 20);
      if (read) body = std::move(*read);
    }
    const std::lock_guard lock(told_.mutex);
    http::Response response;
    if (request.path == "/-/output") told_.output = body;
    if (request.path == "/-/input") response.body = told_.input;
    if (request.path == "/-/fault") {
      auto json = base::Json::parse(body);
      if (json) {
        told_.fault = Fault{std::string((*json)["code"].string_or("")),
                            std::string((*json)["message"].string_or("")),
                            static_cast<int>((*json)["status"].integer_or(0)),
                            {}};
      }
    }
    co_return response;
  }

 private:
  Front& front_;
  Told& told_;
};

int run() {
  Told told;
  Operations operations;
  for (const auto& service : services()) {
    for (const auto& operation : service.operations) {
      operations.add_on_worker(service.name, operation.name,
                               [&told, &operation](Call& call) { return reflect(told, operation, call); });
    }
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  const OneKey identities;
  net::Pool pool(1, 64);
  net::Workers workers(1);
  Front front({}, operations, identities, pool);
  Mirror mirror(front, told);
  http::ServerSettings settings;
  settings.address.host = "127.0.0.1";
  settings.limits.body_bytes = std::uint64_t{1} << 30;
  auto server = http::Server::start(std::move(settings), workers, mirror);
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  fmt::print("{}\n", (*server)->port());
  fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->drain();
  server->reset();
  return 0;
}

}  // namespace
}  // namespace securebase::aws

int main() { return securebase::aws::run(); }
