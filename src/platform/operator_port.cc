#include "platform/operator_port.h"

#include <fmt/format.h>

namespace securebase::platform {

namespace {

constexpr std::size_t kOtlpBytes = std::size_t{8} << 20;  // an exporter sends batches of some hundred KiB

http::Response text_response(int status, std::string_view content_type, std::string text) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", content_type);
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(text);
  return response;
}

http::Response not_here(const http::Request& request) {
  return text_response(404, "text/plain; charset=utf-8",
                       fmt::format("There is no {}. This port has /healthz, /metrics, and POST /v1/metrics and "
                                   "/v1/traces (OTLP/HTTP).\n",
                                   request.path));
}

http::Response only(std::string_view method) {
  auto response = text_response(405, "text/plain; charset=utf-8", fmt::format("This is asked by {}.\n", method));
  response.headers.add("Allow", method);
  return response;
}

http::Response busy(const Error& error) {
  return text_response(503, "text/plain; charset=utf-8", error.message + "\n");
}

int status_of(Errc code) {
  switch (code) {
    case Errc::kMalformed:
      return 400;
    case Errc::kUnsupported:
      return 415;
    case Errc::kLimit:
      return 429;
    default:
      return 503;
  }
}

}  // namespace

net::Task<http::Response> OperatorPort::answer(http::Request& request) {
  const bool get = request.method == http::Method::kGet || request.method == http::Method::kHead;
  if (request.path == "/healthz") {
    if (!get) co_return only("GET, HEAD");
    auto health = co_await pool_.run([this] { return answers_.health(); });
    if (!health) co_return busy(health.error());
    co_return text_response(health->healthy ? 200 : 503, "application/json", health->report.dump() + "\n");
  }
  if (request.path == "/metrics") {
    if (!get) co_return only("GET, HEAD");
    const std::string accept = request.headers.joined("Accept");
    auto made = co_await pool_.run([this, &accept] { return answers_.metrics(accept); });
    if (!made) co_return busy(made.error());
    co_return text_response(200, made->content_type, std::move(made->text));
  }
  if (request.path == "/v1/metrics") {
    if (request.method != http::Method::kPost) co_return only("POST");
    if (!answers_.otlp_metrics) {
      co_return text_response(501, "text/plain; charset=utf-8", "This version of SecureBase takes no OTLP.\n");
    }
    co_return co_await take_otlp(request, answers_.otlp_metrics);
  }
  if (request.path == "/v1/traces") {
    if (request.method != http::Method::kPost) co_return only("POST");
    co_return co_await take_otlp(request, answers_.otlp_traces);
  }
  co_return not_here(request);
}

net::Task<http::Response> OperatorPort::take_otlp(http::Request& request, const OperatorAnswers::TakeOtlp& take) {
  std::string body;
  if (request.body) {
    auto read = co_await http::read_all(*request.body, kOtlpBytes);
    if (!read) {
      co_return text_response(read.error().code == Errc::kLimit ? 413 : 400, "text/plain; charset=utf-8",
                              read.error().message + "\n");
    }
    body = std::move(*read);
  }
  const std::string content_type(request.headers.get("Content-Type").value_or(""));
  const std::string encoding(request.headers.get("Content-Encoding").value_or(""));
  auto taken = co_await pool_.run([&] { return take(std::move(body), content_type, encoding); });
  if (!taken) co_return busy(taken.error());
  if (!*taken) {
    co_return text_response(status_of(taken->error().code), "text/plain; charset=utf-8", taken->error().message + "\n");
  }
  co_return text_response(200, content_type, std::move(**taken));
}

}  // namespace securebase::platform
