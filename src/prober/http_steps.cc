#include <fmt/format.h>

#include <algorithm>

#include "net/http/client.h"
#include "net/http/url.h"
#include "net/worker.h"
#include "prober/rounds.h"

namespace securebase::prober {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kAnswerBytes = std::size_t{4} << 20;

struct Answer {
  int status = 0;
  std::string body;
};

milliseconds since(base::SteadyPoint begin) {
  return std::chrono::duration_cast<milliseconds>(base::system_clock().steady() - begin);
}

net::Task<Result<Answer>> ask_step(HttpStep step, std::string url, std::shared_ptr<const net::TlsClient> tls) {
  auto place = http::parse_url(url);
  if (!place) co_return place.error();
  http::ClientLimits limits;
  limits.idle_connections = 0;
  limits.read_time = step.within;
  http::Client client(limits, std::move(tls));
  http::ClientRequest request;
  request.origin = place->address();
  request.tls = place->tls;
  request.method = http::method_from(step.method);
  request.target = place->target;
  request.headers.add("Host", place->authority());
  request.headers.add("User-Agent", "securebase-canary");
  for (const auto& [name, value] : step.headers) request.headers.set(name, value);
  if (!step.body.empty()) request.body = http::Body(step.body);
  auto response = co_await client.send(std::move(request));
  if (!response) co_return response.error();
  Answer answer;
  answer.status = response->status;
  if (response->body) {
    auto read = co_await http::read_all(*response->body, kAnswerBytes);
    if (!read) co_return read.error();
    answer.body = std::move(*read);
  }
  co_return answer;
}

// Why the answer is not what was asked for; "" when it is.
std::string judge(const HttpStep& step, const Answer& answer) {
  const bool status_holds = step.statuses.empty() ? answer.status >= 200 && answer.status < 400
                                                  : std::find(step.statuses.begin(), step.statuses.end(),
                                                              answer.status) != step.statuses.end();
  if (!status_holds) {
    return step.statuses.empty()
               ? fmt::format("status {}, expected 200 to 399", answer.status)
               : fmt::format("status {}, expected {}", answer.status, fmt::join(step.statuses, " or "));
  }
  if (answer.body.find(step.contains) == std::string::npos) {
    return fmt::format("the answer of {} bytes does not contain \"{}\"", answer.body.size(), step.contains);
  }
  return "";
}

void count(int status, CanaryRun& run) {
  run.answers_2xx += status / 100 == 2;
  run.answers_4xx += status / 100 == 4;
  run.answers_5xx += status / 100 == 5;
}

}  // namespace

net::Task<CanaryRun> run_http(Canary canary, Workshop workshop, std::shared_ptr<const net::TlsClient> tls,
                              CanaryRun run) {
  const auto begin = base::system_clock().steady();
  const milliseconds limit = canary.timeout;
  run.passed = true;
  for (const auto& step : canary.steps) {
    const auto step_begin = base::system_clock().steady();
    const auto left = std::min(step.within, limit - since(begin));
    StepResult result;
    result.name = step.name;
    if (left <= milliseconds{0}) {
      result.reason = fmt::format("the canary's {} s were over", canary.timeout.count());
    } else {
      const std::string url = step.url.starts_with('/') ? workshop.base_url + step.url : step.url;
      auto answer = co_await net::with_timeout(left, ask_step(step, url, tls));
      if (answer) {
        count(answer->status, run);
        result.reason = judge(step, *answer);
      } else {
        ++run.failed_requests;
        result.reason = answer.error().code == Errc::kTimeout ? fmt::format("no answer within {} ms", left.count())
                                                              : answer.error().message;
      }
    }
    result.duration = since(step_begin);
    result.passed = result.reason.empty();
    if (!result.passed) {
      run.passed = false;
      run.reason = fmt::format("{}: {}", result.name, result.reason);
    }
    run.steps.push_back(std::move(result));
    if (!run.passed) break;
  }
  run.duration = since(begin);
  co_return run;
}

}  // namespace securebase::prober
