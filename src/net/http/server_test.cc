// The server over real loopback connections, spoken to in raw bytes.
#include "net/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "net/event.h"

namespace securebase::http {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A blocking client that says bytes and reads bytes.
class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer) ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval patience{10, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Client() { ::close(descriptor_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void say(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Reads until `ending` has come, or the end.
  std::string hear(std::string_view ending = {}) {
    std::string heard;
    char buffer[4096];
    while (ending.empty() || heard.find(ending) == std::string::npos) {
      const auto got = ::recv(descriptor_, buffer, sizeof buffer, 0);
      if (got < 0) heard += "<error>";
      if (got <= 0) break;
      heard.append(buffer, static_cast<std::size_t>(got));
    }
    return heard;
  }
  // Up to so many bytes, as they come.
  std::size_t hear_some(std::size_t bytes) {
    std::string buffer(bytes, '\0');
    std::size_t heard = 0;
    while (heard < bytes) {
      const auto got = ::recv(descriptor_, buffer.data(), bytes - heard, 0);
      if (got <= 0) break;
      heard += static_cast<std::size_t>(got);
    }
    return heard;
  }

 private:
  int descriptor_;
};

// Counts up to `pieces` pieces of 1000 bytes.
class CountedPieces final : public BodyReader {
 public:
  CountedPieces(std::size_t pieces, std::atomic<std::size_t>& made) : left_(pieces), made_(made) {}
  net::Task<Result<std::string_view>> next() override {
    if (left_ == 0) co_return std::string_view{};
    --left_;
    ++made_;
    co_return std::string_view(piece_);
  }

 private:
  std::size_t left_;
  std::atomic<std::size_t>& made_;
  const std::string piece_ = std::string(1000, 'p');
};

class Failing final : public BodyReader {
 public:
  net::Task<Result<std::string_view>> next() override { co_return Error{Errc::kMalformed, "a bad chunk"}; }
};

class Example final : public Handler {
 public:
  bool answer_now(const Request& request, Response& response) override {
    if (request.path == "/part") {
      response.body = many_->body.part(10, 60'000);
      return true;
    }
    if (request.path != "/now" && request.path != "/many") return false;
    response.prepared = request.path == "/now" ? prepared_ : many_;
    response.headers.add("Age", "7");
    return true;
  }

  net::Task<Response> answer(Request& request) override {
    Response response;
    if (request.path == "/echo") {
      std::string body;
      if (request.body) {
        auto all = co_await read_all(*request.body, 100 << 20);
        if (!all) co_return response;
        body = *all;
      }
      response.headers.add("X-Target", request.target);
      response.body = Body(body);
    } else if (request.path == "/stream") {
      response.body = Body(std::make_unique<CountedPieces>(3, made));
    } else if (request.path == "/length") {
      response.body = Body(std::make_unique<CountedPieces>(3, made), 3000);
    } else if (request.path == "/lies") {
      response.body = Body(std::make_unique<CountedPieces>(3, made), 3001);
    } else if (request.path == "/fails") {
      response.body = Body(std::make_unique<Failing>());
    } else if (request.path == "/large") {
      response.body = Body(std::string(8 << 20, 'l'));
    } else if (request.path == "/endless") {
      response.body = Body(std::make_unique<CountedPieces>(SIZE_MAX, made));
    } else if (request.path == "/injection") {
      response.headers.add("Location", "x\r\nSet-Cookie: a=b");
    } else if (request.path == "/sleep") {
      ++sleeping;
      auto slept = co_await net::sleep_for(request.query.empty() ? 1h : 50ms);
      if (!slept) ++cancelled;
    } else if (request.path == "/none") {
      response.status = 204;
    }
    co_return response;
  }

  std::atomic<std::size_t> made = 0;
  std::atomic<int> sleeping = 0;
  std::atomic<int> cancelled = 0;

 private:
  static std::shared_ptr<const PreparedResponse> make(SharedBytes body) {
    Headers headers;
    headers.add("Content-Type", "text/plain");
    return prepare(200, std::move(headers), std::move(body));
  }
  const std::shared_ptr<const PreparedResponse> prepared_ = make("prepared");
  const std::shared_ptr<const PreparedResponse> many_ = make(std::string(60'000, 'm') + std::string(60'000, 'n'));
};

class ServerTest : public ::testing::Test {
 protected:
  void start(ServerLimits limits = {}) {
    ServerSettings settings;
    settings.address = {"127.0.0.1", 0, ""};
    settings.limits = limits;
    auto started = Server::start(settings, workers, handler);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }
  // Says `bytes` on a new connection and reads to its end.
  std::string converse(std::string_view bytes) {
    Client client(server->port());
    client.say(bytes);
    return client.hear();
  }
  template <class Condition>
  static bool soon(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(1ms);
    return condition();
  }

  net::Workers workers{1};
  Example handler;
  std::unique_ptr<Server> server;
};

std::string get(std::string_view target, std::string_view more = "Connection: close\r\n") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(more) + "\r\n";
}

TEST_F(ServerTest, AnswersAtOnceFromAPreparedResponse) {
  start();
  const auto got = converse(get("/now"));
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\nAge: 7\r\nDate: "));
  EXPECT_THAT(got, EndsWith(" GMT\r\nConnection: close\r\n\r\nprepared"));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  std::string all;
  for (int i = 0; i < 200; ++i) all += get(i % 3 ? "/now" : "/echo?" + std::to_string(i), "");
  const auto got = converse(all + get("/echo?last"));
  std::size_t at = 0;
  for (int i = 0; i < 200; ++i) {
    at = got.find(i % 3 ? "prepared" : "X-Target: /echo?" + std::to_string(i) + "\r\n", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_NE(got.find("/echo?last", at), std::string::npos);
}

// Bodies in files end a write: what is pipelined behind them goes into the next.
TEST_F(ServerTest, PipelinedBodiesFromFilesAndOthersComeInOrder) {
  start();
  std::string all;
  std::string expected;
  const std::string many = std::string(60'000, 'm') + std::string(60'000, 'n');
  for (int i = 0; i < 20; ++i) {
    all += get("/now", "") + get("/many", "") + get("/part", "") + "HEAD /many HTTP/1.1\r\nHost: a\r\n\r\n" +
           get("/many", "");
    expected += "prepared" + many + many.substr(10, 60'000) + many;
  }
  auto got = converse(all + get("/now"));
  std::string bodies;
  for (std::size_t at = 0; at < got.size();) {
    const auto end = got.find("\r\n\r\n", at);
    ASSERT_NE(end, std::string::npos);
    const auto next = got.find("HTTP/1.1 200 OK", end);
    bodies += got.substr(end + 4, next == std::string::npos ? next : next - end - 4);
    at = next == std::string::npos ? got.size() : next;
  }
  EXPECT_TRUE(bodies == expected + "prepared");
}

TEST_F(ServerTest, GivesTheSameAnswersHoweverTheBytesAreCut) {
  start();
  const std::string bytes =
      "POST /echo?1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + get("/now", "") +
      "POST /echo?2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get("/echo?3");
  const auto without_date = [](std::string text) {
    for (std::size_t at = 0; (at = text.find("Date: ", at)) != std::string::npos;) text.erase(at, 37);
    return text;
  };
  const auto whole = without_date(converse(bytes));
  EXPECT_THAT(whole, HasSubstr("\r\n\r\nhelloHTTP"));
  EXPECT_THAT(whole, HasSubstr("\r\n\r\nabcHTTP"));
  for (std::size_t cut = 1; cut < bytes.size(); cut += 3) {
    Client client(server->port());
    client.say(bytes.substr(0, cut));
    std::this_thread::sleep_for(300us);
    client.say(bytes.substr(cut));
    EXPECT_EQ(without_date(client.hear()), whole) << "cut at " << cut;
  }
}

TEST_F(ServerTest, StreamsWithChunksOrALength) {
  start();
  const std::string chunk = "3e8\r\n" + std::string(1000, 'p') + "\r\n";
  const auto chunked = converse(get("/stream"));
  EXPECT_THAT(chunked, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(chunked, EndsWith("\r\n\r\n" + chunk + chunk + chunk + "0\r\n\r\n"));
  const auto with_length = converse(get("/length"));
  EXPECT_THAT(with_length, HasSubstr("Content-Length: 3000\r\n"));
  EXPECT_THAT(with_length, EndsWith("\r\n\r\n" + std::string(3000, 'p')));
  const auto old = converse("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(old, EndsWith("\r\n\r\n" + std::string(3000, 'p')));
}

TEST_F(ServerTest, ClosesWhenAStreamIsNotAsLongAsItSaid) {
  start();
  EXPECT_THAT(converse(get("/lies", "")), EndsWith("\r\n\r\n" + std::string(3000, 'p')));
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  start();
  const auto got = converse(
      "HEAD /now HTTP/1.1\r\nHost: a\r\n\r\nHEAD /length HTTP/1.1\r\nHost: a\r\n\r\n"
      "HEAD /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(got, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(got, HasSubstr("Content-Length: 3000\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("prepared")));
  EXPECT_THAT(got, EndsWith("\r\n\r\n"));
  EXPECT_EQ(handler.made, 0u);
}

TEST_F(ServerTest, NoContentHasNoFraming) {
  start();
  const auto got = converse(get("/none"));
  EXPECT_THAT(got, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(got, Not(HasSubstr("chunked")));
}

TEST_F(ServerTest, Http10StaysOnlyWhenAsked) {
  start();
  EXPECT_THAT(converse("GET /now HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close"));
  Client client(server->port());
  client.say("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.hear("prepared"), HasSubstr("Connection: keep-alive"));
  client.say("GET /now HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.hear(), EndsWith("prepared"));
}

TEST_F(ServerTest, RefusesAndCloses) {
  start();
  const std::vector<std::pair<std::string, int>> table = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413},
      {"GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40000, 'x') + "\r\n\r\n", 431},
      {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
  };
  for (const auto& [bytes, status] : table) {
    const auto got = converse(bytes + get("/now"));
    EXPECT_THAT(got, StartsWith("HTTP/1.1 " + std::to_string(status) + " ")) << bytes.substr(0, 60);
    EXPECT_THAT(got, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(got, Not(HasSubstr("prepared"))) << "nothing is read after a malformed request";
  }
}

TEST_F(ServerTest, BoundsChunkedBodies) {
  start({.body_bytes = 10});
  const auto got = converse(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n");
  EXPECT_THAT(got, StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, ContinuesOnlyWhenTheHandlerReads) {
  start();
  Client client(server->port());
  const std::string head = " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  client.say("POST /echo" + head);
  EXPECT_EQ(client.hear("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.say("hello");
  EXPECT_THAT(client.hear("hello"), StartsWith("HTTP/1.1 200 OK"));
  client.say("POST /unread" + head);
  const auto got = client.hear();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(got, HasSubstr("Connection: close"));
}

TEST_F(ServerTest, ReadsAwayAShortBodyAndClosesAfterALongOne) {
  start();
  const auto post = [](std::size_t bytes) {
    return "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
           std::string(bytes, 'b');
  };
  EXPECT_THAT(converse(post(100'000) + get("/now")), EndsWith("prepared"));
  const auto got = converse(post(5'000'000) + get("/now"));
  EXPECT_THAT(got, HasSubstr("Connection: close"));
  EXPECT_THAT(got, Not(HasSubstr("prepared")));
}

TEST_F(ServerTest, NeverWritesAFieldThatBreaksTheFraming) {
  start();
  const auto got = converse(get("/injection"));
  EXPECT_THAT(got, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(got, Not(HasSubstr("Set-Cookie")));
}

TEST_F(ServerTest, EndsSlowHeadsSlowBodiesAndIdleConnections) {
  start({.head_time = 60ms, .idle_time = 150ms, .body_time = 60ms});
  EXPECT_THAT(converse("GET / HT"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(converse("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhal"), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(converse(""), "");
  EXPECT_THAT(converse(get("/now", "")), EndsWith("prepared"));
}

TEST_F(ServerTest, ABodyThatFailsBeforeItsFirstByteIsABadGateway) {
  start();
  Client client(server->port());
  client.say(get("/now", "") + get("/fails", ""));
  const auto got = client.hear();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(got, HasSubstr("HTTP/1.1 502 Bad Gateway"));
  EXPECT_THAT(got, HasSubstr("Connection: close"));
}

// Of a response that is one write, a limit's worth of time passes many times over, and never without progress.
TEST_F(ServerTest, ASlowReaderGetsAllOfALargeResponse) {
  start({.body_time = 700ms});
  Client client(server->port(), 64 << 10);
  client.say(get("/large"));
  std::size_t got = 0;
  for (std::size_t step = 0; step < 20; ++step) {
    std::this_thread::sleep_for(50ms);
    got += client.hear_some(100 << 10);
  }
  got += client.hear().size();
  EXPECT_GT(got, 8U << 20);
}

TEST_F(ServerTest, ASlowReaderHoldsBackTheSender) {
  start();
  Client client(server->port(), 4096);
  client.say(get("/endless"));
  std::size_t before = 0;
  ASSERT_TRUE(soon([&] {
    const std::size_t now = handler.made;
    std::this_thread::sleep_for(20ms);
    before = handler.made;
    return now > 0 && now == before;
  }));
  EXPECT_LT(before, 20'000u) << "only what socket buffers hold has been made";
}

TEST_F(ServerTest, CancelsTheHandlerWhenTheClientGoes) {
  start();
  {
    Client client(server->port());
    client.say(get("/sleep"));
    ASSERT_TRUE(soon([&] { return handler.sleeping == 1; }));
  }
  EXPECT_TRUE(soon([&] { return handler.cancelled == 1; }));
}

TEST_F(ServerTest, DrainsRequestsUnderWayAndClosesIdleConnections) {
  start({.drain_time = 5s});
  Client idle(server->port());
  idle.say(get("/now", ""));
  idle.hear("prepared");
  Client busy(server->port());
  busy.say(get("/sleep?short", ""));
  ASSERT_TRUE(soon([&] { return handler.sleeping == 1; }));
  server->drain();
  EXPECT_EQ(idle.hear(), "");
  const auto got = busy.hear();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(got, HasSubstr("Connection: close"));
  EXPECT_EQ(handler.cancelled, 0);
}

TEST_F(ServerTest, DrainEndsWhatDoesNotEnd) {
  start({.drain_time = 30ms});
  Client client(server->port());
  client.say(get("/sleep"));
  ASSERT_TRUE(soon([&] { return handler.sleeping == 1; }));
  server->drain();
  EXPECT_EQ(handler.cancelled, 1);
}

TEST_F(ServerTest, ClosesTheOldestIdleConnectionWhenThereAreTooMany) {
  start({.connections = 2});
  Client first(server->port());
  first.say(get("/now", ""));
  first.hear("prepared");
  Client second(server->port());
  second.say(get("/now", ""));
  second.hear("prepared");
  Client third(server->port());
  third.say(get("/now", ""));
  EXPECT_THAT(third.hear("prepared"), EndsWith("prepared"));
  EXPECT_EQ(first.hear(), "");
  second.say(get("/now", ""));
  EXPECT_THAT(second.hear("prepared"), EndsWith("prepared"));
}

TEST(Server, ListensOnAllWorkersOrNone) {
  net::Workers workers(2);
  Example handler;
  ServerSettings settings;
  settings.address = {"127.0.0.1", 0, ""};
  auto server = Server::start(settings, workers, handler);
  ASSERT_TRUE(server) << server.error().message;
  for (int i = 0; i < 20; ++i) {
    Client client((*server)->port());
    client.say(get("/now"));
    EXPECT_THAT(client.hear(), EndsWith("prepared"));
  }
  // Its port is not for another server, of this process either.
  settings.address.port = (*server)->port();
  const auto second = Server::start(settings, workers, handler);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kConflict);
  settings.address = {"203.0.113.1", 1, ""};  // not ours
  EXPECT_FALSE(Server::start(settings, workers, handler));
}

}  // namespace
}  // namespace securebase::http
