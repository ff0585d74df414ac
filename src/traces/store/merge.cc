// Small blocks become large ones, and small files one. A file that is not written any more is rewritten once by itself;
// two neighbours that were are put together when they are alike in size, so that a block is copied as often as its file
// doubles. What comes of it is written beside the files, synced, and renamed to the first one's name; its first frame
// says which files it took the place of, so that a crash between the renaming and the removal of the others leaves
// nothing twice.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/durable.h"
#include "base/log.h"
#include "traces/store/frame.h"

namespace securebase::traces {

namespace fs = std::filesystem;

namespace {

// A question for a minute or a trace reads at least one block: so large, and of so much time.
constexpr std::size_t kBlockBytes = std::size_t{256} << 10;  // compressed they are some 30 KB
constexpr std::chrono::minutes kBlockTime{10};
// Blocks that are large already are copied as they lie.
constexpr std::uint32_t kLargePayload = 16 << 10;
// Neighbours are put together when the older is at most so many times the younger.
constexpr std::uint64_t kAlike = 2;

}  // namespace

// Writes the frames of some files into a new one.
class Store::Merging {
 public:
  Merging(const Store& store, std::shared_ptr<File> into) : store_(store), into_(std::move(into)) {}

  Result<Done> begin(std::uint64_t first_number, std::uint64_t last_number) {
    Frame covers;
    covers.kind = FrameKind::kCovers;
    covers.from = WallTime{std::chrono::nanoseconds{first_number}};
    covers.to = WallTime{std::chrono::nanoseconds{last_number}};
    auto bytes = covers.write({});
    if (!bytes) return bytes.error();
    return put(*bytes);
  }

  Result<Done> take(const Frame& frame) {
    if (frame.payload_bytes < kLargePayload) {
      auto plain = store_.read_payload(frame);
      if (plain && frame.kind == FrameKind::kRecords) {
        if (auto records = decode(*plain)) return gather(frame, std::move(*records), plain->size());
      } else if (plain && frame.kind == FrameKind::kCounts) {
        return gather_counts(frame, *plain);
      }
    }
    // Large, or not readable: as it lies. Blocks stay in the order of their times, or nearly so.
    if (auto ended = frame.counts() ? end_counts() : end_records(); !ended) return ended;
    return copy(frame);
  }

  Result<Done> end() {
    if (auto ended = end_records(); !ended) return ended;
    if (auto ended = end_counts(); !ended) return ended;
    if (fdatasync(into_->file) != 0) return system_error(errno, "fdatasync", into_->path.native());
    return Done{};
  }

  std::vector<Frame> take_frames() { return std::move(frames_); }

 private:
  Result<Done> gather(const Frame& frame, Records records, std::size_t bytes) {
    const bool full = record_bytes_ + bytes > kBlockBytes || frame.to - records_from_ > kBlockTime;
    if (records_.size() > 0 && full) {
      if (auto ended = end_records(); !ended) return ended;
    }
    if (records_.size() == 0) records_from_ = frame.from;
    std::move(records.hops.begin(), records.hops.end(), std::back_inserter(records_.hops));
    std::move(records.documents.begin(), records.documents.end(), std::back_inserter(records_.documents));
    record_bytes_ += bytes;
    return Done{};
  }

  Result<Done> end_records() {
    if (records_.size() == 0) return Done{};
    Frame frame;
    frame.describe(records_);
    auto bytes = frame.write(encode(records_));
    if (!bytes) return bytes.error();
    records_ = {};
    record_bytes_ = 0;
    return keep(std::move(frame), *bytes);
  }

  Result<Done> gather_counts(const Frame& frame, std::string_view counts) {
    const bool full = counts_.size() + counts.size() > kBlockBytes || frame.to - counts_from_ > kBlockTime;
    if (!counts_.empty() && full) {
      if (auto ended = end_counts(); !ended) return ended;
    }
    if (counts_.empty()) counts_from_ = counts_to_ = frame.from;
    counts_to_ = std::max(counts_to_, frame.to);
    append_timed(counts_, {frame.from, frame.to, counts});
    return Done{};
  }

  Result<Done> end_counts() {
    if (counts_.empty()) return Done{};
    Frame frame;
    frame.kind = FrameKind::kManyCounts;
    frame.from = counts_from_;
    frame.to = counts_to_;
    auto bytes = frame.write(counts_);
    if (!bytes) return bytes.error();
    counts_.clear();
    return keep(std::move(frame), *bytes);
  }

