// What the native scenarios measure of each request, and under which names (docs/load.md lists them).
#pragma once

#include <array>
#include <optional>
#include <string>

#include "load/engine/exchange.h"
#include "load/measure/collector.h"

namespace securebase::load {

// Durations in milliseconds.
inline constexpr std::string_view kRequests = "http.requests";        // that ended: with an answer or a failure
inline constexpr std::string_view kResponses = "http.responses";      // whole answers, whatever their status
inline constexpr std::string_view kFirstByte = "http.response_time";  // from sending to the first byte
inline constexpr std::string_view kServiceTime = "http.total_time";   // from sending to the last byte
inline constexpr std::string_view kFromSchedule =
    "http.latency_from_schedule";                                      // from the intended time to the last byte
inline constexpr std::string_view kConnectTime = "http.connect_time";  // of new connections: name, TCP
inline constexpr std::string_view kTlsTime = "http.tls_time";          // of new connections: handshake
inline constexpr std::string_view kDownloaded = "http.downloaded_bytes";
inline constexpr std::string_view kUploaded = "http.uploaded_bytes";
inline constexpr std::string_view kCodes = "http.codes";    // with the tag status
inline constexpr std::string_view kErrors = "http.errors";  // with the tag kind: words(Failure)
// Of requests that the end of the run, after its grace, found unanswered: how long they had waited until then, which
// says only that they would have taken longer; and how many requests their users would have sent meanwhile, at their
// own pace.
inline constexpr std::string_view kUnanswered = "http.unanswered";
inline constexpr std::string_view kUnsent = "http.unanswered_stand_for";

// One to a worker. `endpoint`, when it is not empty, tags latencies and codes.
class HttpMeasures {
 public:
  HttpMeasures(Collector& collector, std::string endpoint);

  // `intended`: when the schedule wanted the request sent; nullopt: there was no schedule.
  void record(Recorder& recorder, const Answer& answer, std::optional<base::SteadyPoint> intended);
  // When the run ends before the answer: neither an answer nor a failure. `stands_for`: at least 1.
  void record_unanswered(Recorder& recorder, const Times& times, double stands_for);

 private:
  Series code(int status);
  Series error(Failure failure);

  Collector& collector_;
  const Tags tags_;
  Series requests_;
  Series responses_;
  Series first_byte_;
  Series service_time_;
  Series from_schedule_;
  Series connect_;
  Series tls_;
  Series downloaded_;
  Series uploaded_;
  std::array<std::optional<Series>, 500> codes_;  // by status - 100; made when first seen
  std::array<std::optional<Series>, kFailures> errors_;
};

}  // namespace securebase::load
