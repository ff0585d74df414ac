// A result, and a run under way, as text for a terminal. Without colour: the command line adds that.
#pragma once

#include <string>

#include "load/report/result.h"
#include "load/scenarios/run.h"

namespace securebase::load {

// Some lines, one of which says which clock its latencies have.
std::string as_text(const RunResult& result);
// One line: "00:12 of 05:00  10 users  980/s  p50 1.2 ms  p95 ...".
std::string as_line(const Live& live);
// "1.24 ms", "12.3 s", "870 us".
std::string duration_text(double milliseconds);

}  // namespace securebase::load
