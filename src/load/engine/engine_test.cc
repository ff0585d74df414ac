#include "load/engine/engine.h"

#include <gtest/gtest.h>

#include <array>

#include "load/engine/cookies.h"
#include "net/event.h"
#include "net/stream.h"

namespace securebase::load {
namespace {

using namespace std::chrono_literals;

TEST(Url, IsTakenApart) {
  auto url = parse_url("https://Example.com/a b?c=d#e");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->origin.tls);
  EXPECT_EQ(url->origin.port, 443);
  EXPECT_EQ(url->target, "/a%20b?c=d");
  EXPECT_EQ(parse_url("http://[::1]:8080")->origin.authority(), "[::1]:8080");
  EXPECT_EQ(parse_url("http://x?q")->target, "/?q");
  for (const char* wrong :
       {"example.com", "ftp://x/", "http://", "http://u:p@x/", "http://x:0/", "http://x:99999/", "http://[::1/"}) {
    EXPECT_FALSE(parse_url(wrong)) << wrong;
  }
}

TEST(Url, IsResolvedAgainstWhereItStands) {
  const auto base = *parse_url("http://h:81/a/b/c?q");
  EXPECT_EQ(resolve_url(base, "../d?x=/..")->target, "/a/d?x=/..");
  EXPECT_EQ(resolve_url(base, "/x/./y/")->target, "/x/y/");
  EXPECT_EQ(resolve_url(base, "?z")->target, "/a/b/c?z");
  EXPECT_EQ(resolve_url(base, "//other/p")->origin.host, "other");
  EXPECT_EQ(resolve_url(base, "https://s/p")->origin.port, 443);
}

TEST(MakeRequest, FramesTheBodyAndRefusesWhatWouldBreakTheFraming) {
  const auto url = *parse_url("http://h:81/p");
  auto request = make_request("POST", url, {{"X-A", "1"}, {"content-length", "9"}}, "abc");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->head,
            "POST /p HTTP/1.1\r\nX-A: 1\r\nHost: h:81\r\nUser-Agent: securebase-load\r\nAccept: */*\r\nContent-Length: "
            "3\r\n\r\n");
  EXPECT_FALSE(make_request("GET", url, {{"X", "a\r\nY: b"}}));
  EXPECT_FALSE(make_request("GET", url, {{"X Y", "a"}}));
  EXPECT_FALSE(make_request("GE T", url, {}));
  EXPECT_FALSE(make_request("GET", url, {{"Transfer-Encoding", "chunked"}}));
}

