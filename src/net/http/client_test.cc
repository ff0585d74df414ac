// The client against the server of this room, and against origins that say raw bytes.
#include "net/http/client.h"

#include <gtest/gtest.h>

#include <set>

#include "net/event.h"
#include "net/http/response_parser.h"
#include "net/http/server.h"
#include "net/task_group.h"

namespace securebase::http {
namespace {

using namespace std::chrono_literals;
using net::Task;

TEST(ResponseParser, RefusesAmbiguousFraming) {
  const auto code = [](std::string_view bytes) {
    ResponseParser parser({});
    auto head = parser.parse(bytes, Method::kGet);
    return head ? (*head ? "head" : "more") : (head.error().code == Errc::kMalformed ? "malformed" : "other");
  };
  EXPECT_STREQ(code("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), "head");
  EXPECT_STREQ(code("HTTP/1.1 200\r\n\r\n"), "head");
  EXPECT_STREQ(code("HTTP/1.1 200 OK\r\n"), "more");
  for (const char* bytes :
       {"HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nA: b\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n",
        "HTTP/1.1 600 X\r\n\r\n", "HTTP/1.1 101 X\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"}) {
    EXPECT_STREQ(code(bytes), "malformed") << bytes;
  }
}

class Numbers final : public BodyReader {
 public:
  explicit Numbers(int count) : count_(count) {}
  Task<Result<std::string_view>> next() override {
    if (at_ == count_) co_return std::string_view{};
    auto slept = co_await net::sleep_for(0ms);
    if (!slept) co_return slept.error();
    piece_ = std::to_string(at_++) + ",";
    co_return std::string_view(piece_);
  }

 private:
  const int count_;
  int at_ = 0;
  std::string piece_;
};

class Echo final : public Handler {
 public:
  Task<Response> answer(Request& request) override {
    Response response;
    ++requests;
    ports.insert(request.peer_port);
    if (request.path == "/refuse") {
      response.status = 413;
      co_return response;
    }
    if (request.path == "/numbers") {
      response.body = Body(std::make_unique<Numbers>(50));
      co_return response;
    }
    std::string body(request.method_name);
    body.append(" ").append(request.target).append(" ").append(request.authority).append(" ");
    if (request.content_length) body += "length ";
    if (request.body) {
      auto all = co_await read_all(*request.body, 1 << 20);
      if (all) body += *all;
    }
    response.headers.add("X-Method", request.method_name);
    response.body = Body(body);
    co_return response;
  }
  int requests = 0;
  std::set<int> ports;
};

class ClientTest : public ::testing::Test {
 public:
  void run(Task<void> (*test)(ClientTest&)) { worker.run_until_done(with_server(*this, test)); }

  Task<void> with_server(ClientTest& self, Task<void> (*test)(ClientTest&)) {
    ServerSettings settings;
    settings.address = {"127.0.0.1", 0, ""};
    settings.limits.drain_time = 100ms;
    auto server = WorkerServer::start(settings, self.echo);
    EXPECT_TRUE(server);
    self.port = (*server)->port();
    self.client = std::make_unique<Client>(ClientLimits{.read_time = 2s});
    co_await test(self);
    self.client.reset();
    co_await (*server)->drain();
  }

  ClientRequest request(std::string target, Method method = Method::kGet, Body body = {}) const {
    ClientRequest made;
    made.origin = {"127.0.0.1", port, ""};
    made.method = method;
    made.target = std::move(target);
    made.body = std::move(body);
    return made;
  }

  // "status body", or the error.
  static Task<std::string> text(Client& client, ClientRequest request) {
    auto response = co_await client.send(std::move(request));
    if (!response) co_return "error " + std::string(to_string(response.error().code)) + " " + response.error().message;
    std::string text = std::to_string(response->status) + " ";
    if (response->body) {
      auto all = co_await read_all(*response->body, 1 << 20);
      text += all ? *all : "error " + all.error().message;
    }
    co_return text;
  }

  net::Worker worker{0};
  Echo echo;
  std::uint16_t port = 0;
  std::unique_ptr<Client> client;
};

std::string host(ClientTest& test) { return "127.0.0.1:" + std::to_string(test.port); }

Task<std::string> text(Client& client, ClientRequest request) { return ClientTest::text(client, std::move(request)); }

Task<void> keeps_connections(ClientTest& t) {
  for (int i = 0; i < 5; ++i) {
    const auto got = co_await text(*t.client, t.request("/a?b"));
    EXPECT_EQ(got, "200 GET /a?b " + host(t) + " ");
  }
  const auto head = co_await text(*t.client, t.request("/a", Method::kHead));
  EXPECT_EQ(head, "200 ");
  EXPECT_EQ(t.echo.ports.size(), 1u);
}

Task<void> sends_bodies(ClientTest& t) {
  std::string numbers;
  for (int i = 0; i < 50; ++i) numbers += std::to_string(i) + ",";
  const auto whole = co_await text(*t.client, t.request("/", Method::kPost, Body("hello")));
  EXPECT_EQ(whole, "200 POST / " + host(t) + " length hello");
  const auto chunked = co_await text(*t.client, t.request("/", Method::kPut, Body(std::make_unique<Numbers>(50))));
  EXPECT_EQ(chunked, "200 PUT / " + host(t) + " " + numbers);
  auto with_length = t.request("/", Method::kPost, Body(std::make_unique<Numbers>(50), numbers.size()));
  const auto known = co_await text(*t.client, std::move(with_length));
  EXPECT_EQ(known, "200 POST / " + host(t) + " length " + numbers);
  const auto streamed = co_await text(*t.client, t.request("/numbers"));
  EXPECT_EQ(streamed, "200 " + numbers);
  EXPECT_EQ(t.echo.ports.size(), 1u);
  const auto lies = co_await text(*t.client, t.request("/", Method::kPost, Body(std::make_unique<Numbers>(2), 1000)));
  EXPECT_EQ(lies.substr(0, 5), "error");
  const auto early =
      co_await text(*t.client, t.request("/refuse", Method::kPost, Body(std::make_unique<Numbers>(100'000))));
  EXPECT_EQ(early.substr(0, 3), "413");
}

Task<void> refuses_bad_requests(ClientTest& t) {
  const auto target = co_await text(*t.client, t.request("/a b"));
  EXPECT_EQ(target.substr(0, 5), "error");
  auto split = t.request("/");
  split.headers.add("X", "a\r\nHost: b");
  const auto header = co_await text(*t.client, std::move(split));
  EXPECT_EQ(header.substr(0, 5), "error");
  EXPECT_EQ(t.echo.requests, 0);
}

// An origin that answers each connection with `bytes` after the head of a request, then closes.
Task<void> say(net::Listener& listener, std::string bytes, int times) {
  for (int i = 0; i < times; ++i) {
    auto stream = co_await listener.accept();
    if (!stream) co_return;
    std::string heard(4096, '\0');
    auto got = co_await (*stream)->read(heard);
    if (!got) co_return;
    iovec piece{bytes.data(), bytes.size()};
    auto sent = co_await (*stream)->write({&piece, 1});
    if (!sent) co_return;
  }
}

Task<void> reads_raw(ClientTest& t) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "200 until the end"},
      {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "2\r\n\r\nok",
       "200 ok"},
      {"HTTP/1.1 204 No Content\r\n\r\n", "204 "},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", "304 "},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "200 error the origin closed within the response's body"},
      {"", "error closed the origin closed without an answer"},
  };
  for (const auto& [bytes, expected] : table) {
    const net::Address any{"127.0.0.1", 0, ""};
    auto listener = net::Listener::open(any);
    net::TaskGroup origin;
    origin.spawn(say(**listener, bytes, 1));
    auto request = t.request("/");
    request.origin.port = (*listener)->port();
    const auto got = co_await text(*t.client, std::move(request));
    EXPECT_EQ(got, expected);
    co_await origin.close();
  }
}

Task<void> retries(ClientTest& t) {
  const net::Address any{"127.0.0.1", 0, ""};
  auto listener = net::Listener::open(any);
  net::TaskGroup origin;
  // Says that it keeps the connection, and closes it.
  origin.spawn(say(**listener, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 3));
  for (int i = 0; i < 3; ++i) {
    auto request = t.request("/");
    request.origin.port = (*listener)->port();
    const auto got = co_await text(*t.client, std::move(request));
    EXPECT_EQ(got, "200 ok");
  }
  co_await origin.close();
}

Task<void> times_out(ClientTest&) {
  Client hasty(ClientLimits{.read_time = 20ms});
  const net::Address any{"127.0.0.1", 0, ""};
  auto listener = net::Listener::open(any);
  ClientRequest request;
  request.origin = {"127.0.0.1", (*listener)->port(), ""};
  const auto got = co_await text(hasty, std::move(request));
  EXPECT_NE(got.find("not done within 20 ms"), std::string::npos) << got;
  listener->reset();
  ClientRequest refused;
  refused.origin = {"127.0.0.1", 1, ""};
  const auto unavailable = co_await text(hasty, std::move(refused));
  EXPECT_EQ(unavailable.substr(0, 17), "error unavailable");
}

TEST_F(ClientTest, KeepsConnections) { run(keeps_connections); }
TEST_F(ClientTest, SendsAndReadsBodiesHoweverTheyAreFramed) { run(sends_bodies); }
TEST_F(ClientTest, NeverSendsWhatWouldBreakTheFraming) { run(refuses_bad_requests); }
TEST_F(ClientTest, ReadsWhatOriginsSay) { run(reads_raw); }
TEST_F(ClientTest, TriesAgainWhenAKeptConnectionWasClosed) { run(retries); }
TEST_F(ClientTest, NamesTimeoutsAndRefusals) { run(times_out); }

}  // namespace
}  // namespace securebase::http