  // Head, filter and payload lie one behind the other.
  Result<Done> copy(Frame frame) {
    const std::size_t before = sizeof(FrameHead) + frame.filter.size() * sizeof(std::uint64_t);
    std::string bytes(before + frame.payload_bytes, '\0');
    if (auto read = store_.read_at(*frame.file, frame.payload_at - before, bytes.data(), bytes.size()); !read) {
      frame.file->whole = false;
      return read;
    }
    frame.payload_at = before;
    return keep(std::move(frame), bytes);
  }

  Result<Done> keep(Frame frame, std::string_view bytes) {
    frame.payload_at += into_->bytes;
    frame.file = into_;
    into_->newest = std::max(into_->newest, frame.to);
    frames_.push_back(std::move(frame));
    return put(bytes);
  }

  Result<Done> put(std::string_view bytes) {
    if (auto written = write_at(into_->file, into_->bytes, bytes); !written) {
      return written.error().within(into_->path.native());
    }
    into_->bytes += bytes.size();
    ++into_->frames;
    return Done{};
  }

  const Store& store_;
  const std::shared_ptr<File> into_;
  std::vector<Frame> frames_;
  Records records_;
  std::size_t record_bytes_ = 0;  // not compressed
  WallTime records_from_{};
  std::string counts_;
  WallTime counts_from_{};
  WallTime counts_to_{};
};

// The oldest that was not merged by itself, else two neighbours that are alike. Never the one that is written, nor one
// that could not be read to its end: the disk may give the rest another time.
std::vector<std::shared_ptr<Store::File>> Store::to_merge() {
  const std::lock_guard writing(writing_);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<File> before;
  for (const auto& [number, file] : files_) {
    if (file == newest_) break;
    if (!file->merged && file->whole) return {file};
  }
  for (const auto& [number, file] : files_) {
    if (file == newest_) break;
    if (before && before->bytes + file->bytes <= settings_.file_bytes && before->bytes <= kAlike * file->bytes &&
        before->merged && file->merged) {
      return {before, file};
    }
    before = file->whole ? file : nullptr;
  }
  return {};
}

std::vector<Store::Frame> Store::frames_of(const std::vector<std::shared_ptr<File>>& files) const {
  std::vector<Frame> frames;
  const std::lock_guard lock(mutex_);
  for (const auto& frame : frames_) {
    if (std::ranges::find(files, frame.file) != files.end()) frames.push_back(frame);
  }
  return frames;
}

Result<bool> Store::merge() {
  const std::lock_guard merging(merging_);
  const auto old = to_merge();
  if (old.empty()) return false;
  auto merged = std::make_shared<File>();
  merged->path = old.front()->path;
  merged->number = old.front()->number;
  merged->last_number = old.back()->last_number;
  merged->merged = true;
  auto unfinished = merged->path;
  unfinished.replace_extension(".merging");
  merged->file = ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (merged->file < 0) return system_error(errno, "open", unfinished.native());
  Merging work(*this, merged);
  auto done = work.begin(merged->number, merged->last_number);
  for (const auto& frame : frames_of(old)) {
    if (done) done = work.take(frame);
  }
  if (done) done = work.end();
  if (done && ::rename(unfinished.c_str(), merged->path.c_str()) != 0) {
    done = system_error(errno, "rename", merged->path.native());
  }
  if (!done) {
    unlink(unfinished.c_str());
    return done.error().within("merging blocks of traces");
  }
  take_place(old, merged, work.take_frames());
  // Not before the new name is on disk: else a crash of the machine could leave neither.
  if (auto synced = base::sync_directory(merged->path.parent_path()); !synced) return synced.error();
  for (const auto& file : old) {
    if (file->number != merged->number) unlink(file->path.c_str());
  }
  return true;
}

// Questions that run read on in the old files, which are there for as long as they are open.
void Store::take_place(const std::vector<std::shared_ptr<File>>& old, const std::shared_ptr<File>& merged,
                       std::vector<Frame> frames) {
  const auto is_old = [&old](const Frame& frame) { return std::ranges::find(old, frame.file) != old.end(); };
  const std::lock_guard writing(writing_);
  const std::lock_guard lock(mutex_);
  const auto first = std::ranges::find_if(frames_, is_old);
  const auto place = first - frames_.begin();
  frames_.erase(std::remove_if(first, frames_.end(), is_old), frames_.end());
  frames_.insert(frames_.begin() + place, std::make_move_iterator(frames.begin()),
                 std::make_move_iterator(frames.end()));
  for (const auto& file : old) {
    statistics_.bytes -= file->bytes;
    files_.erase(file->number);
  }
  statistics_.bytes += merged->bytes;
  files_.emplace(merged->number, merged);
}

}  // namespace securebase::traces
