// A frame of the traces' files: its head, a filter of trace ids, its payload, compressed. And what the files of the
// store and their merging have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "traces/record/record.h"
#include "traces/store/store.h"

namespace securebase::traces {

inline constexpr std::uint32_t kFrameMagic = 0x31544253;  // "SBT1"
inline constexpr std::size_t kMostFilterWords = 4096;

enum class FrameKind : std::uint16_t {
  kRecords = 0,
  kCounts = 1,
  kCovers = 2,  // no payload: the file holds what the files of the numbers from_ns to to_ns held
  kManyCounts = 3,
};

struct FrameHead {
  std::uint32_t magic = kFrameMagic;
  std::uint16_t kind = 0;
  std::uint16_t filter_words = 0;
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_checksum = 0;
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
  std::uint32_t traces = 0;
  std::uint32_t checksum = 0;  // of what is before it, and of the filter
};
static_assert(sizeof(FrameHead) == 40);

std::uint32_t head_checksum(const FrameHead& head, const std::vector<std::uint64_t>& filter);
std::uint32_t payload_checksum(std::string_view payload);

Result<Done> write_at(int file, std::uint64_t at, std::string_view bytes);

struct Store::File {
  std::filesystem::path path;
  std::uint64_t number = 0;
  std::uint64_t last_number = 0;  // of those that it took the place of; its own when it took nobody's
  int file = -1;
  std::uint64_t bytes = 0;  // under writing_
  std::size_t frames = 0;   // under writing_
  bool merged = false;      // under merging_
  bool whole = true;        // under merging_: false when a part of it could not be read
  WallTime newest{};        // under mutex_: the latest time of what is in it
  ~File();
};

struct Store::Place {
  std::shared_ptr<File> file;
  std::uint64_t payload_at = 0;
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_checksum = 0;
  FrameKind kind = FrameKind::kRecords;
  WallTime from{};
  WallTime to{};
};

struct Store::Frame : Place {
  std::uint32_t traces = 0;
  std::vector<std::uint64_t> filter;

  bool counts() const { return kind != FrameKind::kRecords; }
  // Times, filter and number of these records.
  void describe(const Records& records);
  // Bytes of a frame with this payload, compressed; sets the payload's place, from the frame's beginning.
  Result<std::string> write(std::string_view plain);
};

// Counts of several times as one payload: each with from and to in nanoseconds and its length before it.
struct TimedCounts {
  WallTime from{};
  WallTime to{};
  std::string_view counts;
};
void append_timed(std::string& payload, const TimedCounts& counts);
// false: not what append_timed() made.
bool read_timed(std::string_view payload, std::vector<TimedCounts>& into);

}  // namespace securebase::traces
