#include "traces/store/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "traces/store/id_filter.h"

namespace securebase::traces {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kMagic = 0x31544253;  // "SBT1"
constexpr std::size_t kMostPlain = std::size_t{64} << 20;
constexpr std::size_t kMostFilterWords = 4096;
constexpr int kLevel = 3;  // of zstd; 9 saves a tenth more and takes three times as long
constexpr std::string_view kExtension = ".traces";

struct FrameHead {
  std::uint32_t magic = kMagic;
  std::uint16_t kind = 0;  // 0: records, 1: counts
  std::uint16_t filter_words = 0;
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_checksum = 0;
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
  std::uint32_t traces = 0;
  std::uint32_t checksum = 0;  // of what is before it, and of the filter
};
static_assert(sizeof(FrameHead) == 40);

std::uint32_t crc(std::string_view bytes, std::uint32_t before = 0) {
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::uint32_t head_checksum(const FrameHead& head, std::string_view filter) {
  return crc(filter, crc({reinterpret_cast<const char*>(&head), offsetof(FrameHead, checksum)}));
}

std::string_view bytes_of(const std::vector<std::uint64_t>& words) {
  return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

bool read_at(int file, std::uint64_t at, char* into, std::size_t size) {
  while (size > 0) {
    const auto got = pread(file, into, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += static_cast<std::uint64_t>(got);
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

struct Store::File {
  fs::path path;
  std::uint64_t number = 0;
  int file = -1;
  std::uint64_t bytes = 0;  // under writing_
  WallTime newest{};        // under mutex_: the latest time of what is in it
  ~File() {
    if (file >= 0) close(file);
  }
};

struct Store::Place {
  std::shared_ptr<File> file;
  std::uint64_t payload_at = 0;
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_checksum = 0;
  WallTime from{};
  WallTime to{};
};

struct Store::Frame : Place {
  bool counts = false;
  std::uint32_t traces = 0;
  std::vector<std::uint64_t> filter;
};

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
    if (name.extension() != kExtension || failure != std::errc{} || end != text.data() + text.size()) continue;
    found.emplace(number, settings_.directory / name);
  }
  for (const auto& [number, path] : found) {
    auto file = std::make_shared<File>();
    file->path = path;
    file->number = number;
    file->file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file->file < 0) return system_error(errno, "open", path.native());
    const bool newest = number == found.rbegin()->first;
    if (auto loaded = load_file(file, newest); !loaded) return loaded;
    files_.emplace(number, file);
    next_number_ = number + 1;
    if (newest) newest_ = file;
  }
  return Done{};
}

// Reads the heads. What follows the last whole frame of the newest file is what a crash left: it is cut off. In an
// older file, which nothing is appended to, the rest is left alone and not read.
Result<Done> Store::load_file(const std::shared_ptr<File>& file, bool newest) {
  struct stat status {};
  if (fstat(file->file, &status) != 0) return system_error(errno, "fstat", file->path.native());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t at = 0;
  while (at < size) {
    FrameHead head;
    if (!read_at(file->file, at, reinterpret_cast<char*>(&head), sizeof head) || head.magic != kMagic ||
        head.filter_words > kMostFilterWords) {
      break;
    }
    Frame frame;
    frame.filter.resize(head.filter_words);
    const std::size_t filter_bytes = head.filter_words * sizeof(std::uint64_t);
    frame.payload_at = at + sizeof head + filter_bytes;
    if (!read_at(file->file, at + sizeof head, reinterpret_cast<char*>(frame.filter.data()), filter_bytes) ||
        head.checksum != head_checksum(head, bytes_of(frame.filter)) || frame.payload_at + head.payload_bytes > size) {
      break;
    }
    frame.file = file;
    frame.payload_bytes = head.payload_bytes;
    frame.payload_checksum = head.payload_checksum;
    frame.counts = head.kind == 1;
    frame.traces = head.traces;
    frame.from = WallTime{std::chrono::nanoseconds{head.from_ns}};
    frame.to = WallTime{std::chrono::nanoseconds{head.to_ns}};
    // The last of all may have its head and not its body, where the disk was not asked.
    const std::uint64_t next = frame.payload_at + head.payload_bytes;
    if (newest && next == size && !read_payload(frame)) break;
    at = next;
    file->newest = std::max(file->newest, frame.to);
    statistics_.traces += frame.traces;
    frames_.push_back(std::move(frame));
  }
  if (at < size) {
    base::log(base::Level::kWarning, "traces", "{}: {} bytes at its end are no whole frame, {}", file->path.native(),
              size - at, newest ? "left by a crash: cut off" : "and are not read");
    if (newest && ftruncate(file->file, static_cast<off_t>(at)) != 0) {
      return system_error(errno, "ftruncate", file->path.native());
    }
  }
  file->bytes = newest ? at : size;
  statistics_.bytes += file->bytes;
  return Done{};
}

Result<Done> Store::open_next() {
  auto file = std::make_shared<File>();
  file->number = next_number_++;
  file->path = settings_.directory / fmt::format("{:06}{}", file->number, kExtension);
  file->file = ::open(file->path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file->file < 0) return system_error(errno, "open", file->path.native());
  newest_ = file;
  const std::lock_guard lock(mutex_);
  files_.emplace(file->number, std::move(file));
  return Done{};
}

// With writing_ held.
Result<Done> Store::write_frame(Frame frame, std::string_view plain) {
  if (!newest_ || newest_->bytes >= settings_.file_bytes) {
    if (newest_) fdatasync(newest_->file);
    if (auto opened = open_next(); !opened) return opened;
  }
  FrameHead head;
  std::string bytes(sizeof head, '\0');
  bytes += bytes_of(frame.filter);
  const std::size_t payload_at = bytes.size();
  bytes.resize(payload_at + ZSTD_compressBound(plain.size()));
  const auto size =
      ZSTD_compress(bytes.data() + payload_at, bytes.size() - payload_at, plain.data(), plain.size(), kLevel);
  if (ZSTD_isError(size)) return Error{Errc::kIo, fmt::format("zstd: {}", ZSTD_getErrorName(size))};
  bytes.resize(payload_at + size);
  const std::string_view payload = std::string_view(bytes).substr(payload_at);
  head.kind = frame.counts ? 1 : 0;
  head.filter_words = static_cast<std::uint16_t>(frame.filter.size());
  head.payload_bytes = static_cast<std::uint32_t>(size);
  head.payload_checksum = crc(payload);
  head.from_ns = frame.from.time_since_epoch().count();
  head.to_ns = frame.to.time_since_epoch().count();
  head.traces = frame.traces;
  head.checksum = head_checksum(head, bytes_of(frame.filter));
  std::memcpy(bytes.data(), &head, sizeof head);

  const auto at = newest_->bytes;
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto wrote =
        pwrite(newest_->file, bytes.data() + written, bytes.size() - written, static_cast<off_t>(at + written));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const auto error = system_error(errno, "pwrite", newest_->path.native());
      static_cast<void>(ftruncate(newest_->file, static_cast<off_t>(at)));
      return error;
    }
    written += static_cast<std::size_t>(wrote);
  }
  newest_->bytes += bytes.size();
  frame.file = newest_;
  frame.payload_at = at + payload_at;
  frame.payload_bytes = head.payload_bytes;
  frame.payload_checksum = head.payload_checksum;
  const std::lock_guard lock(mutex_);
  newest_->newest = std::max(newest_->newest, frame.to);
  statistics_.bytes += bytes.size();
  statistics_.raw_bytes += plain.size();
  statistics_.written_bytes += bytes.size();
  statistics_.traces += frame.traces;
  frames_.push_back(std::move(frame));
  return Done{};
}

Result<Done> Store::append(const Records& records) {
  if (records.size() == 0) return Done{};
  Frame frame;
  frame.from = WallTime::max();
  frame.to = WallTime::min();
  std::set<TraceId> ids;
  const auto see = [&](const TraceId& id, WallTime begin) {
    ids.insert(id);
    frame.from = std::min(frame.from, begin);
    frame.to = std::max(frame.to, begin);
  };
  for (const auto& record : records.hops) see(record.id, record.hops.empty() ? WallTime{} : record.hops.front().begin);
  for (const auto& document : records.documents) see(document.id, document.begin);
  frame.traces = static_cast<std::uint32_t>(records.hops.size());
  frame.filter = make_id_filter({ids.begin(), ids.end()}, kMostFilterWords);
  const auto plain = encode(records);
  const std::lock_guard lock(writing_);
  return write_frame(std::move(frame), plain);
}

Result<Done> Store::append_counts(std::string_view counts, WallTime from, WallTime to) {
  Frame frame;
  frame.counts = true;
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
  if (!read_at(frame.file->file, frame.payload_at, packed.data(), packed.size())) return broken("is cut short");
  if (crc(packed) != frame.payload_checksum) return broken("has another checksum");
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
    if (frame.counts == counts && frame.from <= to && frame.to >= from) found.push_back(frame);
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
    if (auto plain = read_payload(frame)) {
      visit(*plain, frame.from, frame.to);
    } else {
      base::log(base::Level::kWarning, "traces", "{}", plain.error().message);
    }
  }
}

Records Store::find(const TraceId& id) const {
  std::vector<Place> candidates;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& frame : frames_) {
      if (!frame.counts && may_hold(frame.filter, id)) candidates.push_back(frame);
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
