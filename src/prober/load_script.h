// A load test's script as a canary: one visit of one user, by the very program that runs the load test. So one script
// is load test, canary and gate. What passes: the tool's exit code is 0 (thresholds, `ensure`), every check or
// expectation held, every request was answered, no answer was an unexpected 5xx, and, unless the script checks its
// answers itself, none was a 4xx. Pure functions over what the tools have written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "prober/canary.h"

namespace securebase::prober {

enum class LoadTool { kK6, kArtillery };
// By the handler's ending, which is_load_script() takes.
LoadTool load_tool_of(std::string_view handler);

// The words of one visit; the tool writes what was measured into `results`.
std::vector<std::string> load_words(const Canary& canary, const Workshop& workshop,
                                    const std::filesystem::path& results);
std::filesystem::path load_program(LoadTool tool, const Workshop& workshop);

inline constexpr std::size_t kResultBytes = std::size_t{16} << 20;  // of `results`; a visit has some KB

// Fill `run` from what was measured: steps by the requests' names, counts, verdict and reason. Of `output` the last
// line is the tool's own word on an exit code that is not 0. `samples`: k6's lines of JSON (--out json).
// https://grafana.com/docs/k6/latest/results-output/real-time/json/
void take_k6_samples(std::string_view samples, int exit_code, std::string_view output, CanaryRun& run);
// `report`: Artillery's --output.
void take_artillery_report(std::string_view report, int exit_code, std::string_view output, CanaryRun& run);

}  // namespace securebase::prober
