// A log group: its newest events in chunks and a journal, the rest in segments.
//
//   append -> journal (acknowledged) -> chunk -> block, when there are 4096 events -> segment, when there are 32 blocks
//
// Any thread. Appends of one group wait for each other, reads wait for none.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "logs/store/block.h"
#include "logs/store/chunk.h"
#include "logs/store/journal.h"
#include "logs/store/segment.h"
#include "logs/store/settings.h"

namespace securebase::logs {

struct GroupLimits {
  std::size_t segment_rows = 32 * Chunk::kRows;           // of a segment, about
  std::uint64_t journal_bytes = std::uint64_t{64} << 20;  // what a start has to read again of a group, at most about
  std::size_t streams = 100'000;
};

class Group {
 public:
  // Makes the folder.
  static Result<std::unique_ptr<Group>> create(std::filesystem::path folder, GroupSettings settings,
                                               GroupLimits limits);
  // Reads the folder; what had to be repaired is told to `say`, a sentence each.
  static Result<std::unique_ptr<Group>> open(std::filesystem::path folder, GroupLimits limits,
                                             const std::function<void(std::string)>& say);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // When it returns, the events outlast kill -9; gives the first one's sequence. kLimit: too many streams. kIo: the
  // disk is full.
  Result<std::uint64_t> append(std::string_view stream, std::int64_t ingestion_ms, std::span<const Event> events);

  // All events that were stored when it was called.
  struct View {
    std::shared_ptr<const GroupSettings> settings;
    std::vector<std::shared_ptr<const Segment>> segments;     // oldest first
    std::vector<std::shared_ptr<const EncodedBlock>> blocks;  // newer than all segments, oldest first
  };
  View view();

  std::shared_ptr<const GroupSettings> settings() const;
  // Changes what is kept on disk, then what is in force.
  Result<Done> change(const std::function<Result<Done>(GroupSettings&)>& edit);
  // kConflict: it is there. kLimit.
  Result<Done> create_stream(std::string_view name, std::int64_t now_ms);
  // kNotFound.
  Result<Done> delete_stream(std::string_view name);
  bool has_stream(std::string_view name) const;
  Streams streams() const;
  // Of messages.
  std::uint64_t stored_bytes() const;
  std::uint64_t disk_bytes() const;
  std::vector<std::string> fields() const;  // that events have, as far as is known, sorted
  std::size_t damaged_blocks() const;       // that were met, and are left out of answers
  // What had to be repaired when it was opened, a sentence each; constant.
  const std::vector<std::string>& repaired() const { return repaired_; }

  // --- for whoever looks after the groups --------------------------------------------------------------------------

  // Makes a segment of what the journal holds. Nothing: an empty one.
  Result<Done> seal();
  bool wants_seal() const;
  std::size_t head_bytes() const;      // in memory
  std::int64_t head_since_ms() const;  // when its oldest event came; 0: none
  Result<Done> sync();                 // the journal, if something was written
  void rest();                         // closes the journal's file until the next append
  // Segments whose events are all older. How many.
  std::size_t drop_before(std::int64_t time_ms);
  std::optional<std::int64_t> oldest_segment_ms() const;  // its newest event
  bool drop_oldest_segment();
  // Deletes the files. Whoever reads goes on with the files that it has opened, and misses the others.
  Result<Done> remove();
  // The same of a folder that could not be opened.
  static Result<Done> remove(const std::filesystem::path& folder);
  // What group.json of a folder says. kIo, kMalformed.
  static Result<GroupSettings> read_settings(const std::filesystem::path& folder);

 private:
  struct Head {
    std::shared_ptr<const Chunk> raw;  // null when encoded
    std::shared_ptr<const EncodedBlock> block;
    std::uint64_t id = 0;
  };
  Group(std::filesystem::path folder, std::shared_ptr<const GroupSettings> settings, GroupLimits limits);
  Result<Done> load(const std::function<void(std::string)>& say);
  Result<Done> replay(std::uint64_t number, bool last, const std::function<void(std::string)>& say);
  Result<Done> skip_to(std::uint64_t sequence);
  std::filesystem::path file(std::string_view kind, std::uint64_t number) const;
  // With mutex_ held.
  Result<Journal*> journal();
  bool take(std::string_view stream, std::int64_t ingestion_ms, std::span<const Event> events);
  std::pair<StreamInfo*, StreamInfo*> infos_of(std::string_view stream, std::int64_t ingestion_ms);
  void close_chunk();
  void forget_streams_before(std::int64_t time_ms);
  // Without: encodes what was closed.
  void settle();
  Result<Done> finish_seal();
  void learn_fields(const BlockInfo& info);

  const std::filesystem::path folder_;
  const GroupLimits limits_;
  std::vector<std::string> repaired_;  // constant after open()
  std::mutex changing_;                // one change of settings at a time
  std::mutex sealing_now_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<const GroupSettings> settings_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::vector<Head> sealing_;  // of journal number_ - 1, while it becomes a segment
  Streams sealing_streams_;
  std::uint64_t sealing_first_ = 0;
  std::uint64_t sealing_next_ = 0;
  std::vector<Head> closed_;
  Chunk active_;
  std::size_t closed_rows_ = 0;
  Streams head_streams_;  // of closed_ and active_
  std::uint64_t head_first_sequence_ = 0;
  std::int64_t head_since_ms_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t next_head_ = 1;
  std::uint64_t number_ = 1;  // of the journal
  std::unique_ptr<Journal> journal_;
  std::uint64_t journal_bytes_ = 0;                   // while it is closed; 0: there is none yet
  std::shared_ptr<const EncodedBlock> active_block_;  // of the first active_rows_ of active_
  std::size_t active_rows_ = 0;
  Streams streams_;
  std::set<std::string, std::less<>> fields_;
};

}  // namespace securebase::logs
