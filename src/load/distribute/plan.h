// A run's settings on their way to another machine. They hold what the requests hold, credentials too: the way there is
// one that may carry them (docs/load.md).
#pragma once

#include "base/json.h"
#include "load/scenarios/run.h"

namespace securebase::load {

base::Json to_json(const RunSettings& settings);
// Thresholds do not travel: whoever merges judges.
Result<RunSettings> settings_from_json(const base::Json& json);

}  // namespace securebase::load
