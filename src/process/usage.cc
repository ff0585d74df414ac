#include "process/usage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace securebase::process {

namespace fs = std::filesystem;

namespace {

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The number behind "name:" at the begin of a line.
std::uint64_t field(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
  }
  return 0;
}

constexpr std::size_t kMostSeen = 4096;  // processes of one tree

struct Stat {
  pid_t parent = 0;
  std::uint64_t ticks = 0;  // utime + stime + cutime + cstime
  std::uint64_t resident_pages = 0;
};

// proc(5), /proc/pid/stat: the name in parentheses may hold anything, so count from its end.
bool read_stat(const fs::path& process, Stat& stat) {
  const std::string text = read_all(process / "stat");
  const auto end = text.rfind(')');
  if (end == std::string::npos) return false;
  std::istringstream words(text.substr(end + 1));
  std::vector<std::string> fields;  // from 3, the state, on
  for (std::string word; words >> word;) fields.push_back(word);
  if (fields.size() < 22) return false;
  const auto number = [&](std::size_t one_based) { return std::strtoull(fields[one_based - 3].c_str(), nullptr, 10); };
  stat.parent = static_cast<pid_t>(number(4));
  stat.ticks = number(14) + number(15) + number(16) + number(17);
  stat.resident_pages = number(24);
  return true;
}

}  // namespace

Usage UsageMeter::read(pid_t root) {
  if (root != root_) {
    root_ = root;
    last_.clear();
  }
  std::map<pid_t, Stat> all;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(proc_, failure)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    if (Stat stat; read_stat(entry.path(), stat)) all.emplace(pid, stat);
  }
  const auto below = [&](pid_t pid) {
    // A chain of parents is as long as the tree is deep; 64 ends a loop that a reused id made.
    for (int depth = 0; depth < 64; ++depth) {
      if (pid == root) return true;
      const auto found = all.find(pid);
      if (found == all.end()) return false;
      pid = found->second.parent;
    }
    return false;
  };

  std::uint64_t ticks = 0;
  std::uint64_t pages = 0;
  std::map<pid_t, Usage> now;
  for (const auto& [pid, stat] : all) {
    if (!below(pid)) continue;
    ticks += stat.ticks;
    pages += stat.resident_pages;
    const std::string io = read_all(proc_ / std::to_string(pid) / "io");
    Usage one;
    one.read_bytes = field(io, "read_bytes");
    one.written_bytes = field(io, "write_bytes");
    one.reads = field(io, "syscr");
    one.writes = field(io, "syscw");
    const Usage before = last_.contains(pid) ? last_.at(pid) : Usage{};
    const auto grown = [](std::uint64_t then, std::uint64_t seen) { return seen > then ? seen - then : 0; };
    total_.read_bytes += grown(before.read_bytes, one.read_bytes);
    total_.written_bytes += grown(before.written_bytes, one.written_bytes);
    total_.reads += grown(before.reads, one.reads);
    total_.writes += grown(before.writes, one.writes);
    now.emplace(pid, one);
  }
  last_ = std::move(now);
  total_.resident_bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  total_.cpu = std::chrono::microseconds(ticks * 1'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK)));
  return total_;
}

// Documentation/scheduler/sched-stats.rst of Linux: nanoseconds on a processor, nanoseconds in the queue for one,
// turns.
std::optional<ProcessorTime> processor_time(pid_t pid, const fs::path& proc) {
  const fs::path process = proc / std::to_string(pid);
  const std::string main_thread = std::to_string(pid);
  ProcessorTime sum;
  bool main_seen = false;
  std::error_code failure;
  for (const auto& thread : fs::directory_iterator(process / "task", failure)) {
    std::istringstream words(read_all(thread.path() / "schedstat"));
    std::uint64_t used = 0;
    std::uint64_t waited = 0;
    if (!(words >> used >> waited)) continue;  // it has ended
    sum.used += std::chrono::nanoseconds(used);
    if (thread.path().filename() != main_thread) continue;
    sum.main_used = std::chrono::nanoseconds(used);
    sum.main_waited = std::chrono::nanoseconds(waited);
    main_seen = true;
  }
  return main_seen ? std::optional(sum) : std::nullopt;
}

std::uint64_t memory_below(pid_t root, const fs::path& proc) {
  std::uint64_t kilobytes = 0;
  std::vector<pid_t> left{root};
  // Processes that come while we look are seen the next time.
  for (std::size_t seen = 0; !left.empty() && seen < kMostSeen; ++seen) {
    const fs::path process = proc / std::to_string(left.back());
    left.pop_back();
    const std::string status = read_all(process / "status");
    for (const auto name : {"RssAnon", "RssShmem", "VmSwap"}) kilobytes += field(status, name);
    // Children belong to the thread that made them.
    std::error_code failure;
    for (const auto& thread : fs::directory_iterator(process / "task", failure)) {
      std::istringstream children(read_all(thread.path() / "children"));
      for (pid_t child = 0; children >> child;) left.push_back(child);
    }
  }
  return kilobytes * 1024;
}

std::uint64_t available_memory_bytes(const fs::path& proc) {
  return field(read_all(proc / "meminfo"), "MemAvailable") * 1024;
}

}  // namespace securebase::process
