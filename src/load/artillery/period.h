// What was measured within a period, or in the whole run, as Artillery reports it: counters, rates and summaries by
// metric's name, on the console and in report.json.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "load/measure/measured.h"

namespace securebase::load::artillery {

struct Summary {  // of milliseconds, with one decimal
  double minimum = 0;
  double maximum = 0;
  std::uint64_t count = 0;
  double mean = 0;
  double p50 = 0;
  double p75 = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  double p999 = 0;
};

struct Period {
  std::map<std::string, double> counters;
  std::map<std::string, double> rates;  // a second
  std::map<std::string, Summary> summaries;
  std::int64_t begin_ms =
      0;  // since 1970; of the period's name, which is a multiple of ten seconds, and of what it holds
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;

  bool empty() const { return counters.empty() && rates.empty() && summaries.empty(); }
};

// `run_start` is when the times of slices count from. Series with other tags than the metric's are added up.
Period make_period(const Values& values, base::TimePoint run_start, std::chrono::milliseconds begin,
                   std::chrono::milliseconds end);

// The aggregate's `period` is a number and that of intermediate ones text, as Artillery writes them.
enum class PeriodPlace { kAggregate, kIntermediate };
base::Json to_json(const Period& period, PeriodPlace place);
base::Json report_json(const Period& aggregate, const std::vector<base::Json>& intermediate);

struct Report {
  Period aggregate;
  std::vector<Period> intermediate;
};
// Reads a report.json, Artillery's or ours. Unknown members are passed over.
Result<Report> read_report(const base::Json& json);
Result<Report> parse_report(std::string_view text);

// The metrics as Artillery prints them: names with dots up to their values, `width` columns wide. Metrics whose names
// hold `suppressed` are left out (empty: none are).
std::string metrics_text(const Period& period, std::size_t width, std::string_view suppressed);

}  // namespace securebase::load::artillery
