// A few thousand events of a group in columns, sorted by time: what segments are made of, and what queries read.
//
// "@timestamp", "@ingestionTime" and "@sequence" are numbers; "@logStream" and "@message" texts; all other columns are
// fields that were found in the events. "@sequence" is the store's own: no query sees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/store/block_words.h"
#include "logs/store/chunk.h"
#include "logs/store/column.h"
#include "logs/store/discover.h"

namespace securebase::logs {

inline constexpr std::string_view kTimestamp = "@timestamp";
inline constexpr std::string_view kIngestionTime = "@ingestionTime";
inline constexpr std::string_view kSequence = "@sequence";
inline constexpr std::string_view kLogStream = "@logStream";
inline constexpr std::string_view kMessage = "@message";

// What is known of a block without reading it. Offsets count from the begin of its bytes.
struct BlockInfo {
  struct Field {
    std::string name;
    Column::Kind kind = Column::Kind::kMissing;
    std::uint32_t offset = 0;
    std::uint32_t bytes = 0;
    std::uint32_t raw_bytes = 0;
    double least = 0;  // of its numbers
    double most = 0;
    bool rebuilt = false;  // by decode_messages()
  };
  std::uint32_t rows = 0;
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::uint64_t message_bytes = 0;
  std::uint32_t filter_offset = 0;  // of the token filter
  std::uint32_t filter_bytes = 0;
  bool filter_is_old = false;        // of other hashes: it says nothing
  std::uint32_t list_bytes = 0;      // of the plain words, behind the filter; compressed
  std::uint32_t list_raw_bytes = 0;  // 0: there is no list
  std::uint32_t bytes = 0;           // all of it
  std::vector<Field> fields;

  const Field* find(std::string_view name) const;
};

void put_block_info(std::string& out, const BlockInfo& info);
// kMalformed: bytes that do not follow this, or offsets beyond the block.
Result<BlockInfo> take_block_info(std::string_view bytes);

struct EncodedBlock {
  BlockInfo info;
  std::string bytes;
};

// Makes blocks. One thread at a time; keeps what it needs for the next one.
class BlockBuilder {
 public:
  static constexpr std::size_t kFields = 1024;  // different ones in a block; further ones are in the text only

  explicit BlockBuilder(Discoverer::Limits limits = {});
  // Of a chunk that is not empty.
  EncodedBlock build(const Chunk& chunk);
  // Values that found no place because of kFields.
  std::uint64_t left_out() const { return left_out_; }

 private:
  class Fields;
  Discoverer discoverer_;
  BlockWords words_;
  std::uint64_t left_out_ = 0;
};

}  // namespace securebase::logs
