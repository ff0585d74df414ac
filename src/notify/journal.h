// An append-only file of records, each with length and checksum, rewritten from a snapshot when most of it is history.
//
//   file    "SBNTFYQ1", 8 random bytes, records
//   record  u32 length, u32 CRC-32 of the random bytes and the content, the content; numbers little-endian
//
// The random bytes keep a record that somebody put into a message from being taken for one of ours. A file ends at the
// first record that is not whole: what a crash cut short was acknowledged to nobody.
//
// One thread writes. Whoever appends may wait until it is on disk; all who wait meanwhile share one fdatasync. A write
// that failed (a full disk) fails those who wait, and the next one begins a new file from the snapshot.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"

namespace securebase::notify {

class Journal {
 public:
  struct Hooks {
    // Every whole record of the file, in order, from open().
    std::function<void(std::string_view record)> replay;
    // Records that say all that is so now, appended ones included. On the journal's thread; may append meanwhile.
    std::function<std::vector<std::string>()> snapshot;
  };
  static Result<std::unique_ptr<Journal>> open(std::filesystem::path directory, Hooks hooks);
  ~Journal();  // writes what was appended
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  static constexpr std::size_t kRecordBytes = std::size_t{64} << 20;

  // Any thread, never waits for the disk. What is appended is written soon: kill -9 loses at most what was appended in
  // the last moments and nobody waited for. The position, for wait().
  enum class Urgency { kSoon, kWaitedFor };
  std::uint64_t append(std::string_view record, Urgency urgency = Urgency::kSoon);
  // Until all up to the position is on disk, also after a power cut.
  Result<Done> wait(std::uint64_t position);
  // How much was found behind the last whole record at open().
  std::size_t torn_bytes() const { return torn_bytes_; }

 private:
  Journal(std::filesystem::path directory, Hooks hooks);
  Result<Done> load();
  Result<Done> replay_file(const std::filesystem::path& path);
  void work();
  Result<Done> write_batch(std::string_view batch, bool sync);
  Result<Done> rewrite();
  Result<Done> create(std::uint64_t generation, const std::vector<std::string>& records);
  void frame(std::string_view record, std::string& out) const;

  const std::filesystem::path directory_;
  const Hooks hooks_;
  std::size_t torn_bytes_ = 0;

  // The writer's thread, after open().
  int file_ = -1;
  std::uint64_t generation_ = 0;
  std::string salt_;
  std::size_t file_bytes_ = 0;
  std::size_t snapshot_bytes_ = 0;
  bool damaged_ = false;  // a write failed: what the file ends with is unknown

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::string appended_;
  std::uint64_t appended_position_ = 0;  // counts records
  std::uint64_t durable_position_ = 0;
  std::uint64_t failed_position_ = 0;
  std::uint64_t wanted_position_ = 0;  // up to which somebody waits
  Error failure_{Errc::kIo, ""};
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace securebase::notify
