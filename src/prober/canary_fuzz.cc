#include "prober/canary.h"
#include "prober/load_script.h"

#include <cstdlib>

// Steps that are read are written and read again as they were; lines of runs stay within their bound.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase::prober;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto steps = parse_steps(text)) {
    Canary canary;
    canary.name = "c";
    canary.steps = std::move(*steps);
    Canaries canaries;
    canaries.all.push_back(std::move(canary));
    const auto written = to_text(canaries);
    const auto again = canaries_from(written);
    if (!again || to_text(*again) != written) std::abort();
  }
  CanaryRun run;
  run.canary = "c";
  take_report(text, 0, run);
  if (to_line(run).size() > kRunBytes || !run_from(to_line(run))) std::abort();
  for (const auto take : {take_k6_samples, take_artillery_report}) {
    CanaryRun visit;
    visit.canary = "c";
    take(text, 0, text, visit);
    if (visit.passed != visit.reason.empty() || to_line(visit).size() > kRunBytes || !run_from(to_line(visit)))
      std::abort();
  }
  return 0;
}
