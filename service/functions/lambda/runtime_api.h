// The client of the Lambda Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), over one
// connection that is kept alive. With each result it asks for the next invocation by SecureBase's own header field: one
// exchange for a call instead of two. Other platforms do not know the field, and are asked in a second exchange.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "lambda/http_response.h"
#include "lambda/stream.h"

namespace securebase::lambda {

struct Invocation {
  std::string request_id;
  std::string trace_id;      // the X-Ray header, may be empty
  std::string function_arn;  // the one invoked, with its alias or version
  base::TimePoint deadline;
  std::string event;
};

class RuntimeApi {
 public:
  using Dial = std::function<Result<std::unique_ptr<Stream>>()>;
  // `host` goes into the Host header.
  RuntimeApi(std::string host, Dial dial);
  // From AWS_LAMBDA_RUNTIME_API, "host:port".
  static Result<RuntimeApi> from_environment();

  // Waits for as long as it takes. An error means that nobody is there any more: end the process.
  Result<Invocation> next();
  // Both may wait until the next invocation comes, which next() then has at once.
  // `headers`: further field lines, each with its line break.
  Result<Done> respond(const Invocation& invocation, std::string_view body, std::string_view headers = {});
  // `type` is the error's class name, as "Runtime.Malformed".
  Result<Done> fail(const Invocation& invocation, std::string_view type, std::string_view message,
                    std::string_view headers = {});
  Result<Done> fail_initialisation(std::string_view type, std::string_view message);

 private:
  Result<HttpResponse> call(std::string_view method, std::string_view path, std::string_view headers,
                            std::string_view body);
  Result<HttpResponse> call_once(std::string_view request);
  Result<Done> post(const std::string& path, std::string_view headers, std::string_view body);
  static Result<Invocation> invocation_from(HttpResponse response);

  std::string host_;
  Dial dial_;
  std::unique_ptr<Stream> stream_;  // empty: not connected
  std::string buffer_;
  std::optional<HttpResponse> next_;  // came with the answer to a result
};

}  // namespace securebase::lambda
