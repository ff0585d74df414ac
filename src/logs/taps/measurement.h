// What log events say in numbers: metric filters and the embedded metric format make these, monitoring keeps them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace securebase::logs {

struct Measurement {
  std::string name_space;
  std::string name;
  std::vector<std::pair<std::string, std::string>> dimensions;
  std::string unit = "None";
  base::TimePoint time;
  bool high_resolution = false;                          // StorageResolution 1
  std::vector<std::pair<double, std::uint64_t>> values;  // and how often each
};

}  // namespace securebase::logs
