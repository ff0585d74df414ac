// The options that a run has, of all who say some.
#pragma once

#include <string>

#include "k6/console.h"
#include "k6/options.h"
#include "k6/run.h"

namespace securebase::k6 {

// From the lowest to the highest: --config, the script's (`exported`, as JSON; "": none), the environment, the command
// line. Unknown names are told on the console.
Result<Options> gather_options(const RunSettings& settings, const std::string& exported, Console& console);

}  // namespace securebase::k6
