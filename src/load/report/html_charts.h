// The pictures of the report, as SVG. Colours come from the page's style (classes), so that they follow its theme.
#pragma once

#include <string>
#include <string_view>

#include "load/report/report_view.h"

namespace securebase::load {

// Latency by percentile, with the percentiles on a scale in which each nine is as wide as the one before.
std::string percentile_chart(const std::vector<ReportView::Curve>& curves);
// How many answers had which latency when (where histograms are known), with p50, p95 and p99 over it.
std::string latency_chart(const ReportView& view);
// Requests and errors a second.
std::string rate_chart(const ReportView& view);
// "870 µs", "12.4 ms", "1.24 s".
std::string time_text(double milliseconds);

}  // namespace securebase::load
