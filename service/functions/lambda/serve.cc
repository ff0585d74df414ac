#include "lambda/serve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "lambda/calls.h"

namespace securebase::lambda {

namespace {

// A process serves one invocation at a time: its id and deadline. Written by serve() only.
std::string current_request_id;                             // NOLINT
base::TimePoint current_deadline = base::TimePoint::max();  // NOLINT

// Where the X-Ray SDKs look for it. Written in place: setenv() keeps every value that it was ever given.
void set_trace(std::string_view trace_id) {
  static char entry[1024] = "_X_AMZN_TRACE_ID=";
  constexpr std::size_t kName = sizeof "_X_AMZN_TRACE_ID=" - 1;
  const std::size_t length = std::min(trace_id.size(), sizeof entry - kName - 1);
  std::memcpy(entry + kName, trace_id.data(), length);
  entry[kName + length] = '\0';
  static const int known [[maybe_unused]] = ::putenv(entry);
}

int fail_initialisation(RuntimeApi& api, const Error& error) {
  log_line("ERROR", error.message);
  if (auto told = api.fail_initialisation("Runtime.InitError", error.message); !told) {
    log_line("ERROR", told.error().message);
  }
  return 1;
}

}  // namespace

std::chrono::milliseconds time_left() {
  using std::chrono::milliseconds;
  const auto now = base::system_clock().now();
  if (current_deadline == base::TimePoint::max()) return std::chrono::hours{1};
  return std::max(std::chrono::floor<milliseconds>(current_deadline - now), milliseconds{0});
}

void log_line(std::string_view level, std::string_view text) {
  fmt::print("{} {} [{}] {}\n", base::iso8601_millis(base::system_clock().now()), current_request_id, level, text);
  std::fflush(stdout);
}

int serve(const Initialise& initialise) {
  auto api = RuntimeApi::from_environment();
  if (!api) {
    fmt::print(stderr, "{}\n", api.error().message);
    return 2;
  }
  auto handler = initialise();
  if (!handler) return fail_initialisation(*api, handler.error());
  while (true) {
    auto invocation = api->next();
    if (!invocation) {
      log_line("INFO", invocation.error().within("waiting for work, ending").message);
      return 0;
    }
    current_request_id = invocation->request_id;
    current_deadline = invocation->deadline;
    set_trace(invocation->trace_id);
    begin_calls(invocation->trace_id);
    auto response = (*handler)(*invocation);
    const auto headers = calls_header();
    send_calls();
    auto told = response ? api->respond(*invocation, *response, headers)
                         : api->fail(*invocation, "HandlerError", response.error().message, headers);
    if (!told) log_line("ERROR", told.error().within("answering an invocation").message);
    current_request_id.clear();
  }
}

}  // namespace securebase::lambda
