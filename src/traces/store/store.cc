#include "traces/store/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>

#include "base/durable.h"
#include "base/file.h"
#include "base/log.h"
#include "traces/store/frame.h"
#include "traces/store/id_filter.h"

namespace securebase::traces {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostPlain = std::size_t{64} << 20;
constexpr std::string_view kExtension = ".traces";
constexpr std::string_view kUnfinished = ".merging";

}  // namespace

Store::Store(StoreSettings settings, const base::Clock& clock) : settings_(std::move(settings)), clock_(clock) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(StoreSettings settings, const base::Clock& clock) {
  std::unique_ptr<Store> store(new Store(std::move(settings), clock));
  if (auto made = base::make_directory(store->settings_.directory, 0700); !made) return made.error();
  if (auto loaded = store->load(); !loaded) return loaded.error();
  store->expire();
  return store;
}

Result<Done> Store::load() {
  auto names = base::files_below(settings_.directory);
  if (!names) return names.error();
  std::map<std::uint64_t, fs::path> found;
  for (const auto& name : *names) {
    const std::string text = name.stem().native();
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (name.extension() == kUnfinished) {
      std::error_code ignored;
      fs::remove(settings_.directory / name, ignored);
    }
    if (name.extension() != kExtension || failure != std::errc{} || end != text.data() + text.size()) continue;
    found.emplace(number, settings_.directory / name);
  }
  return load_all(found);
}

Result<Done> Store::load_all(const std::map<std::uint64_t, fs::path>& found) {
  std::uint64_t covered = 0;  // up to here files are in a merged one; a crash kept them from being removed
  for (const auto& [number, path] : found) {
    if (number <= covered) {
      std::error_code failure;
      fs::remove(path, failure);
      continue;
    }
    auto file = std::make_shared<File>();
    file->path = path;
    file->number = file->last_number = number;
    file->file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file->file < 0) return system_error(errno, "open", path.native());
    const bool newest = number == found.rbegin()->first;
    if (auto loaded = load_file(file, newest); !loaded) return loaded;
    files_.emplace(number, file);
    covered = file->last_number;
    next_number_ = covered + 1;
    newest_ = file->whole ? file : nullptr;  // nothing is written behind what could not be read
  }
  return Done{};
}

// Reads the heads. What follows the last whole frame of the newest file is what a crash left: it is cut off. In an
// older file, which nothing is appended to, the rest is left alone and not read; so it is in any file where the disk
// does not give it.
Result<Done> Store::load_file(const std::shared_ptr<File>& file, bool newest) {
  struct stat status {};
  if (fstat(file->file, &status) != 0) return system_error(errno, "fstat", file->path.native());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t at = 0;
  Result<bool> more = true;
  while (more && *more && at < size) more = load_frame(file, newest, size, at);
  file->whole = at == size;
  const bool cut = newest && more;
  if (!more) {
    base::log(base::Level::kError, "traces", "{}: {} bytes of it are not read, and are left as they are: {}",
              file->path.native(), size - at, more.error().message);
  } else if (at < size) {
    base::log(base::Level::kWarning, "traces", "{}: {} bytes at its end are no whole frame, {}", file->path.native(),
              size - at, cut ? "left by a crash: cut off" : "and are not read");
    if (cut && ftruncate(file->file, static_cast<off_t>(at)) != 0) {
      return system_error(errno, "ftruncate", file->path.native());
    }
    file->whole = cut;
  }
  file->bytes = cut ? at : size;
  statistics_.bytes += file->bytes;
  return Done{};
}

