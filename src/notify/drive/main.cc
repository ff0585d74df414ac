// Notifications without the platform around them, for tests/notify_test.py: one JSON line in, one out.
//
//   {"op": "Publish", "input": {"TopicArn": "...", "Message": "..."}}   any operation of SNS
//   {"op": "status"} {"op": "dead-letters"} {"op": "redrive"} {"op": "purge"} {"op": "confirm", "arn": "..."}
//
// The unsigned addresses are served on --port. Functions are a table of names: those that end in "-bad" fail.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <map>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "net/http/server.h"
#include "notify/api.h"
#include "notify/notify.h"

namespace {

using namespace securebase;  // NOLINT

class Door final : public http::Handler {
 public:
  notify::Notify* notify = nullptr;
  net::Task<http::Response> answer(http::Request& request) override {
    if (notify->recognises(request)) co_return co_await notify->answer(request);
    http::Response response;
    response.status = 404;
    co_return response;
  }
};

// Writes the events that functions get into a file, a line each.
class Recorder final : public functions::Invoker {
 public:
  explicit Recorder(std::filesystem::path file) : file_(std::move(file)) {}
  net::Task<functions::InvokeOutcome> invoke(std::string function, std::string event,
                                             functions::InvokeOptions) override {
    functions::InvokeOutcome outcome;
    std::ofstream(file_, std::ios::app) << event << std::endl;
    outcome.kind =
        function.ends_with("-bad") ? functions::InvokeOutcome::Kind::kNotFound : functions::InvokeOutcome::Kind::kOk;
    outcome.payload = "null";
    co_return outcome;
  }
  bool knows(std::string_view) const override { return true; }

 private:
  const std::filesystem::path file_;
};

aws::Value from_json(const base::Json& json) {
  if (const auto* object = json.as_object()) {
    aws::Value value = aws::Value::structure();
    for (const auto& [name, member] : *object) {
      if (name == "BinaryValue") {
        value.set(name, aws::Blob{base::from_base64(member.string_or("")).value_or("")});
      } else {
        value.set(name, from_json(member));
      }
    }
    return value;
  }
  if (const auto* array = json.as_array()) {
    aws::Value value = aws::Value::list();
    for (const auto& one : *array) value.push_back(from_json(one));
    return value;
  }
  if (const auto* text = json.as_string()) return *text;
  if (json.is_bool()) return json.bool_or(false);
  if (json.is_integer()) return json.integer_or(0);
  return nullptr;
}

base::Json to_json(const aws::Value& value) {
  if (value.is_structure()) {
    base::Json json = base::Json::object();
    for (const auto& [name, member] : value.members()) json.set(name, to_json(member));
    return json;
  }
  if (value.is_list()) {
    base::Json json = base::Json::array();
    for (const auto& one : value.elements()) json.push_back(to_json(one));
    return json;
  }
  if (value.is_bool()) return value.bool_or(false);
  if (value.is_integer()) return value.integer_or(0);
  if (const auto* text = value.as_string()) return *text;
  return nullptr;
}

base::Json status_of(notify::Notify& notify) {
  const auto status = notify.status();
  base::Json subscriptions = base::Json::array();
  for (const auto& one : status.subscriptions) {
    subscriptions.push_back(base::Json::object({{"arn", one.arn},
                                                {"endpoint", one.endpoint},
                                                {"format", one.format},
                                                {"confirmed", one.confirmed},
                                                {"waiting", std::uint64_t{one.waiting}},
                                                {"trouble", one.trouble}}));
  }
  base::Json troubles = base::Json::array();
  for (const auto& one : status.troubles) troubles.push_back(one);
  return base::Json::object({{"waiting", std::uint64_t{status.waiting}},
                             {"dead", std::uint64_t{status.dead_letters}},
                             {"subscriptions", std::move(subscriptions)},
                             {"troubles", std::move(troubles)}});
}

base::Json letters_of(notify::Notify& notify) {
  base::Json letters = base::Json::array();
  for (const auto& one : notify.dead_letters()) {
    letters.push_back(base::Json::object({{"id", one.id},
                                          {"subscription", one.subscription_arn},
                                          {"message", one.message_id},
                                          {"reason", one.reason},
                                          {"attempts", one.attempts}}));
  }
  return letters;
}

base::Json counted(const Result<std::size_t>& count) {
  if (!count) return base::Json::object({{"error", count.error().message}});
  return base::Json::object({{"count", std::uint64_t{*count}}});
}

class Driver {
 public:
  explicit Driver(notify::Notify& notify) : notify_(notify) {
    for (auto& [name, handler] : notify::operations_of(notify)) handlers_.emplace(name, std::move(handler));
  }

