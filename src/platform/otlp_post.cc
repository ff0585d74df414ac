#include "platform/otlp_post.h"

#include <algorithm>
#include <charconv>

#include "net/http/client.h"
#include "net/http/url.h"
#include "platform/await.h"

namespace securebase::platform {

namespace {

constexpr std::chrono::seconds kPostTime{10};
constexpr std::size_t kPostAnswerBytes = 64 << 10;

net::Task<Result<traces::OtlpAnswer>> exchange_once(http::ClientRequest request,
                                                    std::shared_ptr<const net::TlsClient> tls) {
  http::Client client({}, std::move(tls));
  auto response = co_await client.send(std::move(request));
  if (!response) co_return response.error();
  traces::OtlpAnswer answer;
  answer.status = response->status;
  if (const auto field = response->headers.get("Retry-After")) {
    // A date there would be read by a clock that need not be ours: the usual pause does for it.
    std::int64_t seconds = 0;
    const auto [end, failure] = std::from_chars(field->data(), field->data() + field->size(), seconds);
    if (failure == std::errc{} && end == field->data() + field->size() && seconds >= 0) {
      answer.retry_after = std::chrono::seconds{std::min<std::int64_t>(seconds, 86'400)};
    }
  }
  if (response->body) {
    auto body = co_await http::read_all(*response->body, kPostAnswerBytes);
    if (!body && body.error().code != Errc::kLimit) co_return body.error();
    if (body) answer.body = std::move(*body);
  }
  co_return answer;
}

net::Task<Result<traces::OtlpAnswer>> exchange_in_time(http::ClientRequest request,
                                                       std::shared_ptr<const net::TlsClient> tls) {
  auto answer = co_await net::with_timeout(kPostTime, exchange_once(std::move(request), std::move(tls)));
  co_return answer;
}

}  // namespace

Result<std::shared_ptr<OtlpPost>> OtlpPost::make(const std::string& url, net::Worker& worker) {
  std::shared_ptr<OtlpPost> made(new OtlpPost(worker));
  auto parsed = http::parse_url(url);
  if (!parsed) return parsed.error().within("a URL for OTLP, like http://127.0.0.1:4318/v1/traces");
  if (!parsed->user_info.empty()) return Error{Errc::kUnsupported, "a URL for OTLP holds no user and no password"};
  made->authority_ = parsed->authority();
  made->target_ = parsed->target == "/" ? "/v1/traces" : parsed->target;
  made->origin_ = parsed->address();
  if (parsed->tls) {
    auto tls = net::TlsClient::make({});
    if (!tls) return tls.error().within(url);
    made->tls_ = std::move(*tls);
  }
  return made;
}

Result<traces::OtlpAnswer> OtlpPost::post(std::string body) const {
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