// The frame at `at`, which then is the place behind it; false: there is none. kIo.
Result<bool> Store::load_frame(const std::shared_ptr<File>& file, bool newest, std::uint64_t size, std::uint64_t& at) {
  const auto none_if_short = [](const Result<Done>& read) -> Result<bool> {
    return read.error().code == Errc::kIo ? Result<bool>(read.error()) : false;
  };
  FrameHead head;
  if (auto read = read_at(*file, at, reinterpret_cast<char*>(&head), sizeof head); !read) return none_if_short(read);
  if (head.magic != kFrameMagic || head.filter_words > kMostFilterWords) return false;
  Frame frame;
  frame.filter.resize(head.filter_words);
  const std::size_t filter_bytes = head.filter_words * sizeof(std::uint64_t);
  frame.payload_at = at + sizeof head + filter_bytes;
  if (auto read = read_at(*file, at + sizeof head, reinterpret_cast<char*>(frame.filter.data()), filter_bytes); !read) {
    return none_if_short(read);
  }
  if (head.checksum != head_checksum(head, frame.filter) || frame.payload_at + head.payload_bytes > size) return false;
  frame.file = file;
  frame.payload_bytes = head.payload_bytes;
  frame.payload_checksum = head.payload_checksum;
  frame.kind = static_cast<FrameKind>(head.kind);
  frame.traces = head.traces;
  frame.from = WallTime{std::chrono::nanoseconds{head.from_ns}};
  frame.to = WallTime{std::chrono::nanoseconds{head.to_ns}};
  // The last of all may have its head and not its body, where the disk was not asked.
  const std::uint64_t next = frame.payload_at + head.payload_bytes;
  if (newest && next == size && frame.kind != FrameKind::kCovers) {
    const auto payload = read_payload(frame);
    if (!payload && payload.error().code == Errc::kIo) return payload.error();
    if (!payload) return false;
  }
  at = next;
  ++file->frames;
  if (frame.kind == FrameKind::kCovers) {
    file->last_number = static_cast<std::uint64_t>(std::max<std::int64_t>(head.to_ns, 0));
    file->merged = true;
    return true;
  }
  file->newest = std::max(file->newest, frame.to);
  statistics_.traces += frame.traces;
  frames_.push_back(std::move(frame));
  return true;
}

Result<Done> Store::open_next() {
  auto file = std::make_shared<File>();
  file->number = file->last_number = next_number_++;
  file->path = settings_.directory / fmt::format("{:06}{}", file->number, kExtension);
  file->file = ::open(file->path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file->file < 0) return system_error(errno, "open", file->path.native());
  if (auto synced = base::sync_directory(file->path.parent_path()); !synced) return synced;
  newest_ = file;
  const std::lock_guard lock(mutex_);
  files_.emplace(file->number, std::move(file));
  return Done{};
}

// With writing_ held.
Result<Done> Store::write_frame(Frame frame, std::string_view plain) {
  if (!newest_ || newest_->bytes >= settings_.file_bytes || newest_->frames >= settings_.file_frames) {
    if (newest_) fdatasync(newest_->file);
    if (auto opened = open_next(); !opened) return opened;
  }
  auto bytes = frame.write(plain);
  if (!bytes) return bytes.error();
  const auto at = newest_->bytes;
  if (auto written = write_at(newest_->file, at, *bytes); !written) {
    static_cast<void>(ftruncate(newest_->file, static_cast<off_t>(at)));
    return written.error().within(newest_->path.native());
  }
  newest_->bytes += bytes->size();
  ++newest_->frames;
  frame.file = newest_;
  frame.payload_at += at;
  const std::lock_guard lock(mutex_);
  newest_->newest = std::max(newest_->newest, frame.to);
  statistics_.bytes += bytes->size();
  statistics_.raw_bytes += plain.size();
  statistics_.written_bytes += bytes->size();
  statistics_.traces += frame.traces;
  frames_.push_back(std::move(frame));
  return Done{};
}

Result<Done> Store::append(const Records& records) {
  if (records.size() == 0) return Done{};
  Frame frame;
  frame.describe(records);
  const auto plain = encode(records);
  const std::lock_guard lock(writing_);
  return write_frame(std::move(frame), plain);
}

Result<Done> Store::append_counts(std::string_view counts, WallTime from, WallTime to) {
  Frame frame;
  frame.kind = FrameKind::kCounts;
  frame.from = from;
  frame.to = to;
  const std::lock_guard lock(writing_);
  return write_frame(std::move(frame), counts);
}

Result<Done> Store::sync() {
  std::shared_ptr<File> file;
  {
    const std::lock_guard lock(writing_);
    file = newest_;
  }
  if (file && fdatasync(file->file) != 0) return system_error(errno, "fdatasync", file->path.native());
  return Done{};
}