TEST(CookieJar, SendsCookiesWhereTheyBelong) {
  CookieJar jar;
  const auto url = *parse_url("http://a.example.com/x/y");
  jar.take(url, "one=1");
  jar.take(url, "two=2; Path=/; Domain=example.com");
  jar.take(url, "three=3; Secure; Path=/");
  jar.take(url, "evil=4; Domain=other.com");
  EXPECT_EQ(jar.field_for(url), "one=1; two=2");
  EXPECT_EQ(jar.field_for(*parse_url("https://b.example.com/")), "two=2");
  EXPECT_EQ(jar.field_for(*parse_url("https://a.example.com/xy")), "two=2; three=3");
  jar.take(url, "two=; Path=/; Domain=example.com; Max-Age=0");
  jar.take(url, "one=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(jar.field_for(url), "");
  // Microsoft's servers delete so: before what nanoseconds since 1970 can say.
  jar.take(url, "old=1");
  jar.take(url, "old=gone; Expires=Mon, 01 Jan 1601 00:00:00 GMT");
  EXPECT_EQ(jar.field_for(url), "");
}

TEST(FailureOf, TellsWhatNetReportsApart) {
  EXPECT_EQ(failure_of(system_error(ECONNREFUSED, "connect", "x"), false), Failure::kRefused);
  EXPECT_EQ(failure_of(system_error(EHOSTUNREACH, "connect", "x"), false), Failure::kUnreachable);
  EXPECT_EQ(failure_of(system_error(EADDRNOTAVAIL, "connect", "x"), false), Failure::kNoPorts);
  EXPECT_EQ(failure_of(system_error(EMFILE, "socket", "x"), false), Failure::kNoDescriptors);
  EXPECT_EQ(failure_of(Error{Errc::kMalformed, "certificate"}, true), Failure::kTls);
}

// A server that answers requests with `answer` and does what `then` says; kSpeak: it says more a while after each
// answer, which nobody asked for.
enum class Then { kNext, kClose, kStall, kSpeak };

struct Server {
  std::string answer;
  std::string unasked = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  Then then = Then::kNext;
  std::unique_ptr<net::Listener> listener;
  net::TaskGroup connections;
  std::atomic<int> accepted = 0;
};

net::Task<void> serve_one(Server& server, std::unique_ptr<net::Stream> stream) {
  std::array<char, 4096> bytes;
  for (;;) {
    auto got = co_await stream->read(bytes);
    if (!got || *got == 0) co_return;
    iovec piece{server.answer.data(), server.answer.size()};
    if (!server.answer.empty()) {
      auto written = co_await stream->write({&piece, 1});
      if (!written) co_return;
    }
    if (server.then == Then::kClose) co_return;
    if (server.then == Then::kSpeak) {
      auto slept = co_await net::sleep_for(10ms);
      if (!slept) co_return;
      iovec more{server.unasked.data(), server.unasked.size()};
      auto written = co_await stream->write({&more, 1});
      if (!written) co_return;
    }
    if (server.then == Then::kStall) {
      auto slept = co_await net::sleep_for(10s);
      if (!slept) co_return;
    }
  }
}

net::Task<void> serve(Server& server) {
  for (;;) {
    auto stream = co_await server.listener->accept();
    if (!stream) co_return;
    ++server.accepted;
    server.connections.spawn(serve_one(server, std::move(*stream)));
  }
}

net::Task<void> end(Server& server) {
  server.listener->close();
  co_await server.connections.close();
}

// On a thread of its own, as it stays free when the engine's threads are busy.
class Served {
 public:
  Served(std::string answer, Then then, const char* address = "127.0.0.1:0") : workers_(1) {
    server_.answer = std::move(answer);
    server_.then = then;
    workers_.on_each([&](net::Worker& worker) {
      server_.listener = *net::Listener::open(*net::Address::parse(address));
      worker.tasks().spawn(serve(server_));
    });
  }
  ~Served() {
    workers_.on_each([&](net::Worker& worker) { worker.tasks().spawn(end(server_)); });
    workers_.stop();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.listener->port()) + "/"; }
  int accepted() const { return server_.accepted; }

 private:
  net::Workers workers_;
  Server server_;
};

// Asks once or several times, and keeps what came.
class Asking final : public Flow {
 public:
  struct Heard {
    std::mutex mutex;
    std::vector<Answer> answers;
  };
  Asking(Request request, Limits limits, int times, Heard& heard, std::chrono::milliseconds pause = {})
      : request_(std::move(request)), limits_(limits), times_(times), heard_(heard), pause_(pause) {}
  net::Task<void> walk(Session& session) override {
    for (int i = 0; i < times_; ++i) {
      auto answer = co_await session.send(request_, Keep::kAll, limits_);
      {
        const std::lock_guard lock(heard_.mutex);
        heard_.answers.push_back(std::move(answer));
      }
      if (pause_ > pause_.zero()) static_cast<void>(co_await session.think(pause_));
    }
  }
  void skipped(const Arrival&) override {}

 private:
  const Request request_;
  const Limits limits_;
  const int times_;
  Heard& heard_;
  const std::chrono::milliseconds pause_;
};

