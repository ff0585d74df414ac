// A report.json of Artillery, its own or ours, as a page shows it.
#pragma once

#include "base/json.h"
#include "load/report/report_view.h"

namespace securebase::load::artillery {

// With our member "securebase" percentiles come from histograms, and the timeline is by seconds; without it from the
// summaries of every ten seconds.
Result<ReportView> view_of_artillery_report(const base::Json& report);

}  // namespace securebase::load::artillery
