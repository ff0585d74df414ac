// Measured as JSON, with its histograms, so that results can be merged and compared later. It is the member "measured"
// of a result in the format "securebase-load/1" (docs/load.md).
#pragma once

#include "base/json.h"
#include "load/measure/measured.h"

namespace securebase::load {

inline constexpr std::string_view kResultFormat = "securebase-load/1";

base::Json to_json(const Measured& measured);
// Refuses what to_json could not have written: unordered buckets, counts that do not add up, more slices than there
// can be.
Result<Measured> measured_from_json(const base::Json& json);

base::Json sketch_to_json(const telemetry::Sketch& sketch);
Result<telemetry::Sketch> sketch_from_json(const base::Json& json);

}  // namespace securebase::load