std::vector<Answer> ask(const std::string& url, Limits limits, int times = 1, std::optional<std::size_t> pool = {},
                        std::uint64_t users = 1, std::optional<std::chrono::nanoseconds> grace = {},
                        const HeaderList& headers = {}, std::chrono::milliseconds pause = {}) {
  Collector collector(base::system_clock());
  Phase phase;
  phase.kind = Phase::Kind::kCount;
  phase.count = users;
  EngineSettings settings;
  settings.phases = {phase};
  settings.pool = pool;
  settings.limits = limits;
  settings.grace = grace;
  Asking::Heard heard;
  const auto request = *make_request("GET", *parse_url(url), headers);
  auto engine = Engine::make(settings, collector, [&](WorkerContext&, std::size_t) {
    return std::make_unique<Asking>(request, limits, times, heard, pause);
  });
  EXPECT_TRUE(engine);
  (*engine)->run({});
  return std::move(heard.answers);
}

constexpr const char* kHello = "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello";

TEST(Engine, SendsOverOneConnectionAndTellsTheTimes) {
  Served served(kHello, Then::kNext);
  const auto answers = ask(served.url(), {}, 3);
  ASSERT_EQ(answers.size(), 3u);
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer.ok()) << node_name(answer.failure) << answer.explanation;
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.header("x-a"), "b");
    EXPECT_LE(answer.times.begun, answer.times.sent);
    EXPECT_LT(answer.times.sent, answer.times.first_byte);
    EXPECT_LE(answer.times.first_byte, answer.times.last_byte);
  }
  EXPECT_TRUE(answers[0].times.new_connection);
  EXPECT_FALSE(answers[2].times.new_connection);
  EXPECT_EQ(served.accepted(), 1);
}

TEST(Engine, ClosesAfterTheAnswerWhenTheRequestSaysSoThoughTheServerKeepsItsEndOpen) {
  Served served(kHello, Then::kNext);
  const auto answers = ask(served.url(), {}, 3, {}, 1, {}, {{"Connection", "te, Close"}});
  ASSERT_EQ(answers.size(), 3u);
  for (const auto& answer : answers) EXPECT_TRUE(answer.ok() && answer.times.new_connection);
  EXPECT_EQ(served.accepted(), 3);
}

TEST(Engine, TakesNothingForAnAnswerThatCameBeforeItsRequest) {
  Served served(kHello, Then::kSpeak);
  const auto answers = ask(served.url(), {}, 3, {}, 1, {}, {}, 200ms);
  ASSERT_EQ(answers.size(), 3u);
  for (const auto& answer : answers) {
    EXPECT_TRUE(answer.ok() && answer.times.new_connection);
    EXPECT_EQ(answer.body, "hello");
  }
}

TEST(Engine, MakesUsersWaitForAPooledConnection) {
  Served served(kHello, Then::kNext);
  const auto answers = ask(served.url(), {}, 2, 2, 20);
  ASSERT_EQ(answers.size(), 40u);
  for (const auto& answer : answers) EXPECT_TRUE(answer.ok());
  EXPECT_EQ(served.accepted(), 2);
}

net::Task<void> open_one(WorkerContext& context, Origin origin, Failure& failure) {
  auto opened = co_await Connection::open(context, std::move(origin), 5s);
  failure = opened.failure;
}

net::Task<void> open_while_it_is_forgotten(WorkerContext& context, Origin origin, Failure& failure) {
  net::TaskGroup opening;
  opening.spawn(open_one(context, origin, failure));
  context.addresses.erase(origin.host);
  co_await opening.drain();
}

TEST(Connection, RemembersWhereItCameToThoughTheAddressWasForgottenMeanwhile) {
  Served served(kHello, Then::kNext);
  auto origin = parse_url(served.url())->origin;
  origin.host = "target.invalid";  // found by what is remembered only
  Collector collector(base::system_clock());
  const Limits limits;
  Failure failure = Failure::kOther;
  net::Worker worker(0);
  WorkerContext context(collector.make_recorder(), nullptr, limits);
  context.addresses.emplace(origin.host, "127.0.0.1");
  worker.run_until_done(open_while_it_is_forgotten(context, origin, failure));
  EXPECT_EQ(failure, Failure::kNone);
  EXPECT_TRUE(context.addresses.contains(origin.host));
}

