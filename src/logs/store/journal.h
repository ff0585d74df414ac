// The events of a group that are in no segment yet: journal-{number}, which becomes the segment of that number. An
// append is acknowledged when the system has taken its bytes: it then outlasts the end of the platform, by kill -9 too,
// and, once sync() has passed over it (every second), a power cut.
//
//   "SBLOGJ01", the sequence of the first event
//   per append  length, CRC; stream, ingestion time, how many events; of each its time, message and given fields
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/store/event.h"

namespace securebase::logs {

// One append, as bytes.
void put_journal_record(std::string& out, std::string_view stream, std::int64_t ingestion_ms,
                        std::span<const Event> events);
// Of a journal's bytes.
std::optional<std::uint64_t> journal_first_sequence(std::string_view bytes);
std::string journal_head(std::uint64_t first_sequence);

struct JournalRead {
  std::uint64_t first_sequence = 0;
  std::uint64_t good_bytes = 0;  // up to here every record is whole
  std::string torn;              // why the rest is none; empty: there is no rest
};
// Calls `take` for each append in order; what it is given lives as long as the call. kMalformed: the head is no
// journal's.
Result<JournalRead> read_journal(
    std::string_view bytes,
    const std::function<void(std::string_view stream, std::int64_t ingestion_ms, std::span<const Event>)>& take);

// One thread at a time; sync() beside it.
class Journal {
 public:
  // Begins one anew.
  static Result<std::unique_ptr<Journal>> begin(std::filesystem::path path, std::uint64_t first_sequence);
  // Goes on after `bytes` of one that was read; what stands beyond is cut off.
  static Result<std::unique_ptr<Journal>> resume(std::filesystem::path path, std::uint64_t bytes);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // After an error nothing of it is in the file.
  Result<Done> append(std::string_view record);
  // After an error nobody knows what of the file is on disk, and a second fdatasync would not tell: it is broken.
  Result<Done> sync();
  // Cannot be written any more: seal what it has, begin another.
  bool broken() const { return broken_.load(std::memory_order_relaxed); }
  bool dirty() const { return dirty_.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const { return bytes_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  Journal(std::filesystem::path path, int file, std::uint64_t bytes)
      : path_(std::move(path)), file_(file), bytes_(bytes) {}
  const std::filesystem::path path_;
  const int file_;
  std::uint64_t bytes_;
  std::atomic<bool> broken_{false};  // what was written in part could not be cut off, or a sync failed
  std::atomic<bool> dirty_{true};
};

}  // namespace securebase::logs
