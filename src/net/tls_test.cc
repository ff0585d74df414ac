#include "net/tls.h"

#include <gtest/gtest.h>

#include "net/http/client.h"
#include "net/http/server.h"
#include "net/task_group.h"
#include "net/worker.h"

namespace securebase::net {
namespace {

using namespace std::chrono_literals;

const Authority& authority() {
  static const Authority made = *make_authority("Test authority");
  return made;
}

std::shared_ptr<const TlsServer> make_server(std::vector<std::string> alpn = {"http/1.1"}, bool tls12 = true) {
  TlsServerSettings settings;
  for (const char* name : {"first.example", "second.example"}) {
    settings.certificates.push_back(*issue_certificate(authority(), {name, "127.0.0.1", "::1"}));
  }
  settings.alpn = std::move(alpn);
  settings.tls12 = tls12;
  return *TlsServer::make(settings);
}

std::shared_ptr<const TlsClient> make_client(std::vector<std::string> alpn = {}) {
  TlsClientSettings settings;
  settings.authorities_pem = authority().certificate_pem;
  settings.alpn = std::move(alpn);
  return *TlsClient::make(settings);
}

// What one conversation showed.
struct Shown {
  std::string error;
  std::string version;
  std::string alpn;
  bool resumed = false;
  std::size_t echoed = 0;
};

Task<void> echo(Listener& listener, const TlsServer& tls) {
  auto connection = co_await listener.accept();
  if (!connection) co_return;
  auto stream = co_await tls.accept(std::move(*connection));
  if (!stream) co_return;
  std::string buffer(50'000, '\0');
  for (;;) {
    auto got = co_await (*stream)->read(buffer);
    if (!got || *got == 0) break;
    iovec piece{buffer.data(), *got};
    auto sent = co_await (*stream)->write({&piece, 1});
    if (!sent) break;
  }
  auto ended = co_await (*stream)->shut_down();
  static_cast<void>(ended.has_value());
}

Task<void> send_and_end(Stream& stream, std::string bytes) {
  iovec pieces[3] = {{bytes.data(), 1}, {bytes.data() + 1, 9}, {bytes.data() + 10, bytes.size() - 10}};
  auto sent = co_await stream.write(pieces);
  EXPECT_TRUE(sent);
  auto ended = co_await stream.shut_down();
  EXPECT_TRUE(ended);
}

Task<void> converse(const TlsServer& server, const TlsClient& client, std::string name, Shown& shown,
                    std::size_t bytes = 1000) {
  const Address any{"127.0.0.1", 0, ""};
  auto listener = Listener::open(any);
  TaskGroup group;
  group.spawn(echo(**listener, server));
  const Address there{"127.0.0.1", (*listener)->port(), ""};
  auto connection = co_await connect(there, 5s);
  EXPECT_TRUE(connection);
  auto stream = co_await client.connect(std::move(*connection), name);
  if (!stream) {
    shown.error = stream.error().message;
  } else {
    shown.version = (*stream)->tls_version();
    shown.alpn = (*stream)->alpn();
    shown.resumed = (*stream)->resumed();
    std::string sent;
    while (sent.size() < bytes) sent += "bytes " + std::to_string(sent.size());
    group.spawn(send_and_end(**stream, sent));
    std::string got;
    std::string buffer(7'777, '\0');
    for (;;) {
      auto count = co_await (*stream)->read(buffer);
      EXPECT_TRUE(count) << count.error().message;
      if (!count || *count == 0) break;
      got.append(buffer, 0, *count);
    }
    EXPECT_TRUE(got == sent);
    shown.echoed = got.size();
  }
  co_await group.drain();
}

Shown talk(const TlsServer& server, const TlsClient& client, std::string name, std::size_t bytes = 1000) {
  Worker worker(0);
  Shown shown;
  worker.run_until_done(converse(server, client, std::move(name), shown, bytes));
  return shown;
}

TEST(Tls, CarriesMoreThanBuffersHoldBothWays) {
  const auto shown = talk(*make_server(), *make_client(), "first.example", 4'000'000);
  EXPECT_EQ(shown.error, "");
  EXPECT_EQ(shown.version, "TLSv1.3");
  EXPECT_GE(shown.echoed, 4'000'000u);
}

TEST(Tls, GoesOnFromAnEarlierSession) {
  const auto server = make_server();
  const auto client = make_client();
  EXPECT_FALSE(talk(*server, *client, "first.example").resumed);
  EXPECT_TRUE(talk(*server, *client, "first.example").resumed);
  EXPECT_FALSE(talk(*server, *client, "second.example").resumed);
  EXPECT_TRUE(talk(*server, *client, "second.example").resumed);
  EXPECT_FALSE(talk(*server, *client, "127.0.0.1").resumed);
  EXPECT_TRUE(talk(*server, *client, "127.0.0.1").resumed);
}

TEST(Tls, AgreesOnAProtocolOrRefuses) {
  EXPECT_EQ(talk(*make_server({"h2", "http/1.1"}), *make_client({"http/1.1", "h2"}), "first.example").alpn, "h2");
  EXPECT_EQ(talk(*make_server(), *make_client(), "first.example").alpn, "");
  EXPECT_NE(talk(*make_server({"h2"}), *make_client({"http/1.1"}), "first.example").error, "");
}

TEST(Tls, ChoosesTheCertificateByNameAndChecksIt) {
  EXPECT_EQ(talk(*make_server(), *make_client(), "second.example").error, "");
  EXPECT_EQ(talk(*make_server(), *make_client(), "127.0.0.1").error, "");
  EXPECT_NE(talk(*make_server(), *make_client(), "other.example").error.find("certificate verify failed"),
            std::string::npos);
  TlsClientSettings stranger;
  stranger.authorities_pem = make_authority("Another")->certificate_pem;
  EXPECT_NE(talk(*make_server(), **TlsClient::make(stranger), "first.example").error, "");
}

TEST(Tls, SettingsThatCannotWorkAreErrors) {
  EXPECT_FALSE(TlsServer::make({}));
  TlsServerSettings mixed;
  mixed.certificates.push_back(*issue_certificate(authority(), {"a"}));
  mixed.certificates[0].key_pem = issue_certificate(authority(), {"a"})->key_pem;
  EXPECT_FALSE(TlsServer::make(mixed));
  TlsClientSettings nothing;
  nothing.authorities_pem = "nothing";
  EXPECT_FALSE(TlsClient::make(nothing));
  EXPECT_FALSE(issue_certificate(authority(), {}));
  EXPECT_FALSE(issue_certificate(authority(), {"a,DNS:b"}));
}

class Hello final : public http::Handler {
 public:
  bool answer_now(const http::Request& request, http::Response& response) override {
    response.body = http::Body(std::string(request.scheme) + " " + std::string(request.tls_version));
    return true;
  }
  Task<http::Response> answer(http::Request&) override { co_return http::Response{}; }
};

// As a stored response that a plain connection would send from its file.
class Many final : public http::Handler {
 public:
  bool answer_now(const http::Request&, http::Response& response) override {
    response.prepared = prepared;
    return true;
  }
  Task<http::Response> answer(http::Request&) override { co_return http::Response{}; }

  const std::shared_ptr<const http::PreparedResponse> prepared =
      http::prepare(200, {}, std::string(500'000, 'a') + std::string(500'000, 'b'));
};

Task<void> serve_https(http::Handler& handler, std::string& got) {
  http::ServerSettings settings;
  settings.address = {"127.0.0.1", 0, ""};
  settings.tls = make_server();
  auto server = http::WorkerServer::start(settings, handler);
  EXPECT_TRUE(server);
  {
    http::Client client({}, make_client({"http/1.1"}));
    for (int i = 0; i < 3; ++i) {
      http::ClientRequest request;
      request.origin = {"127.0.0.1", (*server)->port(), ""};
      request.tls = true;
      request.server_name = "first.example";
      auto response = co_await client.send(std::move(request));
      EXPECT_TRUE(response) << response.error().message;
      if (!response) break;
      auto body = co_await http::read_all(*response->body, 2'000'000);
      EXPECT_TRUE(body);
      got = *body;
    }
  }
  co_await (*server)->drain();
}

// Answers every request of a connection with "ok", and says more than it was asked after the first.
Task<void> answer_too_much(std::unique_ptr<Stream> connection, const TlsServer& tls, int& requests) {
  auto stream = co_await tls.accept(std::move(connection));
  if (!stream) co_return;
  std::string buffer(4096, '\0');
  for (;;) {
    auto got = co_await (*stream)->read(buffer);
    if (!got || *got == 0) co_return;
    ++requests;
    for (std::string answer :
         {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"}) {
      iovec piece{answer.data(), answer.size()};
      auto sent = co_await (*stream)->write({&piece, 1});
      auto slept = co_await sleep_for(20ms);
      if (!sent || !slept) co_return;
    }
  }
}

Task<void> accept_all(Listener& listener, const TlsServer& tls, int& connections, int& requests, TaskGroup& group) {
  for (;;) {
    auto connection = co_await listener.accept();
    if (!connection) co_return;
    ++connections;
    group.spawn(answer_too_much(std::move(*connection), tls, requests));
  }
}

Task<void> ask_one_that_says_too_much(std::vector<std::string>& got, int& connections) {
  const auto server = make_server();
  const Address any{"127.0.0.1", 0, ""};
  auto listener = Listener::open(any);
  int requests = 0;
  TaskGroup group;
  group.spawn(accept_all(**listener, *server, connections, requests, group));
  {
    http::Client client({}, make_client({"http/1.1"}));
    for (int i = 0; i < 3; ++i) {
      http::ClientRequest request;
      request.origin = {"127.0.0.1", (*listener)->port(), ""};
      request.tls = true;
      request.server_name = "first.example";
      auto response = co_await client.send(std::move(request));
      EXPECT_TRUE(response);
      if (!response) break;
      auto body = co_await http::read_all(*response->body, 100);
      EXPECT_TRUE(body);
      got.push_back(*body);
      auto slept = co_await sleep_for(60ms);
      EXPECT_TRUE(slept);
    }
  }
  EXPECT_EQ(requests, 3);
  co_await group.close();
}

TEST(Tls, WhatNobodyAskedForIsNoAnswer) {
  Worker worker(0);
  std::vector<std::string> got;
  int connections = 0;
  worker.run_until_done(ask_one_that_says_too_much(got, connections));
  EXPECT_EQ(got, (std::vector<std::string>{"ok", "ok", "ok"}));
  EXPECT_EQ(connections, 3);
}

TEST(Tls, CarriesHttp) {
  Worker worker(0);
  std::string got;
  Hello hello;
  worker.run_until_done(serve_https(hello, got));
  EXPECT_EQ(got, "https TLSv1.3");
  Many many;
  worker.run_until_done(serve_https(many, got));
  EXPECT_TRUE(got == many.prepared->body.bytes());
}

}  // namespace
}  // namespace securebase::net
