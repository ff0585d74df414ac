#include "logs/store/read_block.h"

#include "logs/store/messages.h"

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
  for (auto& [name, read] : columns_) read.now = false;
}

Result<const Column*> BlockReader::column(std::string_view name) {
  auto found = columns_.find(name);
  if (found != columns_.end() && found->second.now) return &found->second.column.view;
  const auto* field = info().find(name);
  if (!field) return &missing_;
  if (found == columns_.end()) found = columns_.emplace(std::string(name), Read{}).first;
  auto bytes = place_.read(field->offset, field->bytes, bytes_);
  if (!bytes) return Error{Errc::kUnavailable, bytes.error().message};
  auto& into = found->second.column;
  const auto done = field->rebuilt ? decode_messages(
                                         *bytes, field->raw_bytes, info().rows,
                                         [this](std::string_view of) { return part_of_messages(of); }, into)
                                   : decode_column(field->kind, *bytes, field->raw_bytes, info().rows, into);
  if (!done) return Error{Errc::kUnavailable, done.error().message};
  found->second.now = true;
  return &found->second.column.view;
}

Result<const Column*> BlockReader::part_of_messages(std::string_view name) {
  const auto* field = info().find(name);
  if (field && field->rebuilt) return Error{Errc::kMalformed, "messages that are made of messages"};
  return column(name);
}

Result<bool> BlockReader::may_have_all(const std::vector<std::uint64_t>& hashes) {
  if (hashes.empty()) return true;
  auto filter = place_.read(info().filter_offset, info().filter_bytes, bytes_);
  if (!filter) return Error{Errc::kUnavailable, filter.error().message};
  for (const auto hash : hashes) {
    if (!may_have(*filter, hash)) return false;
  }
  return true;
}

std::string_view text_at(const Column& column, std::size_t row) {
  if (column.kind == Column::Kind::kDictionary) return column.words[column.codes[row]];
  if (column.kind == Column::Kind::kTexts || column.kind == Column::Kind::kMixed) return column.texts[row];
  return {};
}

bool is_present(const Column& column, std::size_t row) {
  if (column.kind == Column::Kind::kMissing) return false;
  return column.present.empty() || (column.present[row / 64] >> (row % 64) & 1) != 0;
}

}  // namespace securebase::logs
