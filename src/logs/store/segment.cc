#include "logs/store/segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/durable.h"
#include "base/log.h"
#include "logs/store/bytes.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

namespace {

constexpr std::string_view kBegin = "SBLOGS01";
constexpr std::string_view kEnd = "SBLOGEND";
constexpr std::uint32_t kBlockMark = 0x4b434c42;  // "BLCK"
constexpr std::size_t kBlockHead = 16;
constexpr std::size_t kTrailer = 8 + 4 + 4 + 4 + 8;  // place, stored bytes, raw bytes, CRC, kEnd
constexpr std::size_t kMostIndexBytes = std::size_t{256} << 20;

Error damaged(const std::filesystem::path& path, std::string_view what) {
  return {Errc::kMalformed, fmt::format("{}: {}", path.native(), what)};
}

std::string trailer_of(std::uint64_t place, std::string_view stored, std::size_t raw_bytes) {
  std::string out;
  put_fixed(out, place);
  put_fixed(out, static_cast<std::uint32_t>(stored.size()));
  put_fixed(out, static_cast<std::uint32_t>(raw_bytes));
  put_fixed(out, crc_of(stored));
  out += kEnd;
  return out;
}

// Where the next block's body is, or what is wrong.
Result<PlacedBlock> block_at(const Segment::Reader& reader, const std::filesystem::path& path, std::uint64_t at,
                             std::uint64_t file_bytes) {
  std::string bytes;
  if (at + kBlockHead > file_bytes) return damaged(path, "it ends within a block");
  if (auto done = reader.read(at, kBlockHead, bytes); !done) return done.error();
  ByteReader from(bytes);
  const auto mark = from.fixed<std::uint32_t>();
  const auto head = from.fixed<std::uint32_t>();
  const auto body = from.fixed<std::uint32_t>();
  const auto crc = from.fixed<std::uint32_t>();
  if (mark != kBlockMark) return damaged(path, "there is no block where one is expected");
  if (at + kBlockHead + head + body > file_bytes) return damaged(path, "it ends within a block");
  if (auto done = reader.read(at + kBlockHead, head, bytes); !done) return done.error();
  if (crc_of(bytes) != crc) return damaged(path, "the head of a block is not what was written");
  auto info = take_block_info(bytes);
  if (!info) return info.error();
  if (info->bytes != body) return damaged(path, "the head of a block does not fit its body");
  return PlacedBlock{at + kBlockHead + head, std::move(*info)};
}

// Adds what a block's own columns say of streams and sequences.
Result<Done> learn(const Segment::Reader& reader, const PlacedBlock& block, const DeletedStreams& deleted,
                   SegmentIndex& index) {
  DecodedColumn columns[4];
  const std::string_view names[] = {kTimestamp, kIngestionTime, kSequence, kLogStream};
  std::string bytes;
  for (std::size_t i = 0; i < std::size(names); ++i) {
    const auto* field = block.info.find(names[i]);
    if (!field) return Error{Errc::kMalformed, "a block lacks a column that every block has"};
    if (auto done = reader.read(block.offset + field->offset, field->bytes, bytes); !done) return done;
    if (auto done = decode_column(field->kind, bytes, field->raw_bytes, block.info.rows, columns[i]); !done)
      return done;
  }
  const auto& streams = columns[3].view;
  const bool coded = streams.kind == Column::Kind::kDictionary;
  if (!coded && streams.kind != Column::Kind::kTexts) return Error{Errc::kMalformed, "streams are no texts"};
  for (int i = 0; i < 3; ++i) {
    if (columns[i].view.numbers.size() != block.info.rows) return Error{Errc::kMalformed, "times are no numbers"};
  }
  for (std::size_t row = 0; row < block.info.rows; ++row) {
    const auto sequence = static_cast<std::uint64_t>(columns[2].numbers[row]);
    if (index.next_sequence == 0) index.first_sequence = sequence;
    index.first_sequence = std::min(index.first_sequence, sequence);
    index.next_sequence = std::max(index.next_sequence, sequence + 1);
    const auto name = coded ? streams.words[streams.codes[row]] : streams.texts[row];
    // Events of a stream that was deleted since count for nobody, and not for its successor.
    if (const auto gone = deleted.find(name); gone != deleted.end() && sequence < gone->second) continue;
    auto& stream = index.streams[std::string(name)];
    const auto ingestion = static_cast<std::int64_t>(columns[1].numbers[row]);
    if (stream.events == 0) stream.created_ms = ingestion;
    stream.add(static_cast<std::int64_t>(columns[0].numbers[row]), ingestion,
               block.info.message_bytes / block.info.rows);
  }
  return Done{};
}

}  // namespace

void StreamInfo::add(std::int64_t time_ms, std::int64_t ingestion_ms, std::uint64_t message_bytes) {
  first_event_ms = events == 0 ? time_ms : std::min(first_event_ms, time_ms);
  last_event_ms = events == 0 ? time_ms : std::max(last_event_ms, time_ms);
  last_ingestion_ms = std::max(last_ingestion_ms, ingestion_ms);
  ++events;
  bytes += message_bytes;
}

