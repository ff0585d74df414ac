// The numbers that people look at first, taken from what was measured.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "load/measure/measured.h"

namespace securebase::load {

struct Summary {
  std::uint64_t requests = 0;
  std::uint64_t responses = 0;
  std::uint64_t status_2xx = 0;
  std::uint64_t status_3xx = 0;
  std::uint64_t status_4xx = 0;
  std::uint64_t status_5xx = 0;
  std::uint64_t transport_errors = 0;
  std::uint64_t unanswered = 0;  // at the end of the run; not among the requests
  double longest_unanswered_ms = 0;
  std::map<std::string, std::uint64_t> codes;   // by status
  std::map<std::string, std::uint64_t> errors;  // by kind
  double seconds = 0;
  double downloaded_bytes = 0;
  double uploaded_bytes = 0;

  double answers_a_second() const { return seconds > 0 ? static_cast<double>(responses) / seconds : 0; }
  // Of all requests, in percent: no answer, 4xx or 5xx.
  double error_percent() const { return percent_of(status_4xx + status_5xx + transport_errors); }
  double percent_of(std::uint64_t count) const {
    return requests ? 100.0 * static_cast<double>(count) / static_cast<double>(requests) : 0;
  }
};

Summary summarise(const Values& values, std::chrono::milliseconds duration);
// The trend that a run's latency means: from the schedule in an open model, else service time.
std::optional<Value> latency_of(const Values& values, bool open);
base::Json to_json(const Summary& summary, const Values& values);

}  // namespace securebase::load
