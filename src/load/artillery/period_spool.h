// The periods of a run until its report is written: on the disk, for a day has 8,640 of them with all counters each.
// And how a file is written that is too large to be held at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::load::artillery {

// One thread. Its file has no name: whatever ends the program, nothing is left of it.
class PeriodSpool {
 public:
  PeriodSpool() = default;
  ~PeriodSpool();
  PeriodSpool(const PeriodSpool&) = delete;
  PeriodSpool& operator=(const PeriodSpool&) = delete;

  Result<Done> open(const std::filesystem::path& directory);
  // One period's JSON. What the disk does not take is told by give().
  void add(std::string_view json);
  // All of them, in order and with commas between, in pieces of at most 64 KB; stops when `take` fails. An error also
  // when some are missing: then those before them were given.
  using Take = std::function<Result<Done>(std::string_view)>;
  Result<Done> give(const Take& take) const;

 private:
  int file_ = -1;
  std::size_t added_ = 0;
  std::size_t missing_ = 0;  // all after the first that failed
  std::uint64_t bytes_ = 0;  // of those that are there
  std::string failure_ = "it was not opened";
};

}  // namespace securebase::load::artillery
