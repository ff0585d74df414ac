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
    tls = request.tls_version;
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
    if (request.path == "/unknown") {  // how long it is
      response.body = http::Body(std::make_unique<MadeBody>(2, 1000, making));
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
  std::string tls;
  http::Headers headers;
  Making making;
};

const net::Authority& authority() {
  static const net::Authority made = *net::make_authority("Test authority");
  return made;
}

class HttpOriginTest : public EdgeTest {
 protected:
  HttpOriginTest() {
    make_origin_ = [this](const OriginConfig& config) { return make_http_origin(config, trusting_); };
    worker_.run_until_done(listen());
    auto& origin = config_.origins[0];
    origin.domain_name = "127.0.0.1";
    origin.http_port = server_->port();
    origin.attempts = 1;
  }
  ~HttpOriginTest() override { worker_.run_until_done(end()); }

  net::Task<void> answer(http::Request& request, http::Response& response) {
    response = co_await engine().answer(request);
  }

  net::Task<void> listen() {
    net::TlsServerSettings secure;
    secure.certificates.push_back(*net::issue_certificate(authority(), {"127.0.0.1"}));
    secure.alpn = {"http/1.1"};
    http::ServerSettings settings;
    settings.address.host = "127.0.0.1";
    settings.tls = *net::TlsServer::make(secure);
    auto secured = http::WorkerServer::start(settings, handler_);
    EXPECT_TRUE(secured);
    if (secured) secured_ = std::move(*secured);
    settings.tls = nullptr;
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
    if (secured_) co_await secured_->drain();
    secured_.reset();
    silent_.reset();
  }

  Server handler_;
  std::unique_ptr<http::WorkerServer> server_;
  std::unique_ptr<http::WorkerServer> secured_;     // the same over TLS
  std::shared_ptr<const net::TlsClient> trusting_;  // null: nobody is trusted
  std::unique_ptr<net::Listener> silent_;           // accepts in the kernel, and never answers
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

TEST_F(HttpOriginTest, IsAskedOverTlsWhereThatIsSaid) {
  auto& origin = config_.origins[0];
  origin.protocol = OriginProtocol::kHttpsOnly;
  origin.https_port = secured_->port();
  EXPECT_EQ(get("/a").status, 502) << "without an authority, no certificate is good";
  net::TlsClientSettings settings;
  settings.authorities_pem = authority().certificate_pem;
  trusting_ = *net::TlsClient::make(settings);
  configure_again();
  EXPECT_EQ(get("/a").body, "GET whole");
  get("/b");
  EXPECT_EQ(handler_.ports.size(), 1U) << "kept and used again";
}

TEST_F(HttpOriginTest, IsAskedAsTheViewerAsked) {
  net::TlsClientSettings settings;
  settings.authorities_pem = authority().certificate_pem;
  trusting_ = *net::TlsClient::make(settings);
  auto& origin = config_.origins[0];
  origin.protocol = OriginProtocol::kMatchViewer;
  origin.https_port = secured_->port();
  get("/a");
  EXPECT_TRUE(handler_.tls.empty());
  scheme_ = "https";
  get("/b");
  EXPECT_EQ(handler_.tls, "TLSv1.3");
}

TEST_F(HttpOriginTest, SaysHowLongAHeadWouldBe) {
  const auto head = get("/a", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.length, std::string("HEAD whole").size());
}

TEST_F(HttpOriginTest, SaysNoLengthOfAHeadThatTheOriginDoesNotKnow) {
  http::Request request;
  request.method = http::Method::kHead;
  request.method_name = "HEAD";
  request.authority = authority_;
  request.path = request.target = "/unknown";
  http::Response response;
  worker_.run_until_done(answer(request, response));
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.body.length()) << "0 would be wrong (RFC 9110 §8.6)";
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

// Two halves, with a pause before each.
class SlowUpload final : public http::BodyReader {
 public:
  net::Task<Result<std::string_view>> next() override {
    if (left_ == 0) co_return std::string_view();
    --left_;
    auto slept = co_await net::sleep_for(40ms);
    if (!slept) co_return slept.error();
    co_return std::string_view(half_);
  }
  std::uint64_t length() const { return 2 * half_.size(); }

 private:
  int left_ = 2;
  const std::string half_ = std::string(32 << 10, 'u');
};

TEST_F(HttpOriginTest, IsNotBlamedForASlowUpload) {
  settings_.flight_time = 50ms;
  SlowUpload upload;
  http::Request request;
  request.method = http::Method::kPost;
  request.method_name = "POST";
  request.authority = authority_;
  request.path = request.target = "/api";
  request.body = &upload;
  request.content_length = upload.length();
  http::Response response;
  worker_.run_until_done(answer(request, response));
  EXPECT_EQ(response.status, 200);
}

TEST_F(HttpOriginTest, IsAGatewayTimeoutWhenAllAttemptsTakeTooLong) {
  settings_.flight_time = 50ms;
  EXPECT_EQ(get("/slow").status, 504);
}

}  // namespace
}  // namespace securebase::edge
