// Lines about requests: the access log in the format that the stage asks for, and one execution line. Written by the
// pool, in batches, into {directory}/{log group}; a request never waits for the disk. What does not fit the queue is
// dropped and counted; a file of 64 MiB is put aside as `.1`, replacing the one before.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/call.h"
#include "net/event.h"

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
  // `pool` outlives it.
  LogFiles(std::filesystem::path directory, std::size_t queue_lines, net::Pool& pool,
           std::uint64_t file_bytes = std::uint64_t{64} << 20);
  ~LogFiles();  // writes what waits

  // Any thread. `group` is a relative path without "..".
  void write(std::string_view group, std::string line);
  std::uint64_t dropped() const { return shared_->dropped.load(std::memory_order_relaxed); }

 private:
  struct Shared {
    std::filesystem::path directory;
    std::size_t limit = 0;
    std::uint64_t file_bytes = 0;
    std::mutex mutex;
    std::vector<std::pair<std::string, std::string>> waiting;
    bool scheduled = false;
    std::mutex writing;  // one flush at a time, so that lines keep their order
    std::atomic<std::uint64_t> dropped{0};
  };
  static void flush(Shared& shared);

  std::shared_ptr<Shared> shared_;
  net::Pool& pool_;
};

}  // namespace securebase::gateway