void StreamInfo::add(const StreamInfo& more) {
  if (created_ms == 0 || (more.created_ms != 0 && more.created_ms < created_ms)) created_ms = more.created_ms;
  if (more.events == 0) return;
  first_event_ms = events == 0 ? more.first_event_ms : std::min(first_event_ms, more.first_event_ms);
  last_event_ms = events == 0 ? more.last_event_ms : std::max(last_event_ms, more.last_event_ms);
  last_ingestion_ms = std::max(last_ingestion_ms, more.last_ingestion_ms);
  events += more.events;
  bytes += more.bytes;
}

SegmentSummary SegmentIndex::summary() const {
  SegmentSummary all;
  all.first_sequence = first_sequence;
  all.next_sequence = next_sequence;
  for (const auto& block : blocks) {
    all.first_ms = all.rows == 0 ? block.info.first_ms : std::min(all.first_ms, block.info.first_ms);
    all.last_ms = all.rows == 0 ? block.info.last_ms : std::max(all.last_ms, block.info.last_ms);
    all.rows += block.info.rows;
    all.message_bytes += block.info.message_bytes;
  }
  return all;
}

void put_segment_index(std::string& out, const SegmentIndex& index) {
  put_varint(out, index.first_sequence);
  put_varint(out, index.next_sequence);
  put_varint(out, index.streams.size());
  for (const auto& [name, stream] : index.streams) {
    put_text(out, name);
    put_signed(out, stream.created_ms);
    put_signed(out, stream.first_event_ms);
    put_signed(out, stream.last_event_ms);
    put_signed(out, stream.last_ingestion_ms);
    put_varint(out, stream.events);
    put_varint(out, stream.bytes);
  }
  put_varint(out, index.blocks.size());
  for (const auto& block : index.blocks) {
    put_varint(out, block.offset);
    std::string head;
    put_block_info(head, block.info);
    put_text(out, head);
  }
}

Result<SegmentIndex> take_segment_index(std::string_view bytes) {
  ByteReader from(bytes);
  SegmentIndex index;
  index.first_sequence = from.varint();
  index.next_sequence = from.varint();
  for (auto left = from.varint(); left > 0 && from.ok(); --left) {
    const std::string name(from.text());
    auto& stream = index.streams[name];
    stream.created_ms = from.signed_varint();
    stream.first_event_ms = from.signed_varint();
    stream.last_event_ms = from.signed_varint();
    stream.last_ingestion_ms = from.signed_varint();
    stream.events = from.varint();
    stream.bytes = from.varint();
  }
  for (auto left = from.varint(); left > 0 && from.ok(); --left) {
    PlacedBlock block;
    block.offset = from.varint();
    auto info = take_block_info(from.text());
    if (!info) return info.error();
    block.info = std::move(*info);
    index.blocks.push_back(std::move(block));
  }
  if (!from.ok() || !from.at_end()) return Error{Errc::kMalformed, "the index of a log segment cannot be read"};
  return index;
}

Result<SegmentSummary> write_segment(const std::filesystem::path& path,
                                     const std::vector<std::shared_ptr<const EncodedBlock>>& blocks,
                                     const Streams& streams, std::uint64_t first_sequence,
                                     std::uint64_t next_sequence) {
  SegmentIndex index{streams, first_sequence, next_sequence, {}};
  auto beside = path;
  beside += ".new";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return system_error(errno, "open", beside.native());
  std::uint64_t at = 0;
  const auto put = [&](std::string_view bytes) -> Result<Done> {
    at += bytes.size();
    return base::write_all(file, bytes, beside);
  };
  auto done = [&]() -> Result<Done> {
    if (auto put_begin = put(kBegin); !put_begin) return put_begin;
    for (const auto& block : blocks) {
      std::string head;
      put_block_info(head, block->info);
      std::string mark;
      put_fixed(mark, kBlockMark);
      put_fixed(mark, static_cast<std::uint32_t>(head.size()));
      put_fixed(mark, static_cast<std::uint32_t>(block->bytes.size()));
      put_fixed(mark, crc_of(head));
      if (auto put_head = put(mark + head); !put_head) return put_head;
      index.blocks.push_back({at, block->info});
      if (auto put_body = put(block->bytes); !put_body) return put_body;
    }
    std::string raw;
    put_segment_index(raw, index);
    const auto stored = compress(raw);
    const auto place = at;
    if (auto put_index = put(stored); !put_index) return put_index;
    if (auto put_trailer = put(trailer_of(place, stored, raw.size())); !put_trailer) return put_trailer;
    if (fsync(file) != 0) return system_error(errno, "fsync", beside.native());
    return Done{};
  }();
  ::close(file);
  if (done && ::rename(beside.c_str(), path.c_str()) != 0) done = system_error(errno, "rename", beside.native());
  if (!done) {
    ::unlink(beside.c_str());
    return done.error();
  }
  if (auto synced = base::sync_directory(path.parent_path()); !synced) return synced.error();
  auto summary = index.summary();
  summary.file_bytes = at;
  return summary;
}

