// The script that measures in the browser, and the reader of what it sends.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "rum/rum.h"

namespace securebase::rum {

// What of a beacon is believed. Times beyond an hour are a computer that slept; the script itself sends at most eight
// traces.
inline constexpr std::size_t kBeaconBytes = 2048;
inline constexpr std::size_t kPathBytes = 512;
inline constexpr std::size_t kTraces = 8;
inline constexpr double kLongestMilliseconds = 3'600'000;
inline constexpr double kLargestShift = 1000;
inline constexpr std::int64_t kMostErrors = 10'000;

// JavaScript, minified. Below 1 `sample_rate`, that share of page loads runs it.
std::string script(double sample_rate);

struct Beacon {
  std::string path;  // begins with '/', visible ASCII
  Timings timings;
  std::uint32_t script_errors = 0;
  std::vector<std::string> traces;
};

// {"p":"/invoices","t":12,"f":90,"l":120,"d":95,"o":180,"i":40,"c":0.01,"e":0,"x":["1-5759e988-bd862e3fe1be46a994272793"]}
// with numbers null or left out where the browser had none. Anything else is refused: an unknown member, a number out
// of its range, a trace id that is none.
Result<Beacon> parse_beacon(std::string_view text);

}  // namespace securebase::rum
