// Traces on disk: files that grow by frames, each a compressed block of records or what was counted in some seconds.
// A frame's head is enough to know whether a question is answered by it, so that the index is read without the blocks;
// what a crash left of a frame is recognised and cut off at the start. Whole files leave: when all in them is older
// than the retention, or when all files together have more bytes than they may.
//
//   000001.traces:  head, filter of trace ids, payload (zstd) | head, ... |
//
// A quiet platform writes a block each second with a trace or two in it. merge() makes large blocks of small ones, and
// one file of two, in the background (merge.cc).
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "traces/record/record.h"

namespace securebase::traces {

struct StoreSettings {
  std::filesystem::path directory;
  std::chrono::hours retention{24 * 30};  // X-Ray's own
  std::uint64_t bytes = std::uint64_t{1} << 30;
  std::uint64_t file_bytes = std::uint64_t{32} << 20;          // one that has so many is followed by the next
  std::size_t file_frames = 1024;                              // and one that has so many frames
  ssize_t (*read)(int, void*, std::size_t, off_t) = &::pread;  // pread(2), or a test's
};

struct StoreStatistics {
  std::uint64_t bytes = 0;
  std::uint64_t raw_bytes = 0;  // of the payloads before compression, of those written since the start
  std::uint64_t written_bytes = 0;
  std::size_t files = 0;
  std::size_t blocks = 0;
  std::uint64_t traces = 0;  // records of hops
};

// Any thread. One writes at a time; readers do not wait for the writer's disk.
class Store {
 public:
  static Result<std::unique_ptr<Store>> open(StoreSettings settings, const base::Clock& clock);
  ~Store();

  // With the operating system when it returns: it survives the end of this process.
  Result<Done> append(const Records& records);
  // What was counted in [from, to): opaque here.
  Result<Done> append_counts(std::string_view counts, WallTime from, WallTime to);
  // With the disk.
  Result<Done> sync();
  // Lets files go that are over the retention or the bytes. Waits for merge().
  void expire();
  // Merges one file that is not written any more with itself or with the one before it; at most `file_bytes` are read
  // and written. false: there was nothing to do. What there was is found at every moment, and after a crash.
  Result<bool> merge();

  // Blocks in which something began within [from, to], in the order in which they were written; false from `visit`
  // ends it. A block that cannot be read is logged and left out.
  void scan(WallTime from, WallTime to, const std::function<bool(Records&)>& visit) const;
  // Counts of times that overlap [from, to].
  void scan_counts(WallTime from, WallTime to,
                   const std::function<void(std::string_view, WallTime, WallTime)>& visit) const;
  // All records of a trace.
  Records find(const TraceId& id) const;

  StoreStatistics statistics() const;

 private:
  struct File;
  struct Place;
  struct Frame;
  class Merging;
  Store(StoreSettings settings, const base::Clock& clock);
  Result<Done> load();
  Result<Done> load_all(const std::map<std::uint64_t, std::filesystem::path>& found);
  Result<Done> load_file(const std::shared_ptr<File>& file, bool newest);
  Result<bool> load_frame(const std::shared_ptr<File>& file, bool newest, std::uint64_t size, std::uint64_t& at);
  Result<Done> read_at(const File& file, std::uint64_t at, char* into, std::size_t size) const;
  Result<Done> open_next();
  Result<Done> write_frame(Frame frame, std::string_view plain);
  Result<std::string> read_payload(const Place& place) const;
  std::vector<Place> frames_within(bool counts, WallTime from, WallTime to) const;
  std::vector<std::shared_ptr<File>> to_merge();
  std::vector<Frame> frames_of(const std::vector<std::shared_ptr<File>>& files) const;
  void take_place(const std::vector<std::shared_ptr<File>>& old, const std::shared_ptr<File>& merged,
                  std::vector<Frame> frames);

  const StoreSettings settings_;
  const base::Clock& clock_;
  std::mutex merging_;  // before writing_
  std::mutex writing_;  // before mutex_
  // Under writing_.
  std::shared_ptr<File> newest_;
  std::uint64_t next_number_ = 1;
  mutable std::mutex mutex_;
  // Under mutex_.
  std::vector<Frame> frames_;  // in the order in which they were written
  std::map<std::uint64_t, std::shared_ptr<File>> files_;
  StoreStatistics statistics_;
};

}  // namespace securebase::traces