bool DamagedBlocks::add(std::size_t block) {
  const std::lock_guard lock(mutex_);
  return blocks_.insert(block).second;
}

bool DamagedBlocks::has(std::size_t block) const {
  const std::lock_guard lock(mutex_);
  return blocks_.contains(block);
}

std::size_t DamagedBlocks::count() const {
  const std::lock_guard lock(mutex_);
  return blocks_.size();
}

Segment::~Segment() {
  if (condemned_.load()) ::unlink(path_.c_str());
}

Segment::Reader::~Reader() { ::close(file_); }

Result<Done> Segment::Reader::read(std::uint64_t offset, std::size_t bytes, std::string& into) const {
  into.resize(bytes);
  std::size_t have = 0;
  while (have < bytes) {
    const auto count = read_(file_, into.data() + have, bytes - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(errno, "pread", "a log segment");
    if (count == 0) return Error{Errc::kUnavailable, "a log segment is shorter than its index says"};
    have += static_cast<std::size_t>(count);
  }
  return Done{};
}

Result<std::unique_ptr<Segment::Reader>> Segment::reader() const {
  const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return system_error(errno, "open", path_.native());
  return std::make_unique<Reader>(file, read_, path_, damaged_);
}

Result<SegmentIndex> Segment::index(const Reader& reader) const {
  std::string bytes;
  if (summary_.file_bytes < kTrailer + kBegin.size()) return damaged(path_, "it is too short");
  if (auto done = reader.read(summary_.file_bytes - kTrailer, kTrailer, bytes); !done) return done.error();
  ByteReader from(bytes);
  const auto place = from.fixed<std::uint64_t>();
  const auto stored = from.fixed<std::uint32_t>();
  const auto raw_bytes = from.fixed<std::uint32_t>();
  const auto crc = from.fixed<std::uint32_t>();
  if (from.take(kEnd.size()) != kEnd) return damaged(path_, "its end is missing");
  if (place + stored + kTrailer != summary_.file_bytes || raw_bytes > kMostIndexBytes) {
    return damaged(path_, "its end is not what was written");
  }
  if (auto done = reader.read(place, stored, bytes); !done) return done.error();
  if (crc_of(bytes) != crc) return damaged(path_, "its index is not what was written");
  std::string raw;
  if (auto done = decompress(bytes, raw_bytes, raw); !done) return done.error();
  return take_segment_index(raw);
}

Result<Segment::Opened> Segment::open(const std::filesystem::path& path, std::uint64_t number, PositionedRead read,
                                      const DeletedStreams& deleted) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return system_error(errno, "stat", path.native());
  SegmentSummary summary;
  summary.file_bytes = static_cast<std::uint64_t>(about.st_size);
  const Segment unread(path, number, summary, read);
  auto reader = unread.reader();
  if (!reader) return reader.error();
  Opened opened;
  auto index = unread.index(**reader);
  // What the disk does not give now is not torn: nothing is cut off for that.
  const auto is_torn = [](const Error& error) { return error.code != Errc::kIo; };
  if (!index && !is_torn(index.error())) return index.error();
  if (!index) {
    // Block by block, up to where it is torn.
    SegmentIndex found;
    std::uint64_t at = kBegin.size();
    Error why = index.error();
    for (;;) {
      auto block = block_at(**reader, path, at, summary.file_bytes);
      if (!block && !is_torn(block.error())) return block.error();
      if (!block) break;
      if (auto learned = learn(**reader, *block, deleted, found); !learned) {
        why = learned.error();
        if (!is_torn(why)) return why;
        break;
      }
      at = block->offset + block->info.bytes;
      found.blocks.push_back(std::move(*block));
    }
    std::string raw;
    put_segment_index(raw, found);
    const auto stored = compress(raw);
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return system_error(errno, "open", path.native());
    auto repaired = [&]() -> Result<Done> {
      if (ftruncate(file, static_cast<off_t>(at)) != 0) return system_error(errno, "ftruncate", path.native());
      if (lseek(file, 0, SEEK_END) < 0) return system_error(errno, "lseek", path.native());
      const auto end = stored + trailer_of(at, stored, raw.size());
      summary.file_bytes = at + end.size();
      if (auto written = base::write_all(file, end, path); !written) return written;
      if (fsync(file) != 0) return system_error(errno, "fsync", path.native());
      return Done{};
    }();
    ::close(file);
    if (!repaired) return repaired.error();
    opened.repaired = fmt::format("{}; {} whole blocks with {} events are kept", why.message, found.blocks.size(),
                                  found.summary().rows);
    index = std::move(found);
  }
  const auto file_bytes = summary.file_bytes;
  summary = index->summary();
  summary.file_bytes = file_bytes;
  opened.segment = std::make_shared<Segment>(path, number, summary);
  opened.streams = std::move(index->streams);
  return opened;
}

}  // namespace securebase::logs
