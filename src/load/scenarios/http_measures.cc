#include "load/scenarios/http_measures.h"

namespace securebase::load {

namespace {

double milliseconds_between(base::SteadyPoint from, base::SteadyPoint until) {
  return std::chrono::duration<double, std::milli>(until - from).count();
}

Tags endpoint_tags(std::string endpoint) {
  if (endpoint.empty()) return {};
  return {{"endpoint", std::move(endpoint)}};
}

}  // namespace

HttpMeasures::HttpMeasures(Collector& collector, std::string endpoint)
    : collector_(collector),
      tags_(endpoint_tags(std::move(endpoint))),
      requests_(collector.series(Kind::kCounter, kRequests, tags_)),
      responses_(collector.series(Kind::kCounter, kResponses, tags_)),
      first_byte_(collector.series(Kind::kTrend, kFirstByte, tags_)),
      service_time_(collector.series(Kind::kTrend, kServiceTime, tags_)),
      from_schedule_(collector.series(Kind::kTrend, kFromSchedule, tags_)),
      connect_(collector.series(Kind::kTrend, kConnectTime, tags_)),
      tls_(collector.series(Kind::kTrend, kTlsTime, tags_)),
      downloaded_(collector.series(Kind::kCounter, kDownloaded, tags_)),
      uploaded_(collector.series(Kind::kCounter, kUploaded, tags_)) {}

Series HttpMeasures::code(int status) {
  auto& known = codes_[static_cast<std::size_t>(status - 100)];
  if (!known) {
    auto tags = tags_;
    tags.emplace_back("status", std::to_string(status));
    known = collector_.series(Kind::kCounter, kCodes, std::move(tags));
  }
  return *known;
}

Series HttpMeasures::error(Failure failure) {
  auto& known = errors_[static_cast<std::size_t>(failure)];
  if (!known) {
    auto tags = tags_;
    tags.emplace_back("kind", std::string(words(failure)));
    known = collector_.series(Kind::kCounter, kErrors, std::move(tags));
  }
  return *known;
}

void HttpMeasures::record(Recorder& recorder, const Answer& answer, std::optional<base::SteadyPoint> intended) {
  const auto& times = answer.times;
  const Series outcome = answer.ok() ? code(answer.status) : error(answer.failure);
  Recorder::Batch batch(recorder);
  batch.add(requests_, 1);
  batch.add(outcome, 1);
  batch.add(uploaded_, static_cast<double>(answer.sent_bytes));
  batch.add(downloaded_, static_cast<double>(answer.received_bytes));
  if (times.new_connection) {
    batch.add(connect_, milliseconds_between(times.begun, times.connected));
    if (times.secured != times.connected) batch.add(tls_, milliseconds_between(times.connected, times.secured));
  }
  if (answer.ok()) {
    batch.add(responses_, 1);
    batch.add(first_byte_, milliseconds_between(times.sent, times.first_byte));
    batch.add(service_time_, milliseconds_between(times.sent, times.last_byte));
  }
  // Who was given up waited at least so long: left out, the worst would not be in the percentiles.
  const bool given_up = answer.failure == Failure::kTimeout || answer.failure == Failure::kConnectTimeout;
  if (intended && (answer.ok() || given_up)) {
    batch.add(from_schedule_, milliseconds_between(*intended, times.last_byte));
  }
}

void HttpMeasures::record_unanswered(Recorder& recorder, const Times& times, double stands_for) {
  // Looked up here: most runs have none.
  const Series unanswered = collector_.series(Kind::kTrend, kUnanswered, tags_);
  const Series unsent = collector_.series(Kind::kCounter, kUnsent, tags_);
  Recorder::Batch batch(recorder);
  batch.add(unanswered, milliseconds_between(times.begun, times.last_byte));
  batch.add(unsent, stands_for);
}

}  // namespace securebase::load
