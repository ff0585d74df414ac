#include "monitoring/alarms/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/durable.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kHeadBytes = 12;                       // length, checksum
constexpr std::size_t kRecordBytes = std::size_t{64} << 20;  // as much as base::Json reads
constexpr std::uint64_t kSeed = 0x5ecba5ea1a12;

std::string frame(const base::Json& record) {
  std::string payload;
  record.dump_to(payload);
  std::string made;
  made.reserve(payload.size() + kHeadBytes);
  const auto put = [&](std::uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) made.push_back(static_cast<char>(number >> (8 * i) & 0xff));
  };
  put(payload.size(), 4);
  put(base::hash64(payload, kSeed), 8);
  return made + payload;
}

std::uint64_t number_at(std::string_view bytes, std::size_t place, int count) {
  std::uint64_t number = 0;
  for (int i = count; i-- > 0;)
    number = number << 8 | static_cast<unsigned char>(bytes[place + static_cast<std::size_t>(i)]);
  return number;
}

// How many bytes of whole, right records there are.
std::size_t replay_all(std::string_view bytes, Journal::Part part, const Journal::Replay& replay) {
  std::size_t place = 0;
  while (bytes.size() - place >= kHeadBytes) {
    const auto length = number_at(bytes, place, 4);
    if (length > kRecordBytes || bytes.size() - place - kHeadBytes < length) break;
    const auto payload = bytes.substr(place + kHeadBytes, length);
    if (base::hash64(payload, kSeed) != number_at(bytes, place + 4, 8)) break;
    auto record = base::Json::parse(payload);
    if (!record) break;
    replay(*record, part);
    place += kHeadBytes + length;
  }
  return place;
}

}  // namespace

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

Result<std::unique_ptr<Journal>> Journal::open(std::filesystem::path directory, Limits limits, const Replay& replay) {
  if (auto made = base::make_directory(directory); !made) return made.error();
  std::unique_ptr<Journal> journal(new Journal(std::move(directory), limits));
  auto files = base::files_below(journal->directory_);
  if (!files) return files.error();
  for (const auto& name : *files) {
    // 0000000012-1769248800.log
    const std::string text = name.native();
    Segment segment{0, 0, journal->directory_ / name};
    const auto dash = text.find('-');
    if (dash == std::string::npos || !text.ends_with(".log")) continue;
    const auto end = text.data() + text.size() - 4;
    if (std::from_chars(text.data(), text.data() + dash, segment.number).ec != std::errc{}) continue;
    if (std::from_chars(text.data() + dash + 1, end, segment.begun).ec != std::errc{}) continue;
    journal->segments_.push_back(std::move(segment));
  }
  auto& segments = journal->segments_;
  std::sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) { return a.number < b.number; });
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    auto bytes = base::read_file(segments[i].path, std::size_t{2} << 30);
    if (!bytes) return bytes.error();
    const auto whole = replay_all(*bytes, last ? Part::kEverything : Part::kHistory, replay);
    if (!last) continue;
    journal->file_ = ::open(segments[i].path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (journal->file_ < 0) return system_error(errno, "open", segments[i].path.native());
    if (whole < bytes->size()) {
      base::log(base::Level::kWarning, "alarms", "{}: {} bytes at the end are no whole record; they are dropped",
                segments[i].path.native(), bytes->size() - whole);
      if (::ftruncate(journal->file_, static_cast<off_t>(whole)) != 0) {
        return system_error(errno, "ftruncate", segments[i].path.native());
      }
    }
    journal->bytes_ = whole;
    journal->begun_bytes_ = whole;
  }
  return journal;
}

Result<Done> Journal::append(const base::Json& record, Durability durability) {
  if (file_ < 0 || broken_) {
    return Error{Errc::kIo, fmt::format("{} cannot be written until a new segment is begun", directory_.native())};
  }
  const std::string bytes = frame(record);
  if (bytes.size() > kRecordBytes) return Error{Errc::kLimit, "a record of the alarms' journal is too large"};
  auto done = base::write_all(file_, bytes, segments_.back().path);
  if (done && durability == Durability::kSync && ::fdatasync(file_) != 0) {
    done = system_error(errno, "fdatasync", segments_.back().path.native());
  }
  if (!done) {
    // Half a record would hide all behind it.
    broken_ = true;
    static_cast<void>(::ftruncate(file_, static_cast<off_t>(bytes_)) == 0);
    return done;
  }
  bytes_ += bytes.size();
  return done;
}

bool Journal::wants_rotation(base::TimePoint now) const {
  if (file_ < 0 || broken_ || bytes_ - begun_bytes_ > limits_.segment_bytes) return true;
  return now - base::TimePoint(std::chrono::seconds(segments_.back().begun)) > limits_.segment_age;
}

Result<Done> Journal::rotate(const std::vector<base::Json>& snapshot, base::TimePoint now) {
  std::string bytes;
  for (const auto& record : snapshot) bytes += frame(record);
  Segment segment;
  segment.number = segments_.empty() ? 1 : segments_.back().number + 1;
  segment.begun = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  segment.path = directory_ / fmt::format("{:010}-{}.log", segment.number, segment.begun);
  if (auto done = base::replace_file(segment.path, bytes, 0600); !done) return done;
  const int file = ::open(segment.path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) return system_error(errno, "open", segment.path.native());
  if (file_ >= 0) ::close(file_);
  file_ = file;
  bytes_ = begun_bytes_ = bytes.size();
  broken_ = false;
  segments_.push_back(std::move(segment));
  drop_old(now);
  return Done{};
}

// A segment is as old as the beginning of the next one.
void Journal::drop_old(base::TimePoint now) {
  const auto oldest = std::chrono::duration_cast<std::chrono::seconds>((now - limits_.kept).time_since_epoch()).count();
  while (segments_.size() > 1 && (segments_[1].begun < oldest || segments_.size() > limits_.segments)) {
    std::error_code failure;
    std::filesystem::remove(segments_.front().path, failure);
    segments_.erase(segments_.begin());
  }
}

}  // namespace securebase::monitoring
