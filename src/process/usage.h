// What a child and all below it use, by /proc. A door of its own beside process.h.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>

namespace securebase::process {

struct Usage {
  std::chrono::microseconds cpu{};   // user and system, of the living and of the dead that were waited for; only grows
  std::uint64_t resident_bytes = 0;  // shared pages counted once for each process
  std::uint64_t read_bytes = 0;      // from the storage
  std::uint64_t written_bytes = 0;   // to the storage
  std::uint64_t reads = 0;           // system calls
  std::uint64_t writes = 0;
};

// Adds up the use of a process and its descendants. Bytes and calls of a descendant that ended between two readings
// since the last one are lost, for the kernel hands them to nobody. Not for two threads at once; blocks on /proc for
// about 50 us a process.
class UsageMeter {
 public:
  explicit UsageMeter(std::filesystem::path proc = "/proc") : proc_(std::move(proc)) {}
  // Of the tree below `root`, since this meter was made; another root begins anew.
  Usage read(pid_t root);

 private:
  const std::filesystem::path proc_;
  pid_t root_ = 0;
  Usage total_;
  std::map<pid_t, Usage> last_;  // bytes and calls of each living process when they were last read
};

// Processor time of one process without its children; only grows while its threads live.
struct ProcessorTime {
  std::chrono::nanoseconds used{};         // of all its threads that live
  std::chrono::nanoseconds main_used{};    // of its first thread
  std::chrono::nanoseconds main_waited{};  // in which its first thread could have run, but others had the processors
};
// Nothing: there is no such process, or the kernel keeps no /proc/pid/schedstat. Blocks on /proc for some 20 us a
// thread.
std::optional<ProcessorTime> processor_time(pid_t pid, const std::filesystem::path& proc = "/proc");

// The memory of a process and its descendants that nobody else has: anonymous pages, shared memory, what of them is
// swapped out. Pages that several of them share are counted for each. 0: there is no such process.
std::uint64_t memory_below(pid_t root, const std::filesystem::path& proc = "/proc");

// MemAvailable of /proc/meminfo: what could be used without swapping.
std::uint64_t available_memory_bytes(const std::filesystem::path& proc = "/proc");

}  // namespace securebase::process
