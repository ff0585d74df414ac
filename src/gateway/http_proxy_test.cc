// HTTP_PROXY integrations, with an upstream that is a server of this process.
#include "gateway/gateway_test.h"
#include "net/http/server.h"
#include "net/stream.h"

namespace securebase::gateway {
namespace {

class Upstream final : public http::Handler {
 public:
  net::Task<http::Response> answer(http::Request& request) override {
    ++requests;
    ports.insert(request.peer_port);
    line = fmt::format("{} {}", request.method_name, request.target);
    headers = request.headers;
    body.clear();
    if (request.body) {
      auto all = co_await http::read_all(*request.body, 1 << 24);
      if (all) body = *all;
    }
    if (request.path == "/slow") {
      auto slept = co_await net::sleep_for(10s);
      static_cast<void>(slept);
    }
    http::Response response;
    response.status = 203;
    response.headers.add("Set-Cookie", "a=1");
    response.headers.add("Set-Cookie", "b=2");
    response.headers.add("Content-Type", "text/plain");
    response.headers.add("Server", "upstream/1");
    response.body = request.path == "/huge" ? std::string((10 << 20) + 1, 'x') : std::string("from upstream");
    co_return response;
  }

  int requests = 0;
  std::set<std::uint16_t> ports;
  std::string line;
  http::Headers headers;
  std::string body;
};

class HttpProxyTest : public GatewayTest {
 protected:
  HttpProxyTest() {
    worker_.run_until_done(listen());
    const auto to = [this](std::string_view path, std::string_view more = "") {
      return fmt::format(R"(type = "http_proxy", httpMethod = "ANY", uri = "http://127.0.0.1:{}{}" {})",
                         server_->port(), path, more);
    };
    SmallApi api;
    api.paths =
        path_to("/any/{proxy+}", "x-amazon-apigateway-any-method", to("/base/{proxy}")) +
        path_to("/named/{id}", "get",
                to("/things/{thing}?fixed=1",
                   R"(, requestParameters = { "integration.request.path.thing" = "method.request.path.id" })")) +
        path_to("/chosen", "get",
                to("/things/{thing}",
                   R"(, requestParameters = { "integration.request.path.thing" = "method.request.querystring.of" })")) +
        path_to("/slow", "get", to("/slow", ", timeoutInMillis = 50")) + path_to("/huge", "get", to("/huge")) +
        path_to("/stage", "get",
                R"(type = "http_proxy", httpMethod = "GET", uri = "http://$${stageVariables.host}/x")") +
        path_to("/closed", "get", R"(type = "http_proxy", httpMethod = "GET", uri = "http://127.0.0.1:1/")") +
        path_to(
            "/nonsense", "get",
            fmt::format(R"(type = "http_proxy", httpMethod = "GET", uri = "http://127.0.0.1:{}/")", nonsense_->port()));
    api.stage = fmt::format(R"(variables = {{ host = "127.0.0.1:{}" }})", server_->port());
    apply(small_stack(api));
  }
  ~HttpProxyTest() override { worker_.run_until_done(end()); }

  net::Task<void> listen() {
    http::ServerSettings settings;
    settings.address.host = "127.0.0.1";
    auto started = http::WorkerServer::start(settings, upstream_);
    EXPECT_TRUE(started);
    if (started) server_ = std::move(*started);
    auto opened = net::Listener::open(settings.address);
    EXPECT_TRUE(opened);
    if (opened) nonsense_ = std::move(*opened);
    co_return;
  }
  net::Task<void> end() {
    gateway->close_on_worker();
    co_await server_->drain();
    server_.reset();
    nonsense_.reset();
  }
  // Says what is no HTTP to the next connection.
  static net::Task<void> speak_nonsense(net::Listener& listener) {
    auto stream = co_await listener.accept();
    if (!stream) co_return;
    char asked[4096];
    auto got = co_await (*stream)->read(asked);
    static_cast<void>(got);
    std::string said = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx";
    iovec piece{said.data(), said.size()};
    auto sent = co_await (*stream)->write({&piece, 1});
    static_cast<void>(sent);
  }

  Upstream upstream_;
  std::unique_ptr<http::WorkerServer> server_;
  std::unique_ptr<net::Listener> nonsense_;
};

TEST_F(HttpProxyTest, HandsTheRequestOnAsItCame) {
  const auto reply = send("PUT", "/any/a%20b/c?x=1&x=2", "the body",
                          {{"Content-Type", "text/csv"},
                           {"X-Forwarded-For", "198.51.100.1"},
                           {"Cookie", "a=b"},
                           {"Host", "api.securebase.com"}});
  EXPECT_EQ(upstream_.line, "PUT /base/a%20b/c?x=1&x=2");
  EXPECT_EQ(upstream_.body, "the body");
  EXPECT_EQ(upstream_.headers.get("Content-Type"), "text/csv");
  EXPECT_EQ(upstream_.headers.get("Cookie"), "a=b");
  EXPECT_EQ(upstream_.headers.get("X-Forwarded-For"), "198.51.100.1, 203.0.113.7");
  EXPECT_EQ(reply.status, 203);
  EXPECT_EQ(reply.body, "from upstream");
  EXPECT_EQ(reply.headers.joined("Set-Cookie"), "a=1, b=2");
  EXPECT_FALSE(reply.headers.has("Content-Length")) << "framing is the server's";
  EXPECT_FALSE(reply.headers.has("Server"));
  EXPECT_EQ(reply.header("x-amzn-Remapped-Server"), "upstream/1");
  EXPECT_TRUE(reply.headers.has("x-amzn-RequestId"));
}

TEST_F(HttpProxyTest, TellsTheTraceInBothForms) {
  const std::string trace = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
  get("/named/1", {{"traceparent", trace}, {"X-Amzn-Trace-Id", "Root=1-11111111-111111111111111111111111"}});
  EXPECT_EQ(upstream_.headers.joined("traceparent"), trace);
  EXPECT_EQ(upstream_.headers.joined("X-Amzn-Trace-Id"),
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
}

TEST_F(HttpProxyTest, FillsTheUrl) {
  get("/named/42?y=2");
  EXPECT_EQ(upstream_.line, "GET /things/42?fixed=1&y=2");
  get("/named/a%2Fb");
  EXPECT_EQ(upstream_.line, "GET /things/a%2Fb?fixed=1") << "no value begins another segment";
  get("/chosen?of=a%2Fb%3Fc%3D1%0d%0aX:%20y");
  EXPECT_EQ(upstream_.line, "GET /things/a%2Fb%3Fc%3D1%0D%0AX%3A%20y?of=a%2Fb%3Fc%3D1%0d%0aX:%20y");
  get("/stage");
  EXPECT_EQ(upstream_.line, "GET /x");
}

TEST_F(HttpProxyTest, KeepsItsConnections) {
  for (int i = 0; i < 5; ++i) get("/named/1");
  EXPECT_EQ(upstream_.requests, 5);
  EXPECT_EQ(upstream_.ports.size(), 1u);
}

TEST_F(HttpProxyTest, TellsBrokenFromLateUpstreams) {
  const auto closed = get("/closed");
  EXPECT_EQ(closed.status, 504);
  EXPECT_EQ(closed.body, R"({"message":"Network error communicating with endpoint"})");
  EXPECT_EQ(closed.header("x-amzn-ErrorType"), "InternalServerErrorException");
  worker_.tasks().spawn(speak_nonsense(*nonsense_));
  EXPECT_EQ(get("/nonsense").status, 504);
  EXPECT_EQ(get("/huge").status, 502) << "beyond 10 MB";
  const auto late = get("/slow");
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(late.body, R"({"message":"Endpoint request timed out"})");
}

}  // namespace
}  // namespace securebase::gateway
