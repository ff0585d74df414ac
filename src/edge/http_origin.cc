// Any HTTP server. One client per worker keeps its connections.
#include <array>
#include <atomic>

#include "edge/origin.h"
#include "net/http/client.h"
#include "net/worker.h"

namespace securebase::edge {

namespace {

// The viewer's body, for a client that wants to own what it reads.
class BorrowedBody final : public http::BodyReader {
 public:
  explicit BorrowedBody(http::BodyReader& body) : body_(body) {}
  net::Task<Result<std::string_view>> next() override { return body_.next(); }

 private:
  http::BodyReader& body_;
};

// The body of an answer to HEAD: never read, but its length is said.
class Unsent final : public http::BodyReader {
 public:
  net::Task<Result<std::string_view>> next() override { co_return std::string_view(); }
};

class HttpOrigin final : public Origin {
 public:
  HttpOrigin(const OriginConfig& config, std::shared_ptr<const net::TlsClient> tls)
      : config_(config), tls_(std::move(tls)) {}

  net::Task<Result<http::Response>> fetch(OriginRequest& request, Caller&) override {
    http::ClientRequest asked;
    asked.tls = config_.protocol == OriginProtocol::kHttpsOnly ||
                (config_.protocol == OriginProtocol::kMatchViewer && request.scheme == "https");
    asked.origin.host = config_.domain_name;
    asked.origin.port = asked.tls ? config_.https_port : config_.http_port;
    asked.server_name = config_.domain_name;
    asked.method = request.method;
    asked.target = request.target();
    asked.headers = request.headers;
    asked.headers.set("Host", request.authority);
    if (request.body) asked.body = http::Body(std::make_unique<BorrowedBody>(*request.body), request.content_length);
    auto got = co_await client().send(std::move(asked));
    if (!got) co_return got.error();
    http::Response response;
    response.status = got->status;
    response.headers = std::move(got->headers);
    std::optional<std::uint64_t> length;
    if (const auto said = response.headers.get("Content-Length")) {
      length = std::strtoull(std::string(*said).c_str(), nullptr, 10);
    }
    if (request.method == http::Method::kHead) {  // without a length, none is said: it is not 0
      response.body = http::Body(std::make_unique<Unsent>(), length);
    } else if (got->body) {
      response.body = http::Body(std::move(got->body), length);
    }
    co_return response;
  }

  void close_on_worker() override {
    auto& mine = clients_[net::Worker::current().index()];
    mine.reset();
  }

 private:
  http::Client& client() {
    auto& mine = clients_[net::Worker::current().index()];
    if (!mine) {
      http::ClientLimits limits;
      limits.connect_time = config_.connect_time;
      limits.connect_attempts = static_cast<std::size_t>(config_.attempts);
      limits.read_time = config_.read_time;
      limits.idle_time = config_.keepalive_time;
      mine = std::make_unique<http::Client>(limits, tls_);
    }
    return *mine;
  }

  static constexpr std::size_t kMostWorkers = 256;
  const OriginConfig config_;
  const std::shared_ptr<const net::TlsClient> tls_;
  // Each touched by its worker only.
  std::array<std::unique_ptr<http::Client>, kMostWorkers> clients_;
};

}  // namespace

std::unique_ptr<Origin> make_http_origin(const OriginConfig& config, std::shared_ptr<const net::TlsClient> tls) {
  return std::make_unique<HttpOrigin>(config, std::move(tls));
}

}  // namespace securebase::edge
