#include "notify/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/durable.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"

namespace securebase::notify {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "SBNTFYQ1";
constexpr std::size_t kSaltBytes = 8;
constexpr std::size_t kHeadBytes = 16;
constexpr std::size_t kFrameBytes = 8;
constexpr std::size_t kLeastRewriteBytes = std::size_t{8} << 20;  // below, history is not worth rewriting
constexpr std::size_t kFileBytes = std::size_t{4} << 30;
constexpr std::string_view kPrefix = "queue-";
constexpr std::string_view kSuffix = ".log";

std::uint32_t checksum(std::string_view salt, std::string_view content) {
  auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(salt.data()), static_cast<uInt>(salt.size()));
  sum = ::crc32(sum, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  return static_cast<std::uint32_t>(sum);
}

void put_u32(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
}

std::uint32_t get_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

std::string file_name(std::uint64_t generation) { return fmt::format("{}{:016}{}", kPrefix, generation, kSuffix); }

// nullopt: no file of ours.
std::optional<std::uint64_t> generation_of(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const auto digits = std::string_view(name).substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  std::uint64_t generation = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), generation);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return generation;
}

}  // namespace

Journal::Journal(fs::path directory, Hooks hooks) : directory_(std::move(directory)), hooks_(std::move(hooks)) {}

Journal::~Journal() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  if (file_ >= 0) ::close(file_);
}

Result<std::unique_ptr<Journal>> Journal::open(fs::path directory, Hooks hooks) {
  if (auto made = base::make_directory(directory, 0700); !made) return made.error();
  std::unique_ptr<Journal> journal(new Journal(std::move(directory), std::move(hooks)));
  if (auto loaded = journal->load(); !loaded) return loaded.error();
  journal->thread_ = std::thread([raw = journal.get()] { raw->work(); });
  return journal;
}

Result<Done> Journal::load() {
  auto files = base::files_below(directory_);
  if (!files) return files.error();
  std::optional<std::uint64_t> newest;
  for (const auto& file : *files) {
    if (const auto generation = generation_of(file.native())) newest = std::max(newest.value_or(0), *generation);
  }
  // What a rewrite that a crash cut short left behind.
  for (const auto& file : *files) {
    const bool older = generation_of(file.native()).value_or(UINT64_MAX) < newest.value_or(0);
    if (older || file.extension() == ".new") fs::remove(directory_ / file);
  }
  if (!newest) return create(1, {});
  generation_ = *newest;
  return replay_file(directory_ / file_name(generation_));
}

Result<Done> Journal::replay_file(const fs::path& path) {
  auto bytes = base::read_file(path, kFileBytes);
  if (!bytes) return bytes.error();
  if (bytes->size() < kHeadBytes || !bytes->starts_with(kMagic)) {
    return Error{Errc::kMalformed,
                 fmt::format("{} is no queue of this version; move it away to begin with an empty one", path.native())};
  }
  salt_ = bytes->substr(kMagic.size(), kSaltBytes);
  std::string_view rest = std::string_view(*bytes).substr(kHeadBytes);
  while (rest.size() >= kFrameBytes) {
    const std::size_t length = get_u32(rest);
    if (length > kRecordBytes || length > rest.size() - kFrameBytes) break;
    const auto content = rest.substr(kFrameBytes, length);
    if (get_u32(rest.substr(4)) != checksum(salt_, content)) break;
    hooks_.replay(content);
    rest.remove_prefix(kFrameBytes + length);
  }
  torn_bytes_ = rest.size();
  if (torn_bytes_ > 0) {
    base::log(base::Level::kWarning, "notify", "the queue's last {} bytes are no whole record, and were left out",
              torn_bytes_);
  }
  file_bytes_ = snapshot_bytes_ = bytes->size() - torn_bytes_;
  file_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file_ < 0) return system_error(errno, "open", path.native());
  if (::ftruncate(file_, static_cast<off_t>(file_bytes_)) != 0) return system_error(errno, "truncate", path.native());
  if (::lseek(file_, 0, SEEK_END) < 0) return system_error(errno, "seek in", path.native());
  return Done{};
}

void Journal::frame(std::string_view record, std::string& out) const {
  put_u32(out, static_cast<std::uint32_t>(record.size()));
  put_u32(out, checksum(salt_, record));
  out += record;
}

