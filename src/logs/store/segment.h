// A file of blocks that does not change any more: segment-{number}.
//
//   "SBLOGS01"
//   per block   "BLCK", length of the head, length of the body, CRC of the head; the head (put_block_info); the body
//   the footer  compressed: the streams with what is known of them, and all heads again, each with its place
//   the trailer place and length of the footer, its CRC, "SBLOGEND"
//
// Every column carries its own checksum. A file without its trailer is read block by block, up to where it is torn.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/store/block.h"
#include "logs/store/settings.h"

namespace securebase::logs {

// What is known of a stream. Times are milliseconds since the epoch.
struct StreamInfo {
  std::int64_t created_ms = 0;
  std::int64_t first_event_ms = 0;  // meaningless without events
  std::int64_t last_event_ms = 0;
  std::int64_t last_ingestion_ms = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // of messages

  void add(std::int64_t time_ms, std::int64_t ingestion_ms, std::uint64_t message_bytes);
  void add(const StreamInfo& more);
};
using Streams = std::map<std::string, StreamInfo, std::less<>>;

struct PlacedBlock {
  std::uint64_t offset = 0;  // of its body in the file
  BlockInfo info;
};

struct SegmentSummary {
  std::uint64_t rows = 0;
  std::uint64_t message_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t first_sequence = 0;
  std::uint64_t next_sequence = 0;
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
};

// The footer, as the file holds it.
struct SegmentIndex {
  Streams streams;
  std::uint64_t first_sequence = 0;
  std::uint64_t next_sequence = 0;
  std::vector<PlacedBlock> blocks;

  SegmentSummary summary() const;
};

// Pure: for the fuzzer as well.
void put_segment_index(std::string& out, const SegmentIndex& index);
Result<SegmentIndex> take_segment_index(std::string_view bytes);

// Writes beside it, syncs, renames, syncs the directory: the segment is there or not.
Result<SegmentSummary> write_segment(const std::filesystem::path& path,
                                     const std::vector<std::shared_ptr<const EncodedBlock>>& blocks,
                                     const Streams& streams, std::uint64_t first_sequence, std::uint64_t next_sequence);

// Blocks of a segment that turned out not to be what was written, as a bad byte on the disk makes them: who meets one
// first says so, and what is asked for after that is answered without it. Any thread.
class DamagedBlocks {
 public:
  // False: it is known.
  bool add(std::size_t block);
  bool has(std::size_t block) const;
  std::size_t count() const;

 private:
  mutable std::mutex mutex_;
  std::set<std::size_t> blocks_;  // guarded by mutex_
};

// Any thread. The file is opened when it is read first, and goes when nobody reads it any more and it was condemned.
class Segment {
 public:
  struct Opened {
    std::shared_ptr<Segment> segment;
    Streams streams;
    std::string repaired;  // what was wrong with it and what is left; empty when all was well
  };
  using PositionedRead = ssize_t (*)(int file, void* into, std::size_t bytes, off_t offset);  // pread(2), or a test's
  // Reads its footer; makes one from the blocks that are whole if there is none, and writes it: events of streams that
  // were `deleted` after they came are not counted in it. kIo: the disk does not give it; nothing was changed.
  static Result<Opened> open(const std::filesystem::path& path, std::uint64_t number, PositionedRead read = &::pread,
                             const DeletedStreams& deleted = {});
  Segment(std::filesystem::path path, std::uint64_t number, SegmentSummary summary, PositionedRead read = &::pread)
      : path_(std::move(path)), number_(number), summary_(summary), read_(read) {}
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  std::uint64_t number() const { return number_; }
  const SegmentSummary& summary() const { return summary_; }
  void condemn() { condemned_.store(true); }
  std::size_t damaged_blocks() const { return damaged_->count(); }

  // An open file.
  class Reader {
   public:
    Reader(int file, PositionedRead read, std::filesystem::path path, std::shared_ptr<DamagedBlocks> damaged)
        : file_(file), read_(read), path_(std::move(path)), damaged_(std::move(damaged)) {}
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    Result<Done> read(std::uint64_t offset, std::size_t bytes, std::string& into) const;
    const std::filesystem::path& path() const { return path_; }
    DamagedBlocks& damaged() const { return *damaged_; }

   private:
    const int file_;
    const PositionedRead read_;
    const std::filesystem::path path_;
    const std::shared_ptr<DamagedBlocks> damaged_;
  };
  Result<std::unique_ptr<Reader>> reader() const;
  Result<SegmentIndex> index(const Reader& reader) const;

 private:
  const std::filesystem::path path_;
  const std::uint64_t number_;
  const SegmentSummary summary_;
  const PositionedRead read_;
  const std::shared_ptr<DamagedBlocks> damaged_ = std::make_shared<DamagedBlocks>();
  std::atomic<bool> condemned_{false};
};

}  // namespace securebase::logs
