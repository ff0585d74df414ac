#include "functions/sandbox/cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

namespace securebase::functions {
namespace {

using std::filesystem::path;

constexpr std::string_view kOurName = "securebase-functions-";
constexpr std::size_t kMostProcesses = 1024;          // Lambda's quota of processes and threads
constexpr std::int64_t kPeriodMicroseconds = 20'000;  // short, so that a spent share stalls a request only briefly
constexpr double kMegabytesPerCore = 1769;

// /proc and cgroup files are written by one write() and have no size.
Result<Done> write_value(const path& file, std::string_view value) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(errno, "open", file.native());
  const ssize_t written = write(descriptor, value.data(), value.size());
  const int number = errno;
  close(descriptor);
  if (written != static_cast<ssize_t>(value.size())) return system_error(number, "write", file.native());
  return Done{};
}

std::string read_value(const path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The group we run in, by controller; "" is v2's.
std::map<std::string, std::string> own_groups() {
  std::map<std::string, std::string> groups;
  std::istringstream lines(read_value("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::istringstream controllers(line.substr(first + 1, second - first - 1));
    const std::string group = line.substr(second + 1);
    if (second == first + 1) groups[""] = group;
    for (std::string controller; std::getline(controllers, controller, ',');) groups[controller] = group;
  }
  return groups;
}

// Where each v1 controller is mounted, and v2 under "".
std::map<std::string, path> mounts() {
  std::map<std::string, path> found;
  std::istringstream lines(read_value("/proc/self/mounts"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string device, where, type, options;
    words >> device >> where >> type >> options;
    if (type == "cgroup2") found.emplace("", where);
    if (type != "cgroup") continue;
    std::istringstream each(options);
    for (std::string option; std::getline(each, option, ',');) found.emplace(option, where);
  }
  return found;
}

// Groups of wardens that are no more: what was in them died with them.
void remove_leftovers(const path& parent) {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(parent, failure)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kOurName)) continue;
    const pid_t warden = std::atoi(name.c_str() + kOurName.size());
    if (warden <= 0 || kill(warden, 0) == 0 || errno != ESRCH) continue;
    for (const auto& child : std::filesystem::directory_iterator(entry.path(), failure)) rmdir(child.path().c_str());
    rmdir(entry.path().c_str());
  }
}

// Our own group below `parent`; empty if it cannot be made.
path make_own(const path& parent) {
  remove_leftovers(parent);
  const path own = parent / fmt::format("{}{}", kOurName, getpid());
  return mkdir(own.c_str(), 0755) == 0 || errno == EEXIST ? own : path();
}

}  // namespace

Cgroups Cgroups::open() {
  Cgroups cgroups;
  if (!cgroups.open_v2()) cgroups.open_v1();
  return cgroups;
}

void Cgroups::open_v1() {
  const auto groups = own_groups();
  const auto mounted = mounts();
  const auto own = [&](const std::string& controller) -> path {
    const auto mount = mounted.find(controller);
    const auto group = groups.find(controller);
    if (mount == mounted.end() || group == groups.end()) return {};
    // In a container the path may be the host's, which is not to be seen in here: then the mount's own root is ours.
    path made = make_own(mount->second / path(group->second).relative_path());
    return made.empty() ? make_own(mount->second) : made;
  };
  memory_ = own("memory");
  cpu_ = own("cpu");
  pids_ = own("pids");
}

