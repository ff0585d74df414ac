// What `securebase lighthouse` makes of its runs. Pure functions; lighthouse.cc runs the browser.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::cli {

// One run. Times in milliseconds; empty where Lighthouse had none.
struct LighthouseRun {
  double score = 0;  // 0 to 100
  std::optional<double> first_contentful_paint;
  std::optional<double> largest_contentful_paint;
  std::optional<double> total_blocking_time;
  std::optional<double> cumulative_layout_shift;
  std::optional<double> speed_index;
  std::optional<double> benchmark_index;  // of the machine while it ran: a loaded one has less
};

// A line that tools/browser/lighthouse.mjs printed.
Result<LighthouseRun> lighthouse_run(std::string_view line);

struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
};
// nullopt when there are no values.
std::optional<Spread> spread_of(std::vector<double> values);

// "pass" and "fail" when all runs are on that side of the wanted score, else "uncertain, ...": the median decides.
std::string lighthouse_verdict(const Spread& score, double min_score);
std::string render_lighthouse(const std::string& url, const std::vector<LighthouseRun>& runs,
                              std::optional<double> min_score);
base::Json lighthouse_json(const std::string& url, const std::vector<LighthouseRun>& runs,
                           std::optional<double> min_score);

}  // namespace securebase::cli
