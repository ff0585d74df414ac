// A native run for the page that people read, and for the CI that counts tests.
#pragma once

#include <string>
#include <vector>

#include "load/report/report_view.h"
#include "load/report/result.h"

namespace securebase::load {

ReportView view_of(const RunResult& result);
// Of what the target told of its hops: the dozen slowest by p95. Empty: it told nothing.
std::vector<ReportView::Route> routes_of(const base::Json& hops);

// Adds what differs from `baseline`, and which of that is none of noise.
void add_comparison(const RunResult& result, const RunResult& baseline, ReportView& view);

// JUnit's XML, as CI systems read it: a test case for each threshold and each check, and one that says whether the run
// is valid. What has no verdict for want of evidence is skipped.
std::string as_junit(const RunResult& result);

}  // namespace securebase::load