  base::Json obey(const base::Json& order) {
    const std::string operation(order["op"].string_or(""));
    if (operation == "status") return status_of(notify_);
    if (operation == "dead-letters") return letters_of(notify_);
    if (operation == "redrive") return counted(notify_.redrive(std::nullopt));
    if (operation == "purge") return counted(notify_.purge(std::nullopt));
    if (operation == "confirm") {
      const auto done = notify_.confirm(order["arn"].string_or(""));
      return done ? base::Json::object() : base::Json::object({{"error", done.error().code}});
    }
    const auto handler = handlers_.find(operation);
    if (handler == handlers_.end()) return base::Json::object({{"error", "no such operation"}});
    const aws::Identity identity{"AKIA", "123456789012", "arn:aws:iam::123456789012:root", "123456789012"};
    const http::Request request;
    aws::Call call{"sns",
                   operation,
                   identity,
                   "us-east-1",
                   "123456789012",
                   "id",
                   base::system_clock().now(),
                   from_json(order["input"]),
                   request};
    auto outcome = handler->second(call);
    if (!outcome) return base::Json::object({{"error", outcome.error().code}, {"message", outcome.error().message}});
    return to_json(outcome->output);
  }

 private:
  notify::Notify& notify_;
  std::map<std::string, aws::Handler> handlers_;
};

int fail(const Error& error) {
  std::cerr << "notify_drive: " << error.message << std::endl;
  return 1;
}

}  // namespace

// notify_drive STATE PORT AUTHORITY_PEM AUTHORITY_KEY_PEM; the relay is in the environment.
int main(int count, char** arguments) {
  if (count != 5) return fail({Errc::kMalformed, "usage: notify_drive STATE PORT AUTHORITY_PEM AUTHORITY_KEY_PEM"});
  const std::filesystem::path state = arguments[1];
  const auto port = static_cast<std::uint16_t>(std::atoi(arguments[2]));
  auto certificate = base::read_file(arguments[3]);
  auto key = base::read_file(arguments[4]);
  if (!certificate || !key) return fail(certificate ? key.error() : certificate.error());
  std::map<std::string, std::string> environment;
  for (const char* name : {"HOST", "PORT", "TLS", "USER", "PASSWORD", "FROM"}) {
    const auto whole = std::string("SECUREBASE_SMTP_") + name;
    if (const char* value = std::getenv(whole.c_str())) environment[whole] = value;
  }
  auto relay = notify::relay_from(environment, nullptr);
  if (!relay) return fail(relay.error());

  net::Workers workers(1);
  net::Pool pool(4, 1024);
  Recorder recorder(state / "events.jsonl");
  notify::Settings settings;
  settings.directory = state / "notify";
  settings.logs = state / "logs";
  settings.public_url = fmt::format("http://127.0.0.1:{}", port);
  settings.authority = {*certificate, *key};
  settings.relay = *relay;
  settings.limits.attempt_time = std::chrono::seconds(2);
  auto made = notify::Notify::make(settings, {workers[0], pool, &recorder, nullptr, base::system_clock()});
  if (!made) return fail(made.error());
  auto& notify = **made;
  Door door;
  door.notify = &notify;
  http::ServerSettings listening;
  listening.address.host = "127.0.0.1";
  listening.address.port = port;
  auto server = http::Server::start(listening, workers, door);
  if (!server) return fail(server.error());
  notify.start();
  Driver driver(notify);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const auto order = base::Json::parse(line);
    std::cout << (order ? driver.obey(*order) : base::Json::object({{"error", "no JSON"}})).dump() << std::endl;
  }
  (*server)->drain();
  server->reset();
  notify.stop();
  workers.stop();
  return 0;
}
