// The life of a custom runtime: initialise once, then answer one invocation after the other.
//
//   int main() { return lambda::serve([] { return make_handler(); }); }
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lambda/runtime_api.h"

namespace securebase::lambda {

// The response's JSON, or the error that the invocation fails with.
using Handler = std::function<Result<std::string>(const Invocation& invocation)>;
// Reads the environment and makes what lives across invocations. Opens no connections: the platform may fork the
// process after this.
using Initialise = std::function<Result<Handler>()>;

// Returns the exit status, after the platform has gone or the initialisation has failed.
int serve(const Initialise& initialise);

// Until the deadline of the invocation in progress; a long time when there is none. Never negative.
std::chrono::milliseconds time_left();

// A line on standard output, which is the function's log; with the id of the invocation in progress.
void log_line(std::string_view level, std::string_view text);

}  // namespace securebase::lambda