void Store::expire() {
  const WallTime oldest = clock_.now() - settings_.retention;
  const std::lock_guard merging(merging_);
  const std::lock_guard writing(writing_);
  const std::lock_guard lock(mutex_);
  while (files_.size() > 1) {  // never the one that is written
    const auto first = files_.begin()->second;
    if (first->newest >= oldest && statistics_.bytes <= settings_.bytes) break;
    std::error_code failure;
    fs::remove(first->path, failure);
    if (failure) {
      base::log(base::Level::kWarning, "traces", "{} stays: {}", first->path.native(), failure.message());
      break;
    }
    statistics_.bytes -= first->bytes;
    files_.erase(files_.begin());
    std::erase_if(frames_, [&](const Frame& frame) {
      if (frame.file != first) return false;
      statistics_.traces -= frame.traces;
      return true;
    });
  }
}

Result<std::string> Store::read_payload(const Place& frame) const {
  const auto broken = [&frame](std::string_view what) {
    return Error{Errc::kMalformed,
                 fmt::format("{}: the frame at {} {}", frame.file->path.native(), frame.payload_at, what)};
  };
  std::string packed(frame.payload_bytes, '\0');
  if (auto read = read_at(*frame.file, frame.payload_at, packed.data(), packed.size()); !read) return read.error();
  if (payload_checksum(packed) != frame.payload_checksum) return broken("has another checksum");
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMostPlain) {
    return broken("is no block of ours");
  }
  std::string plain(size, '\0');
  const auto got = ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) || got != size) return broken("cannot be unpacked");
  return plain;
}

std::vector<Store::Place> Store::frames_within(bool counts, WallTime from, WallTime to) const {
  std::vector<Place> found;
  const std::lock_guard lock(mutex_);
  for (const auto& frame : frames_) {
    if (frame.counts() == counts && frame.from <= to && frame.to >= from) found.push_back(frame);
  }
  return found;
}

void Store::scan(WallTime from, WallTime to, const std::function<bool(Records&)>& visit) const {
  for (const auto& frame : frames_within(false, from, to)) {
    auto plain = read_payload(frame);
    auto records = plain ? decode(*plain) : Result<Records>(plain.error());
    if (!records) {
      base::log(base::Level::kWarning, "traces", "{}", records.error().message);
      continue;
    }
    if (!visit(*records)) return;
  }
}

void Store::scan_counts(WallTime from, WallTime to,
                        const std::function<void(std::string_view, WallTime, WallTime)>& visit) const {
  for (const auto& frame : frames_within(true, from, to)) {
    const auto plain = read_payload(frame);
    std::vector<TimedCounts> all;
    if (!plain) {
      base::log(base::Level::kWarning, "traces", "{}", plain.error().message);
    } else if (frame.kind == FrameKind::kCounts) {
      all.push_back({frame.from, frame.to, *plain});
    } else if (!read_timed(*plain, all)) {
      base::log(base::Level::kWarning, "traces", "{}: counts at {} cannot be read", frame.file->path.native(),
                frame.payload_at);
    }
    for (const auto& one : all) {
      if (one.from <= to && one.to >= from) visit(one.counts, one.from, one.to);
    }
  }
}

Records Store::find(const TraceId& id) const {
  std::vector<Place> candidates;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& frame : frames_) {
      if (!frame.counts() && may_hold(frame.filter, id)) candidates.push_back(frame);
    }
  }
  Records found;
  for (const auto& frame : candidates) {
    auto plain = read_payload(frame);
    auto records = plain ? decode(*plain) : Result<Records>(plain.error());
    if (!records) {
      base::log(base::Level::kWarning, "traces", "{}", records.error().message);
      continue;
    }
    for (auto& record : records->hops) {
      if (record.id == id) found.hops.push_back(std::move(record));
    }
    for (auto& document : records->documents) {
      if (document.id == id) found.documents.push_back(std::move(document));
    }
  }
  return found;
}

StoreStatistics Store::statistics() const {
  const std::lock_guard lock(mutex_);
  auto statistics = statistics_;
  statistics.files = files_.size();
  statistics.blocks = frames_.size();
  return statistics;
}

}  // namespace securebase::traces
