// What a run came to: the data of handleSummary(), verdicts on thresholds, and whether the run is valid at all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "k6/metrics.h"
#include "k6/shared.h"
#include "load/measure/measured.h"

namespace securebase::k6 {

struct ThresholdVerdict {
  std::string metric;  // with its tags
  std::string source;
  bool ok = true;
  bool abort_on_fail = false;
  Nanoseconds delay_abort{};
  std::optional<double> observed;  // nullopt: nothing was measured
};
// Those of a metric without samples hold, as in k6.
std::vector<ThresholdVerdict> judge(const Metrics& metrics, const load::Values& values, Nanoseconds elapsed);

struct Validity {
  bool valid = true;
  double lateness_p99_ms = 0;
  std::uint64_t samples = 0;
  std::string text;  // why not, or what was found
};
// The generator was late when the 99th percentile of its lateness is above a tenth of the tightest bound on a duration.
Validity validity_of(const Metrics& metrics, const load::Values& values);

// metrics, root_group, options, state, setup_data, as k6 has them; trends with p(50), p(99), p(99.9) and count always.
base::Json summary_data(const Shared& shared, const load::Values& values, Nanoseconds elapsed);

}  // namespace securebase::k6
