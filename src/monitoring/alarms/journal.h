// What the alarms know, on disk: segments of records that are only appended to. A segment begins with a snapshot of
// everything but history, so the newest one alone gives definitions and states; the older ones hold the history of two
// weeks and are deleted whole. A record is JSON behind its length and a checksum; what a crash tore off at the end of
// the newest segment is cut off when it is opened. One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace securebase::monitoring {

class Journal {
 public:
  struct Limits {
    std::chrono::hours kept{14 * 24};
    std::chrono::hours segment_age{24};
    std::uint64_t segment_bytes = std::uint64_t{32} << 20;  // besides its snapshot
    std::size_t segments = 64;                              // older ones go, whatever their age
  };
  enum class Part { kHistory, kEverything };  // of a record that is replayed
  using Replay = std::function<void(const base::Json& record, Part part)>;

  // Gives every record to `replay`, oldest first: of all but the newest segment only the history counts.
  static Result<std::unique_ptr<Journal>> open(std::filesystem::path directory, Limits limits, const Replay& replay);
  ~Journal();

  // On disk when it returns with kSync; without, with the next one that is.
  enum class Durability { kSync, kLater };
  Result<Done> append(const base::Json& record, Durability durability);

  // Whether it is time for a new segment; also after an append that failed.
  bool wants_rotation(base::TimePoint now) const;
  Result<Done> rotate(const std::vector<base::Json>& snapshot, base::TimePoint now);

 private:
  Journal(std::filesystem::path directory, Limits limits) : directory_(std::move(directory)), limits_(limits) {}
  void drop_old(base::TimePoint now);

  struct Segment {
    std::uint64_t number;
    std::int64_t begun;  // seconds since the epoch
    std::filesystem::path path;
  };
  const std::filesystem::path directory_;
  const Limits limits_;
  std::vector<Segment> segments_;  // oldest first; the last is written to
  int file_ = -1;
  std::uint64_t bytes_ = 0;        // of the last segment
  std::uint64_t begun_bytes_ = 0;  // of its snapshot
  bool broken_ = false;
};

}  // namespace securebase::monitoring
