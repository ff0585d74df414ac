// A run as one HTML page: everything is in the file, nothing is fetched, no script runs; readable on a telephone, in
// the dark and on paper.
#pragma once

#include <string>

#include "load/report/report_view.h"

namespace securebase::load {

std::string html_report(const ReportView& view);

}  // namespace securebase::load
