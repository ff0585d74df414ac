#include "lambda/runtime_api.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "base/json.h"

namespace securebase::lambda {

namespace {

constexpr std::chrono::seconds kConnectTimeout{5};

std::string error_body(std::string_view type, std::string_view message) {
  using base::Json;
  return Json::object({{"errorMessage", message}, {"errorType", type}, {"stackTrace", Json::array()}}).dump();
}

std::string error_header(std::string_view type) {
  return fmt::format("Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: {}\r\n", type);
}

constexpr std::string_view kAskForNext = "Securebase-Runtime-Next: true\r\n";

}  // namespace

RuntimeApi::RuntimeApi(std::string host, Dial dial) : host_(std::move(host)), dial_(std::move(dial)) {}

Result<RuntimeApi> RuntimeApi::from_environment() {
  const char* address = std::getenv("AWS_LAMBDA_RUNTIME_API");
  const std::string text = address ? address : "";
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  if (colon == std::string::npos || std::from_chars(text.data() + colon + 1, end, port).ptr != end || port == 0) {
    return Error{
        Errc::kMalformed,
        fmt::format("AWS_LAMBDA_RUNTIME_API: expected host:port, came '{}'; this program is a Lambda bootstrap "
                    "and is started by the platform",
                    text)};
  }
  const std::string host = text.substr(0, colon);
  return RuntimeApi(text, [host, port] {
    return connect_tcp(host, port, std::chrono::steady_clock::now() + kConnectTimeout, Waits::kForever);
  });
}

Result<Invocation> RuntimeApi::next() {
  if (next_) return invocation_from(*std::exchange(next_, std::nullopt));
  auto response = call("GET", "/2018-06-01/runtime/invocation/next", "", "");
  if (!response) return response.error();
  if (response->status != 200) {
    return Error{Errc::kClosed, fmt::format("next invocation: expected status 200, came {}", response->status)};
  }
  return invocation_from(std::move(*response));
}

Result<Invocation> RuntimeApi::invocation_from(HttpResponse response) {
  Invocation invocation;
  invocation.request_id = response.header("lambda-runtime-aws-request-id");
  invocation.trace_id = response.header("lambda-runtime-trace-id");
  invocation.function_arn = response.header("lambda-runtime-invoked-function-arn");
  if (invocation.request_id.empty()) return Error{Errc::kMalformed, "an invocation without a request id"};
  const std::string_view deadline = response.header("lambda-runtime-deadline-ms");
  std::int64_t deadline_ms = 0;
  const auto [end, failure] = std::from_chars(deadline.data(), deadline.data() + deadline.size(), deadline_ms);
  if (failure != std::errc{} || end != deadline.data() + deadline.size()) {
    return Error{Errc::kMalformed, "an invocation without a deadline in milliseconds"};
  }
  invocation.deadline = base::TimePoint{std::chrono::milliseconds{deadline_ms}};
  invocation.event = std::move(response.body);
  return invocation;
}

Result<Done> RuntimeApi::respond(const Invocation& invocation, std::string_view body, std::string_view headers) {
  return post(fmt::format("/2018-06-01/runtime/invocation/{}/response", invocation.request_id),
              fmt::format("Content-Type: application/json\r\n{}{}", kAskForNext, headers), body);
}

Result<Done> RuntimeApi::fail(const Invocation& invocation, std::string_view type, std::string_view message,
                              std::string_view headers) {
  return post(fmt::format("/2018-06-01/runtime/invocation/{}/error", invocation.request_id),
              error_header(type).append(kAskForNext).append(headers), error_body(type, message));
}

Result<Done> RuntimeApi::fail_initialisation(std::string_view type, std::string_view message) {
  return post("/2018-06-01/runtime/init/error", error_header(type), error_body(type, message));
}

Result<Done> RuntimeApi::post(const std::string& path, std::string_view headers, std::string_view body) {
  auto response = call("POST", path, headers, body);
  if (!response) return response.error();
  if (response->status == 200) {
    next_ = std::move(*response);
    return Done{};
  }
  if (response->status != 202) {
    return Error{Errc::kUnavailable,
                 fmt::format("{}: expected status 202, came {}: {}", path, response->status, response->body)};
  }
  return Done{};
}

Result<HttpResponse> RuntimeApi::call(std::string_view method, std::string_view path, std::string_view headers,
                                      std::string_view body) {
  std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: securebase-lambda/1\r\n{}", method, path, host_, headers);
  if (method == "POST") request += fmt::format("Content-Length: {}\r\n", body.size());
  request += "\r\n";
  request += body;
  // A connection that was kept alive may have been closed meanwhile; the same request on a new one is safe, because an
  // invocation is answered once: the API refuses a second answer.
  const bool kept_alive = stream_ != nullptr;
  auto response = call_once(request);
  if (!response && kept_alive && response.error().code == Errc::kClosed) response = call_once(request);
  return response;
}

Result<HttpResponse> RuntimeApi::call_once(std::string_view request) {
  if (!stream_) {
    auto stream = dial_();
    if (!stream) return stream.error();
    stream_ = std::move(*stream);
    buffer_.clear();
  }
  auto exchange = [&]() -> Result<HttpResponse> {
    if (auto written = stream_->write_all(request, kNoDeadline); !written) return written.error();
    while (true) {
      auto response = take_response(buffer_);
      if (!response) return response.error();
      if (*response) return std::move(**response);
      if (auto read = stream_->read_some(buffer_, kNoDeadline); !read) return read.error();
    }
  };
  auto response = exchange();
  if (!response || response->header("connection") == "close") stream_.reset();
  return response;
}

}  // namespace securebase::lambda
