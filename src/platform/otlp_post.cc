#include "platform/otlp_post.h"

#include <fmt/format.h>

#include "net/http/client.h"
#include "platform/await.h"

namespace securebase::platform {

namespace {

constexpr std::chrono::seconds kPostTime{10};
constexpr std::size_t kPostAnswerBytes = 64 << 10;

net::Task<Result<int>> exchange_once(http::ClientRequest request, std::shared_ptr<const net::TlsClient> tls) {
  http::Client client({}, std::move(tls));
  auto response = co_await client.send(std::move(request));
  if (!response) co_return response.error();
  if (response->body) {
    auto body = co_await http::read_all(*response->body, kPostAnswerBytes);
    if (!body && body.error().code != Errc::kLimit) co_return body.error();
  }
  co_return response->status;
}

net::Task<Result<int>> exchange_in_time(http::ClientRequest request, std::shared_ptr<const net::TlsClient> tls) {
  auto status = co_await net::with_timeout(kPostTime, exchange_once(std::move(request), std::move(tls)));
  co_return status;
}

}  // namespace

Result<std::shared_ptr<OtlpPost>> OtlpPost::make(const std::string& url, net::Worker& worker) {
  std::shared_ptr<OtlpPost> made(new OtlpPost(worker));
  const bool secure = url.starts_with("https://");
  if (!secure && !url.starts_with("http://")) {
    return Error{Errc::kMalformed,
                 fmt::format("\"{}\" is no URL for OTLP: expected one as http://127.0.0.1:4318/v1/traces", url)};
  }
  std::string_view rest(url);
  rest.remove_prefix(secure ? 8 : 7);
  const auto slash = std::min(rest.find('/'), rest.size());
  made->authority_ = rest.substr(0, slash);
  made->target_ = slash == rest.size() ? "/v1/traces" : std::string(rest.substr(slash));
  std::string with_port = made->authority_;
  if (with_port.rfind(':') == std::string::npos || with_port.ends_with(']')) with_port += secure ? ":443" : ":80";
  auto address = net::Address::parse(with_port);
  if (!address) return address.error().within(url);
  made->origin_ = std::move(*address);
  if (secure) {
    auto tls = net::TlsClient::make({});
    if (!tls) return tls.error().within(url);
    made->tls_ = std::move(*tls);
  }
  return made;
}

Result<int> OtlpPost::post(std::string body) const {
  http::ClientRequest request;
  request.origin = origin_;
  request.tls = tls_ != nullptr;
  request.method = http::Method::kPost;
  request.target = target_;
  request.headers.add("Host", authority_);
  request.headers.add("Content-Type", "application/x-protobuf");
  request.body = std::move(body);
  return await_on(worker_, exchange_in_time(std::move(request), tls_));
}

}  // namespace securebase::platform