// On success the file is this one; on failure nothing has changed.
Result<Done> Journal::create(std::uint64_t generation, const std::vector<std::string>& records) {
  const auto path = directory_ / file_name(generation);
  const auto beside = fs::path(path.native() + ".new");
  const auto salt_before = std::exchange(salt_, base::random_bytes(kSaltBytes));
  std::string bytes = std::string(kMagic) + salt_;
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  Result<Done> written = file < 0 ? system_error(errno, "create", beside.native()) : Result<Done>(Done{});
  std::size_t total = 0;
  for (std::size_t i = 0; written && i <= records.size(); ++i) {
    if (i < records.size()) frame(records[i], bytes);
    if (i < records.size() && bytes.size() < (std::size_t{1} << 20)) continue;
    written = base::write_all(file, bytes, beside);
    total += bytes.size();
    bytes.clear();
  }
  if (written && ::fsync(file) != 0) written = system_error(errno, "fsync", beside.native());
  if (written && ::rename(beside.c_str(), path.c_str()) != 0) written = system_error(errno, "rename to", path.native());
  if (written) written = base::sync_directory(directory_);
  if (!written) {
    if (file >= 0) ::close(file);
    ::unlink(beside.c_str());
    ::unlink(path.c_str());  // a renamed one would be taken for the newest at the next start
    salt_ = salt_before;
    return written;
  }
  if (file_ >= 0) ::close(file_);
  file_ = file;
  generation_ = generation;
  file_bytes_ = snapshot_bytes_ = total;
  damaged_ = false;
  return Done{};
}

Result<Done> Journal::rewrite() {
  const auto before = directory_ / file_name(generation_);
  auto done = create(generation_ + 1, hooks_.snapshot());
  if (done) ::unlink(before.c_str());
  return done;
}

Result<Done> Journal::write_batch(std::string_view batch, bool sync) {
  // The snapshot holds what the batch says, so the batch is not written then.
  const auto limit = std::max(kLeastRewriteBytes, 2 * snapshot_bytes_);
  if (damaged_ || file_bytes_ + batch.size() > limit) return rewrite();
  const auto path = directory_ / file_name(generation_);
  auto written = base::write_all(file_, batch, path);
  if (written && sync && ::fdatasync(file_) != 0) written = system_error(errno, "fdatasync", path.native());
  if (!written) {
    damaged_ = true;
    return written;
  }
  file_bytes_ += batch.size();
  return Done{};
}

std::uint64_t Journal::append(std::string_view record, Urgency urgency) {
  check(record.size() <= kRecordBytes, "a record of the queue is within its limit");
  std::uint64_t position = 0;
  {
    const std::lock_guard lock(mutex_);
    put_u32(appended_, static_cast<std::uint32_t>(record.size()));
    appended_ += record;
    position = ++appended_position_;
    if (urgency == Urgency::kWaitedFor) wanted_position_ = position;
  }
  changed_.notify_all();
  return position;
}

Result<Done> Journal::wait(std::uint64_t position) {
  std::unique_lock lock(mutex_);
  wanted_position_ = std::max(wanted_position_, position);
  changed_.notify_all();
  changed_.wait(lock, [&] { return durable_position_ >= position || failed_position_ >= position; });
  if (durable_position_ >= position) return Done{};
  return failure_;
}

void Journal::work() {
  std::unique_lock lock(mutex_);
  std::uint64_t written_position = 0;
  for (;;) {
    changed_.wait(lock, [&] {
      return stopping_ || !appended_.empty() ||
             std::min(wanted_position_, written_position) > std::max(durable_position_, failed_position_);
    });
    if (stopping_ && appended_.empty()) return;
    const std::string raw = std::exchange(appended_, {});
    const auto position = appended_position_;
    const bool sync = wanted_position_ > durable_position_;
    lock.unlock();
    std::string batch;
    for (std::string_view rest = raw; !rest.empty();) {
      const std::size_t length = get_u32(rest);
      frame(rest.substr(4, length), batch);
      rest.remove_prefix(4 + length);
    }
    auto done = write_batch(batch, sync);
    lock.lock();
    written_position = position;
    if (!done) {
      failed_position_ = position;
      failure_ = done.error();
      base::log(base::Level::kError, "notify", "the queue cannot be written: {}", failure_.message);
    } else if (sync) {
      durable_position_ = position;
    }
    changed_.notify_all();
  }
}

}  // namespace securebase::notify
