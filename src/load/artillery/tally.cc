#include "load/artillery/tally.h"

#include <fmt/format.h>

#include "load/artillery/endpoint.h"

namespace securebase::load::artillery {
namespace {

constexpr std::size_t kMostName = 1024;  // as Artillery cuts names

double as_milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

Tally::Tally(Collector& collector, Recorder& recorder, const Config& config, const std::vector<Scenario>& scenarios)
    : collector_(collector),
      recorder_(recorder),
      config_(config),
      requests_(series(Kind::kCounter, "http.requests")),
      responses_(series(Kind::kCounter, "http.responses")),
      downloaded_(series(Kind::kCounter, "http.downloaded_bytes")),
      response_time_(series(Kind::kTrend, "http.response_time")),
      total_time_(series(Kind::kTrend, "http.total_time")),
      from_schedule_(series(Kind::kTrend, "http.latency_from_schedule")),
      created_(series(Kind::kCounter, "vusers.created")),
      completed_(series(Kind::kCounter, "vusers.completed")),
      failed_(series(Kind::kCounter, "vusers.failed")),
      session_length_(series(Kind::kTrend, "vusers.session_length")) {
  for (const auto& scenario : scenarios) {
    created_by_name_.push_back(series(Kind::kCounter, fmt::format("vusers.created_by_name.{}", scenario.name)));
  }
}

Series Tally::series(Kind kind, std::string_view name) {
  auto& known = others_[static_cast<std::size_t>(kind)];
  const std::string_view cut = name.substr(0, kMostName);
  if (const auto found = known.find(cut); found != known.end()) return found->second;
  const Series made = collector_.series(kind, cut);
  // Names may come from answers; beyond what the catalogue holds they are one series, and need not be remembered.
  if (known.size() < 10'000) known.emplace(std::string(cut), made);
  return made;
}

void Tally::add(Kind kind, std::string_view name, double value) { recorder_.add(series(kind, name), value); }

Series Tally::code(int status) {
  auto& known = codes_[static_cast<std::size_t>(status) % codes_.size()];
  if (!known) known = series(Kind::kCounter, fmt::format("http.codes.{}", status));
  return *known;
}

Tally::Endpoint Tally::endpoint(std::string name) {
  Endpoint made;
  made.name = std::move(name);
  if (!made.name.empty()) {
    made.time = series(Kind::kTrend, fmt::format("{}.response_time.{}", config_.endpoints.prefix, made.name));
  }
  return made;
}

void Tally::user_began(std::size_t scenario) {
  Recorder::Batch batch(recorder_);
  batch.add(created_by_name_[scenario], 1);
  batch.add(created_, 1);
}

void Tally::user_ended(bool completed, std::chrono::nanoseconds length) {
  Recorder::Batch batch(recorder_);
  batch.add(failed_, completed ? 0 : 1);
  if (!completed) return;
  batch.add(completed_, 1);
  batch.add(session_length_, as_milliseconds(length));
}

void Tally::user_skipped() { count("vusers.skipped", 1); }

void Tally::request_sent() { recorder_.add(requests_, 1); }

void Tally::answered(const Answer& answer, base::SteadyPoint intended) {
  const Times& times = answer.times;
  const double first_byte = as_milliseconds(times.first_byte - times.sent);
  const Series counted = code(answer.status);
  const auto hundreds = static_cast<std::size_t>(answer.status / 100) % classes_.size();
  if (hundreds >= 2 && !classes_[hundreds]) {
    classes_[hundreds] = series(Kind::kTrend, fmt::format("http.response_time.{}xx", hundreds));
  }
  {
    Recorder::Batch batch(recorder_);
    batch.add(counted, 1);
    batch.add(responses_, 1);
    batch.add(downloaded_, static_cast<double>(answer.body_bytes));
    batch.add(response_time_, first_byte);
    if (hundreds >= 2) batch.add(*classes_[hundreds], first_byte);
    batch.add(total_time_, as_milliseconds(times.last_byte - times.sent));
    batch.add(from_schedule_, as_milliseconds(times.last_byte - intended));
  }
  if (config_.extended_metrics) {
    // The look-up of a name is within http.tcp: it is done once for a run.
    if (times.new_connection) {
      measure("http.tcp", as_milliseconds(times.connected - times.begun));
      measure("http.tls", as_milliseconds(times.secured - times.connected));
    }
    measure("http.total", as_milliseconds(times.last_byte - times.begun));
  }
  if (config_.apdex_threshold_ms) {
    const double total = as_milliseconds(times.last_byte - times.begun);
    const double limit = *config_.apdex_threshold_ms;
    count("apdex.satisfied", total <= limit ? 1 : 0);
    count("apdex.tolerated", total > limit && total <= 4 * limit ? 1 : 0);
    count("apdex.frustrated", total > 4 * limit ? 1 : 0);
  }
}

void Tally::endpoint_answered(Endpoint& endpoint, const Answer& answer) {
  if (endpoint.name.empty()) return;
  const Series* counted = nullptr;
  for (const auto& [status, known] : endpoint.codes) {
    if (status == answer.status) counted = &known;
  }
  if (counted == nullptr) {
    endpoint.codes.emplace_back(
        answer.status,
        series(Kind::kCounter, fmt::format("{}.{}.codes.{}", config_.endpoints.prefix, endpoint.name, answer.status)));
    counted = &endpoint.codes.back().second;
  }
  const auto server_timing = answer.header("server-timing");
  if (server_timing && !endpoint.server_timing) {
    endpoint.server_timing =
        series(Kind::kTrend, fmt::format("{}.server-timing.{}", config_.endpoints.prefix, endpoint.name));
  }
  Recorder::Batch batch(recorder_);
  batch.add(*counted, 1);
  batch.add(endpoint.time, as_milliseconds(answer.times.first_byte - answer.times.sent));
  if (server_timing) batch.add(*endpoint.server_timing, server_timing_total(*server_timing));
}

void Tally::endpoint_failed(Endpoint& endpoint, Failure failure) {
  if (endpoint.name.empty()) return;
  auto& known = endpoint.failures[static_cast<std::size_t>(failure)];
  if (!known) {
    known = series(Kind::kCounter,
                   fmt::format("{}.{}.errors.{}", config_.endpoints.prefix, endpoint.name, node_name(failure)));
  }
  recorder_.add(*known, 1);
}

void Tally::expectation(bool ok, const std::string& type) {
  const char* word = ok ? "ok" : "failed";
  count(fmt::format("plugins.expect.{}", word), 1);
  count(fmt::format("plugins.expect.{}.{}", word, type), 1);
}

void Tally::error(std::string_view name) { count(fmt::format("errors.{}", name), 1); }

}  // namespace securebase::load::artillery
