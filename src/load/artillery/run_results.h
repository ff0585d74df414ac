// What a run gives when it has ended: an outcome for whoever judges it, and report.json.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "load/artillery/artillery.h"
#include "load/artillery/ensure.h"
#include "load/artillery/period.h"
#include "load/artillery/period_spool.h"
#include "load/artillery/script.h"
#include "load/engine/engine.h"
#include "load/measure/measured.h"

namespace securebase::load::artillery {

// Looked at, not kept.
struct RunResults {
  const Script& script;
  const Measured& measured;
  const Period& aggregate;
  const std::vector<Checked>& checks;
  const Generator& generator;
  base::TimePoint started;
};

Outcome outcome_of(const RunResults& run, bool valid, bool expectation_failed);

// Artillery's report without its periods, and a member `securebase` with what Artillery's does not hold: histograms, so
// that percentiles are exact, and the generator's own state. Other readers pass it over. `ask_hops` as in RunOptions;
// may be empty.
base::Json report_of(const RunResults& run,
                     const std::function<base::Json(std::chrono::milliseconds, double)>& ask_hops);

// Writes it with the periods in their place. Periods that cannot be read leave a report of the rest, and the second of
// the two results says so.
std::pair<Result<Done>, Result<Done>> write_report(const std::filesystem::path& output, const base::Json& report,
                                                   PeriodSpool& periods);

}  // namespace securebase::load::artillery
