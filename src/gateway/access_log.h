// Lines about requests: the access log in the format that the stage asks for, and one execution line. Written by a
// thread of its own into {directory}/{log group}, all that came in 50 ms at once: a request neither waits for the disk
// nor wakes anybody while lines keep coming. What does not fit the queue is dropped and counted; a file of 64 MiB is
// put aside as
// `.1`, replacing the one before.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/call.h"

namespace securebase::gateway {

// What is known when a request has been answered.
struct Answered {
  int status = 0;
  std::optional<std::uint64_t> length;  // nullopt: a stream
  std::chrono::microseconds latency{0};
  std::optional<int> integration_status;
  std::optional<std::chrono::microseconds> integration_latency;
  std::string_view error_message;
  std::string_view error_type;
};

// A format with its $context variables found. Values are escaped as in JSON strings, so that no client writes lines.
class LogFormat {
 public:
  explicit LogFormat(std::string_view format);
  std::string line(const Call& call, const Answered& answered) const;

 private:
  struct Piece {
    std::string text;
    bool variable = false;
  };
  std::vector<Piece> pieces_;
};

class LogFiles {
 public:
  // A file that has grown beyond `file_bytes` becomes <name>.1.
  LogFiles(std::filesystem::path directory, std::size_t queue_lines,
           std::uint64_t file_bytes = std::uint64_t{64} << 20);
  ~LogFiles();  // writes what waits
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;

  // Any thread. `group` is a relative path without "..".
  void write(std::string_view group, std::string line);
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  using Lines = std::vector<std::pair<std::string, std::string>>;  // by group
  void work();
  void append_all(const Lines& lines) const;

  const std::filesystem::path directory_;
  const std::size_t limit_;
  const std::uint64_t file_bytes_;
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;
  std::condition_variable news_;
  // Guarded by mutex_.
  Lines waiting_;
  bool sleeping_ = false;  // until a first line comes
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace securebase::gateway