TEST(Engine, ReachesAnIPv6Literal) {
  Served served(kHello, Then::kNext, "[::1]:0");
  const auto port = parse_url(served.url())->origin.port;
  const auto answers = ask("http://[::1]:" + std::to_string(port) + "/", {});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].ok()) << answers[0].explanation;
  EXPECT_EQ(parse_url("http://[::1]:81/")->origin.authority(), "[::1]:81");
}

TEST(Engine, AsksOnANewConnectionWhereTheServerEndedItsOwn) {
  Served served(kHello, Then::kClose);
  const auto answers = ask(served.url(), {}, 3, {}, 1, {}, {}, 20ms);
  ASSERT_EQ(answers.size(), 3u);
  for (const auto& answer : answers) EXPECT_TRUE(answer.ok()) << node_name(answer.failure);
  EXPECT_EQ(served.accepted(), 3);
}

TEST(Engine, NamesWhatGoesWrong) {
  Limits brief;
  brief.first_byte = 100ms;
  const auto failure = [&](std::string answer, Then then) {
    Served served(std::move(answer), then);
    const auto answers = ask(served.url(), brief);
    return answers.size() == 1 ? answers[0].failure : Failure::kNone;
  };
  EXPECT_EQ(failure("", Then::kClose), Failure::kReset);
  EXPECT_EQ(failure("", Then::kStall), Failure::kTimeout);
  EXPECT_EQ(failure("ouch\r\n\r\n", Then::kNext), Failure::kGarbage);
  EXPECT_EQ(failure("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", Then::kClose), Failure::kEndedEarly);
  EXPECT_EQ(ask("http://127.0.0.1:1/", brief).at(0).failure, Failure::kRefused);
  EXPECT_EQ(ask("http://name.invalid/", brief).at(0).failure, Failure::kUnknownHost);
}

TEST(Engine, EndsUsersWhenTheGraceIsOver) {
  Served served("", Then::kStall);
  const auto begun = std::chrono::steady_clock::now();
  const auto answers = ask(served.url(), {}, 1, {}, 3, 100ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].failure, Failure::kCancelled);
}

TEST(Engine, SkipsArrivalsThatTheirPhaseDoesNotAllowAndIsValidAllTheSame) {
  Served served("", Then::kStall);
  Collector collector(base::system_clock());
  Phase phase;
  phase.kind = Phase::Kind::kCount;
  phase.count = 5;
  phase.max_users = 2;
  EngineSettings settings;
  settings.phases = {phase};
  settings.grace = 10ms;
  Asking::Heard heard;
  const auto request = *make_request("GET", *parse_url(served.url()), {});
  auto engine = Engine::make(settings, collector, [&](WorkerContext&, std::size_t) {
    return std::make_unique<Asking>(request, Limits{}, 1, heard);
  });
  ASSERT_TRUE(engine);
  auto generator = (*engine)->run({});
  EXPECT_EQ(generator.arrivals, 5u);
  EXPECT_EQ(generator.skipped, 3u);
  EXPECT_EQ(generator.overflowed, 0u);
  // Whatever this machine's own delays were.
  generator.lateness_ms = generator.lag_ms = {};
  generator.busiest_worker = 0;
  EXPECT_TRUE(why_invalid(generator, 100).empty());
}

TEST(WhyInvalid, RefusesAVerdictOfAGeneratorThatWasLate) {
  Generator generator;
  generator.lateness_ms.add(0.1, 1000);
  EXPECT_TRUE(why_invalid(generator, 100).empty());
  generator.lateness_ms.add(15, 20);
  EXPECT_EQ(why_invalid(generator, 100).size(), 1u);
  EXPECT_TRUE(why_invalid(generator, 500).empty());
  generator.busiest_worker = 0.99;
  EXPECT_EQ(why_invalid(generator, 500).size(), 1u);
  generator.overflowed = generator.own_failures = 1;
  EXPECT_EQ(why_invalid(generator, 500).size(), 3u);
}

}  // namespace
}  // namespace securebase::load
