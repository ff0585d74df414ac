// Custom origins over real connections: a server of this process, and one that says nothing.
#include "edge/engine_test.h"
#include "net/http/server.h"
#include "net/stream.h"

namespace securebase::edge {
namespace {

// What the origin does, by path.
class Server final : public http::Handler {
 public:
  net::Task<http::Response> answer(http::Request& request) override {
    ++requests;
    ports.insert(request.peer_port);
    targets.emplace_back(request.target);
    host = request.authority;
    headers = request.headers;
    http::Response response;
    response.headers.add("Cache-Control", request.path == "/api" ? "no-store" : "max-age=300");
    if (request.path == "/slow") {
      auto slept = co_await net::sleep_for(10s);
      static_cast<void>(slept);
    }
    if (request.body) {
      auto all = co_await http::read_all(*request.body, 1 << 20);
      response.body = "took " + (all ? *all : "nothing");
      co_return response;
    }
    if (request.path == "/large") {
      response.body = http::Body(std::make_unique<MadeBody>(160, 64 << 10, making), 160 * (64 << 10));
      co_return response;
    }
    response.body = fmt::format("{} {}", request.method_name, request.headers.get("Range").value_or("whole"));
    co_return response;
  }

  int requests = 0;
  std::set<std::uint16_t> ports;
  std::vector<std::string> targets;
  std::string host;
  http::Headers headers;
  Making making;
};

class HttpOriginTest : public EdgeTest {
 protected:
  HttpOriginTest() {
    make_origin_ = [](const OriginConfig& config) { return make_http_origin(config, nullptr); };
    worker_.run_until_done(listen());
    auto& origin = config_.origins[0];
    origin.domain_name = "127.0.0.1";
    origin.http_port = server_->port();
    origin.attempts = 1;
  }
  ~HttpOriginTest() override { worker_.run_until_done(end()); }

  net::Task<void> listen() {
    http::ServerSettings settings;
    settings.address.host = "127.0.0.1";
    auto started = http::WorkerServer::start(settings, handler_);
    EXPECT_TRUE(started);
    if (started) server_ = std::move(*started);
    auto silent = net::Listener::open(settings.address);
    EXPECT_TRUE(silent);
    if (silent) silent_ = std::move(*silent);
    co_return;
  }
  net::Task<void> end() {
    if (engine_) engine_->close_on_worker();
    if (server_) co_await server_->drain();
    server_.reset();
    silent_.reset();
  }

  Server handler_;
  std::unique_ptr<http::WorkerServer> server_;
  std::unique_ptr<net::Listener> silent_;  // accepts in the kernel, and never answers
};

TEST_F(HttpOriginTest, IsAskedOverOneConnection) {
  EXPECT_EQ(get("/a?b=c").body, "GET whole");
  EXPECT_EQ(get("/b").x_cache(), "Miss from cloudfront");
  EXPECT_EQ(get("/b").x_cache(), "Hit from cloudfront");
  get("/c");
  EXPECT_EQ(handler_.requests, 3);
  EXPECT_EQ(handler_.ports.size(), 1U) << "kept and used again";
  EXPECT_EQ(handler_.host, "127.0.0.1") << "the origin's name, not the viewer's";
}

TEST_F(HttpOriginTest, IsToldTheTraceInBothForms) {
  trace_ = telemetry::from_traceparent("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
  get("/a", {{"traceparent", "00-11111111111111111111111111111111-2222222222222222-00"},
             {"X-Amzn-Trace-Id", "Root=1-11111111-111111111111111111111111"}});
  EXPECT_EQ(handler_.headers.joined("traceparent"), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
  EXPECT_EQ(handler_.headers.joined("X-Amzn-Trace-Id"),
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
}

TEST_F(HttpOriginTest, SaysHowLongAHeadWouldBe) {
  const auto head = get("/a", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.length, std::string("HEAD whole").size());
}

TEST_F(HttpOriginTest, GetsTheRangesOfWhatIsNotStored) {
  EXPECT_EQ(get("/api").body, "GET whole");
  EXPECT_EQ(get("/api", {{"Range", "bytes=0-1"}}).body, "GET bytes=0-1");
}

TEST_F(HttpOriginTest, StreamsWhatIsLarge) {
  EXPECT_EQ(get("/large").body.size(), 160U * (64 << 10));
  EXPECT_EQ(engine().statistics().stored, 0U);
  get("/a");
  EXPECT_EQ(handler_.ports.size(), 1U) << "a body that was read to its end leaves a connection behind";
}

TEST_F(HttpOriginTest, IsABadGatewayWhenNobodyListens) {
  worker_.run_until_done(end());
  const auto answer = get("/a");
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.x_cache(), "Error from cloudfront");
  EXPECT_THAT(answer.body, HasSubstr("502 ERROR"));
}

TEST_F(HttpOriginTest, IsAGatewayTimeoutWhenItSaysNothing) {
  config_.origins[0].http_port = silent_->port();
  config_.origins[0].read_time = 50ms;
  EXPECT_EQ(get("/a").status, 504);
  EXPECT_EQ(get("/api", {}, "POST").status, 504);
}

TEST_F(HttpOriginTest, IsAGatewayTimeoutWhenAllAttemptsTakeTooLong) {
  settings_.flight_time = 50ms;
  EXPECT_EQ(get("/slow").status, 504);
}

}  // namespace
}  // namespace securebase::edge