// v2 wants processes only in leaves: we move into one, and give our group's controllers to its children. Only a group
// that holds nobody but us and those who started us for this (a unit with Delegate=yes) may be changed so.
bool Cgroups::open_v2() {
  const auto groups = own_groups();
  const auto mounted = mounts();
  if (!groups.contains("") || !mounted.contains("")) return false;
  const path parent = mounted.at("") / path(groups.at("")).relative_path();
  const std::string controllers = " " + read_value(parent / "cgroup.controllers") + " ";
  if (controllers.find("memory") == std::string::npos || access(parent.c_str(), W_OK) != 0) return false;

  const auto give = [&] { return write_value(parent / "cgroup.subtree_control", "+memory +cpu +pids").has_value(); };
  if (!give()) {
    std::istringstream members(read_value(parent / "cgroup.procs"));
    std::vector<pid_t> all;
    for (pid_t pid = 0; members >> pid;) all.push_back(pid);
    const auto is_ours = [](pid_t pid) { return pid == getpid() || pid == getppid(); };
    if (!std::all_of(all.begin(), all.end(), is_ours)) return false;
    const path leaf = parent / "securebase-platform";
    if (mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return false;
    for (const pid_t pid : all) {
      if (!write_value(leaf / "cgroup.procs", std::to_string(pid))) return false;
    }
    if (!give()) return false;
  }
  const path own = make_own(parent);
  if (own.empty() || !write_value(own / "cgroup.subtree_control", "+memory +cpu +pids")) return false;
  v2_ = true;
  memory_ = cpu_ = pids_ = own;
  return true;
}

std::vector<path> Cgroups::roots() const {
  std::vector<path> all;
  for (const auto& root : {memory_, cpu_, pids_}) {
    if (!root.empty() && std::find(all.begin(), all.end(), root) == all.end()) all.push_back(root);
  }
  return all;
}

Result<Done> Cgroups::make(std::uint64_t id, std::size_t memory_mb) const {
  for (const auto& root : roots()) {
    const path group = of(root, id);
    if (mkdir(group.c_str(), 0755) != 0 && errno != EEXIST) return system_error(errno, "mkdir", group.native());
  }
  const std::string bytes = std::to_string(memory_mb << 20);
  if (has_memory()) {
    const path group = of(memory_, id);
    auto limited = write_value(group / (v2_ ? "memory.max" : "memory.limit_in_bytes"), bytes);
    if (!limited) return limited;
    // No swap beside the memory, where the kernel counts it; and the instance dies whole.
    static_cast<void>(
        write_value(group / (v2_ ? "memory.swap.max" : "memory.memsw.limit_in_bytes"), v2_ ? "0" : bytes));
    if (v2_) static_cast<void>(write_value(group / "memory.oom.group", "1"));
  }
  if (has_pids()) return write_value(of(pids_, id) / "pids.max", std::to_string(kMostProcesses));
  return Done{};
}

Result<Done> Cgroups::join(std::uint64_t id) const {
  for (const auto& root : roots()) {
    if (auto joined = write_value(of(root, id) / "cgroup.procs", "0"); !joined) return joined;
  }
  return Done{};
}

void Cgroups::limit_cpu(std::uint64_t id, std::size_t memory_mb) const {
  if (!has_cpu()) return;
  const double share = static_cast<double>(memory_mb) / kMegabytesPerCore;
  const auto quota = std::max<std::int64_t>(1000, static_cast<std::int64_t>(share * kPeriodMicroseconds));
  const path group = of(cpu_, id);
  if (v2_) {
    static_cast<void>(write_value(group / "cpu.max", fmt::format("{} {}", quota, kPeriodMicroseconds)));
    return;
  }
  static_cast<void>(write_value(group / "cpu.cfs_period_us", std::to_string(kPeriodMicroseconds)));
  static_cast<void>(write_value(group / "cpu.cfs_quota_us", std::to_string(quota)));
}

bool Cgroups::out_of_memory(std::uint64_t id) const {
  if (!has_memory()) return false;
  std::istringstream lines(read_value(of(memory_, id) / (v2_ ? "memory.events" : "memory.oom_control")));
  std::uint64_t count = 0;
  for (std::string word; lines >> word >> count;) {
    if (word == "oom_kill") return count > 0;
  }
  return false;
}

std::string Cgroups::memory_peak_file(std::uint64_t id) const {
  if (!has_memory()) return {};
  return of(memory_, id) / (v2_ ? "memory.peak" : "memory.max_usage_in_bytes");
}

bool Cgroups::remove(std::uint64_t id) const {
  bool gone = true;
  for (const auto& root : roots()) {
    if (rmdir(of(root, id).c_str()) != 0 && errno != ENOENT) gone = false;
  }
  return gone;
}

void Cgroups::close() const {
  for (const auto& root : roots()) rmdir(root.c_str());
}

}  // namespace securebase::functions
