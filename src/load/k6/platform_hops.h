// Where the time went within the target when it is the platform itself. The platform is asked by the program that
// started this one (`securebase k6`), over a socket that it passed on: lines of JSON, a question {"duration_ms",
// "requests"} and an answer, which is what the platform counted of its routes, or null.
#pragma once

#include <chrono>
#include <string>

#include "base/json.h"

namespace securebase::k6 {

// `socket`: -1 when nobody can be asked. Waits some seconds at most; null: nothing is known.
base::Json ask_for_hops(int socket, std::chrono::milliseconds duration, double requests);

// A line for each of the slowest routes: requests, p50, p95, and the hops of those around the p95. "": nothing is
// known.
std::string hops_text(const base::Json& hops);

}  // namespace securebase::k6
