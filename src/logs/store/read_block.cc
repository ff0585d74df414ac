#include "logs/store/read_block.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

Result<std::string_view> BlockPlace::read(std::uint32_t offset, std::uint32_t bytes, std::string& into) const {
  if (in_memory) return std::string_view(in_memory->bytes).substr(offset, bytes);
  if (auto done = file->read(index->blocks[block].offset + offset, bytes, into); !done) return done.error();
  return std::string_view(into);
}

Result<std::vector<BlockPlace>> blocks_of(const Segment& segment) {
  auto reader = segment.reader();
  if (!reader) return reader.error();
  const std::shared_ptr<const Segment::Reader> file = std::move(*reader);
  auto read = segment.index(*file);
  if (!read) return read.error();
  const auto index = std::make_shared<const SegmentIndex>(std::move(*read));
  std::vector<BlockPlace> places;
  places.reserve(index->blocks.size());
  for (std::size_t i = 0; i < index->blocks.size(); ++i) {
    if (file->damaged().has(i)) continue;
    BlockPlace place;
    place.file = file;
    place.index = index;
    place.block = i;
    places.push_back(std::move(place));
  }
  return places;
}

void BlockReader::begin(const BlockPlace& place) {
  place_ = place;
  for (auto& [name, read] : columns_) {
    read.now = false;
    read.alphabet.reset();
  }
  messages_read_ = false;
}

Result<const Column*> BlockReader::column(std::string_view name) {
  auto found = columns_.find(name);
  if (found != columns_.end() && found->second.now) return &found->second.column.view;
  const auto* field = info().find(name);
  if (!field) return &missing_;
  if (found == columns_.end()) found = columns_.emplace(std::string(name), Read{}).first;
  auto& into = found->second.column;
  auto done = field->rebuilt ? build_messages(into) : read_column(*field, into);
  if (!done) return unreadable(done.error());
  found->second.now = true;
  return &found->second.column.view;
}

Error BlockReader::unreadable(const Error& why) const {
  if (why.code != Errc::kMalformed || !place_.file) return {Errc::kUnavailable, why.message};
  const auto time = [](std::int64_t time_ms) {
    return base::iso8601(base::TimePoint{std::chrono::milliseconds(time_ms)});
  };
  auto told = fmt::format(
      "{}: the block of {} events from {} to {} is damaged: {}; what is asked for from now on is "
      "answered without them",
      place_.file->path().native(), info().rows, time(info().first_ms), time(info().last_ms), why.message);
  if (place_.file->damaged().add(place_.block)) base::log(base::Level::kError, "logs", "{}", told);
  return {Errc::kUnavailable, std::move(told)};
}

Result<Done> BlockReader::read_column(const BlockInfo::Field& field, DecodedColumn& into) {
  auto bytes = place_.read(field.offset, field.bytes, bytes_);
  if (!bytes) return bytes.error();
  return decode_column(field.kind, *bytes, field.raw_bytes, info().rows, into);
}

Result<Done> BlockReader::build_messages(DecodedColumn& into) {
  auto read = messages();
  if (!read) return read.error();
  return (*read)->build(into);
}

Result<ReadMessages*> BlockReader::messages() {
  if (messages_read_) return &messages_;
  const auto* field = info().find(kMessage);
  if (!field || !field->rebuilt) return Error{Errc::kUnavailable, "a block of log events has no messages"};
  // Read apart: columns that the messages refer to are read by way of bytes_.
  std::string own;
  auto bytes = place_.read(field->offset, field->bytes, own);
  if (!bytes) return unreadable(bytes.error());
  auto done = messages_.take(
      *bytes, field->raw_bytes, info().rows, [this](std::string_view of) { return part_of_messages(of); },
      [this](std::string_view of) { return alphabet_of(of); });
  if (!done) return unreadable(done.error());
  messages_read_ = true;
  return &messages_;
}

Result<const Column*> BlockReader::part_of_messages(std::string_view name) {
  const auto* field = info().find(name);
  if (field && field->rebuilt) return Error{Errc::kMalformed, "messages that are made of messages"};
  return column(name);
}

// Anything, where it cannot be known: whoever reads the column then finds out.
Alphabet BlockReader::alphabet_of(std::string_view name) {
  auto found = columns_.find(name);
  if (found == columns_.end()) found = columns_.emplace(std::string(name), Read{}).first;
  auto& known = found->second.alphabet;
  if (known) return *known;
  known = Alphabet::any();
  const auto* field = info().find(name);
  if (!field || field->rebuilt) return *known;
  if (const auto bytes = place_.read(field->offset, field->bytes, bytes_)) {
    if (auto alphabet = alphabet_of_column(field->kind, *bytes, field->raw_bytes, info().rows)) known = *alphabet;
  }
  return *known;
}

Result<bool> BlockReader::may_have_all(std::span<const std::uint64_t> hashes) {
  if (hashes.empty() || info().filter_is_old) return true;
  auto filter = place_.read(info().filter_offset, info().filter_bytes, bytes_);
  if (!filter) return unreadable(filter.error());
  return std::all_of(hashes.begin(), hashes.end(), [&](std::uint64_t hash) { return may_have(*filter, hash); });
}

Result<bool> BlockReader::may_have_all(std::span<const PlainWordsOf> plain) {
  if (plain.empty() || info().list_raw_bytes == 0) return true;
  auto stored = place_.read(info().filter_offset + info().filter_bytes, info().list_bytes, bytes_);
  if (!stored) return unreadable(stored.error());
  if (auto done = decompress(*stored, info().list_raw_bytes, list_); !done) {
    return unreadable(done.error());
  }
  return std::all_of(plain.begin(), plain.end(), [this](const PlainWordsOf& words) { return words.may_be_in(list_); });
}

}  // namespace securebase::logs
