// A run as load/'s page shows it (`k6 run --html FILE`).
#pragma once

#include "base/clock.h"
#include "k6/endpoints.h"
#include "k6/summary.h"
#include "load/report/report_view.h"

namespace securebase::k6 {

struct PageFacts {
  std::string script;
  base::TimePoint started;
  Nanoseconds elapsed{};
  int exit_code = 0;
  base::Json hops;                          // platform_hops.h; null: none
  std::vector<Endpoints::Total> endpoints;  // requests by their name
};

// Latency over time is of http_req_duration. Endpoints are requests by their name, and whatever other tags thresholds
// ask for.
load::ReportView view_of(const PageFacts& facts, const Metrics& metrics, const Groups& groups,
                         const load::Measured& measured);

}  // namespace securebase::k6
