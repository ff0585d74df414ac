// Labels of graphs with their dynamic parts (CloudWatch user guide, "Use dynamic labels"): "${LABEL}: ${MAX}".
#pragma once

#include <optional>
#include <string>

#include "monitoring/math/value.h"
#include "monitoring/queries.h"

namespace securebase::monitoring::math {

struct LabelContext {
  std::string region;
  std::string account;
  std::chrono::minutes timezone{0};  // of LabelOptions: "+0130"
  base::TimePoint now;               // for the relative times
};

// `own` is what ${LABEL} stands for. What is between ${ and } and not known stays as it is. Values that a series
// without points does not have are "--".
std::string render_label(std::string_view label, std::string_view own, const TimeSeries& series,
                         const std::optional<MetricStat>& metric, const LabelContext& context);

// "+0130", "-0800"; nullopt: it is none.
std::optional<std::chrono::minutes> parse_timezone(std::string_view text);

}  // namespace securebase::monitoring::math
