// A file of slots that never changes: one level, one partition, any series. docs/metrics-store.md draws it.
//
//   blocks     one series' slots in rising order, at most kSlotsPerBlock: crc32 of what follows, length of the heads,
//              heads, histograms (slot_codec.h)
//   index      a Block for each, by series and then by time
//   footer     fixed size, at the very end; its checksum covers the index too
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "monitoring/metrics/slot_codec.h"

namespace securebase::monitoring {

using SeriesId = std::uint32_t;
// Two hours of minutes: so much is decoded at least.
inline constexpr std::size_t kSlotsPerBlock = 128;

struct SegmentName {
  std::uint32_t level = 0;  // index into kLevels
  std::int64_t partition = 0;
  std::uint64_t sequence = 0;  // unique in the store; rises
  std::string file() const;    // "60s-20600-000123.segment"
  bool operator==(const SegmentName&) const = default;
};

// An open file, mapped. Immutable; any thread.
class Segment {
 public:
  struct Block {
    SeriesId series = 0;
    std::uint32_t length = 0;
    std::uint64_t offset = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;  // slots
  };

  // kMalformed: not a segment of that name, or torn.
  static Result<std::shared_ptr<const Segment>> open(const std::filesystem::path& directory, const SegmentName& name);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  const SegmentName& name() const { return name_; }
  std::uint64_t bytes() const { return bytes_.size(); }
  std::span<const Block> blocks() const { return blocks_; }
  std::span<const Block> blocks_of(SeriesId series) const;
  // The block as it lies, checksum included. kMalformed: its checksum does not fit; it is read no further.
  Result<std::string_view> read(const Block& block) const;

 private:
  Segment(SegmentName name, std::string_view bytes);
  Result<Done> check_footer();

  const SegmentName name_;
  const std::string_view bytes_;  // mapped; ours to unmap
  std::span<const Block> blocks_;
  // By block: its checksum was compared once, and fitted.
  mutable std::unique_ptr<std::atomic<bool>[]> proved_;
};

// The slots of a block, in order. The bytes outlive it.
class BlockReader {
 public:
  BlockReader(std::string_view block, Detail detail);
  // false: no more, or (bad()) not what put_slot wrote.
  bool next(Slot& slot);
  bool bad() const { return heads_.bad(); }

 private:
  Detail detail_;
  Cursor heads_;
  Cursor histograms_;
  std::int64_t before_ = 0;
};

// Writes one segment. Nothing counts until finish(); an unfinished file is removed when the writer goes.
class SegmentWriter {
 public:
  SegmentWriter(std::filesystem::path directory, SegmentName name);
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  const SegmentName& name() const { return name_; }
  // Series rise; slots of a series rise from call to call.
  void add(SeriesId series, std::span<const Slot> slots);
  // A block of another segment, as it lies.
  void add(const Segment::Block& block, std::string_view bytes);
  // On disk when it returns (the directory's entry is the caller's to sync).
  Result<std::shared_ptr<const Segment>> finish();

 private:
  void drain();

  const std::filesystem::path directory_;
  const SegmentName name_;
  int file_ = -1;
  int failure_ = 0;  // errno of the first call that failed; told by finish()
  bool finished_ = false;
  std::uint64_t written_ = 0;
  std::string buffer_;
  std::string heads_;
  std::string histograms_;
  std::vector<Segment::Block> blocks_;
};

}  // namespace securebase::monitoring
