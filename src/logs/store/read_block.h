// One block's columns, from wherever its bytes are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/store/block.h"
#include "logs/store/read_messages.h"
#include "logs/store/segment.h"

namespace securebase::logs {

// A block, still in memory or in a segment. Copies share what they refer to.
struct BlockPlace {
  std::shared_ptr<const EncodedBlock> in_memory;
  // Else:
  std::shared_ptr<const Segment::Reader> file;
  std::shared_ptr<const SegmentIndex> index;  // holds the block's info
  std::size_t block = 0;

  const BlockInfo& info() const { return in_memory ? in_memory->info : index->blocks[block].info; }
  // `into` is replaced by bytes of the block, which the result refers to, or to the block itself.
  Result<std::string_view> read(std::uint32_t offset, std::uint32_t bytes, std::string& into) const;
};

// The blocks of a segment that are not known to be damaged. It is opened for that.
Result<std::vector<BlockPlace>> blocks_of(const Segment& segment);

// Reads columns of one block after the other, into memory that it keeps.
class BlockReader {
 public:
  // What was read of the block before is gone.
  void begin(const BlockPlace& place);
  // Of the block: kMissing if it has none of that name. Valid until begin().
  Result<const Column*> column(std::string_view name);
  // The block's messages, for whoever does not want them all. Valid until begin().
  Result<ReadMessages*> messages();
  // May the block have an event with all these words?
  Result<bool> may_have_all(std::span<const std::uint64_t> hashes);
  Result<bool> may_have_all(std::span<const PlainWordsOf> plain);
  const BlockInfo& info() const { return place_.info(); }
  // kUnavailable: what is said when the block cannot be read. If it is not what was written, it is left out from now
  // on.
  Error unreadable(const Error& why) const;

 private:
  struct Read {
    bool now = false;  // of this block
    std::optional<Alphabet> alphabet;
    DecodedColumn column;
  };
  Result<const Column*> part_of_messages(std::string_view name);
  Alphabet alphabet_of(std::string_view name);
  Result<Done> read_column(const BlockInfo::Field& field, DecodedColumn& into);
  Result<Done> build_messages(DecodedColumn& into);
  BlockPlace place_;
  std::map<std::string, Read, std::less<>> columns_;
  ReadMessages messages_;
  bool messages_read_ = false;  // of this block
  std::string bytes_;
  std::string list_;
  Column missing_;
};

}  // namespace securebase::logs
