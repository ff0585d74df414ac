// Options as JSON, and texts as thresholds, selectors, stages and durations. Scenarios that are accepted can be
// planned.
#include <cstdint>
#include <cstdlib>

#include "k6/arrivals.h"
#include "k6/options.h"
#include "k6/user_schedule.h"

namespace {
void believe(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::k6;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto threshold = parse_threshold(text)) (void)threshold->holds(1);
  (void)parse_selector(text).has_value();
  (void)parse_stages(text).has_value();
  if (auto duration = parse_duration(text)) believe(duration->count() >= 0);
  const auto json = securebase::base::Json::parse(text);
  if (!json) return 0;
  const auto options = options_from(*json);
  if (!options) return 0;
  std::vector<std::string> warnings;
  const auto scenarios = scenarios_of(*options, warnings);
  if (!scenarios) return 0;
  (void)to_json(*options, *scenarios);
  for (const auto& scenario : *scenarios) {
    believe(scenario.users_at_most() <= Scenario::kMostVus);
    if (scenario.executor == Executor::kRampingVus) {
      for (const auto& stretch : stretches_of(scenario, 0)) believe(stretch.begin <= stretch.end);
    }
    if (!scenario.open_model()) continue;
    Arrivals arrivals(scenario);
    Nanoseconds before{};
    for (int i = 0; i < 100; ++i) {
      const auto next = arrivals.next();
      if (!next) break;
      believe(*next >= before);
      before = *next;
    }
  }
  return 0;
}
