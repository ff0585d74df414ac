#include "load/scenarios/target_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace securebase::load {

namespace {

namespace fs = std::filesystem;

double ticks_a_second() { return static_cast<double>(::sysconf(_SC_CLK_TCK)); }

// The first line of /proc/stat: user nice system idle iowait irq softirq steal (proc(5)).
void read_machine(const fs::path& proc, TargetSample& sample) {
  std::ifstream file(proc / "stat");
  std::string word;
  file >> word;
  double ticks[8] = {};
  for (double& one : ticks) file >> one;
  sample.machine_busy_seconds = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / ticks_a_second();
  sample.machine_steal_seconds = ticks[7] / ticks_a_second();
}

// When a process began (proc(5): field 22 of its stat, counted from the end of its name, which may hold anything);
// nullopt: there is none, or it has ended and only its parent has not looked yet.
std::optional<std::uint64_t> start_of(const fs::path& process) {
  std::ifstream file(process / "stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream words(text.substr(name_end + 1));
  std::string word;
  words >> word;
  if (word == "Z" || word == "X") return std::nullopt;
  constexpr int kState = 3;
  constexpr int kStartTime = 22;
  for (int field = kState; field < kStartTime && words >> word;) ++field;
  if (!words) return std::nullopt;
  return std::strtoull(word.c_str(), nullptr, 10);
}

double own_cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

double resident_bytes(const fs::path& process) {
  std::ifstream file(process / "statm");
  double size = 0;
  double resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void count_descriptors(const fs::path& process, TargetSample& sample) {
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(process / "fd", failure)) {
    ++sample.descriptors;
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone).native().starts_with("socket:")) ++sample.sockets;
  }
}

double seconds_of(std::chrono::microseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

TargetWatch::TargetWatch(pid_t pid, AskStatus ask, fs::path proc)
    : pid_(pid), ask_(std::move(ask)), proc_(std::move(proc)), tree_(proc_) {
  if (pid_ != 0 || !ask_) return;
  if (auto status = ask_()) pid_ = static_cast<pid_t>((*status)["pid"].integer_or(0));
}

Result<TargetWatch> TargetWatch::open(pid_t pid, AskStatus ask, fs::path proc) {
  TargetWatch watch(pid, std::move(ask), std::move(proc));
  if (watch.pid_ == 0) return watch;
  const auto started = start_of(watch.proc_ / std::to_string(watch.pid_));
  if (!started) {
    return Error{
        Errc::kMalformed,
        fmt::format("the target's process has to run on this machine, and there is no process {}", watch.pid_)};
  }
  watch.started_ = *started;
  return watch;
}

unsigned TargetWatch::cores() { return std::max(1U, std::thread::hardware_concurrency()); }

double TargetWatch::part_cpu(const std::string& name, pid_t pid) {
  return seconds_of(parts_.try_emplace(name, proc_).first->second.read(pid).cpu);
}

TargetSample TargetWatch::sample() {
  TargetSample sample;
  if (pid_ != 0 && !lost_) lost_ = start_of(proc_ / std::to_string(pid_)) != started_;
  sample.of_target = pid_ != 0 && !lost_;
  // The answer may take its time, so everything that is counted over time is read after it, together.
  const auto status = ask_ && !lost_ ? ask_() : Result<base::Json>(Error{Errc::kNotFound, "nobody is asked"});
  sample.at = std::chrono::steady_clock::now();
  read_machine(proc_, sample);
  sample.generator_cpu_seconds = own_cpu_seconds();
  if (sample.of_target) {
    const auto usage = tree_.read(pid_);
    sample.cpu_seconds = seconds_of(usage.cpu);
    sample.tree_rss_bytes = static_cast<double>(usage.resident_bytes);
    const auto process = proc_ / std::to_string(pid_);
    sample.rss_bytes = resident_bytes(process);
    count_descriptors(process, sample);
  }
  if (status) read_status(*status, sample);
  return sample;
}

void TargetWatch::read_status(const base::Json& status, TargetSample& sample) {
  for (const auto& [member, name] : {std::pair{"database", "PostgreSQL"}, {"cache", "Redis"}}) {
    const auto pid = status[member]["pid"].integer_or(0);
    if (pid > 0) sample.parts_cpu_seconds[name] = part_cpu(name, static_cast<pid_t>(pid));
  }
  const auto level = [&sample](std::string name, const base::Json& used, const base::Json& limit) {
    if (limit.number_or(0) > 0) sample.levels[std::move(name)] = {used.number_or(0), limit.number_or(0)};
  };
  const auto& database = status["database"];
  level("connections of PostgreSQL", database["connections"], database["max_connections"]);
  const auto& unreserved = status["unreserved_concurrency"];
  level("concurrency of functions that reserve none", unreserved["under_way"], unreserved["limit"]);
  if (const auto* functions = status["functions"].as_array()) {
    for (const auto& one : *functions) {
      sample.functions_busy += one["busy"].number_or(0);
      sample.functions_idle += one["idle"].number_or(0);
      sample.throttles += one["throttles"].number_or(0);
      level(fmt::format("concurrency of the function {}", one["function"].string_or("")), one["under_way"],
            one["reserved"]);
    }
  }
}

RunResult::Check process_ended() { return {"the target's process lives", "it ended during the test", Verdict::kFail}; }

std::vector<Pressure> pressures(const TargetSample& before, const TargetSample& after, double share_429) {
  std::vector<Pressure> list;
  const double wall = std::chrono::duration<double>(after.at - before.at).count();
  if (wall <= 0) return list;
  const double cores = TargetWatch::cores();
  const double busy = (after.machine_busy_seconds - before.machine_busy_seconds) / wall;
  const double steal = (after.machine_steal_seconds - before.machine_steal_seconds) / wall;
  std::string seen = fmt::format("{:.2f} of {:.0f} cores busy", busy, cores);
  if (before.of_target && after.of_target)
    seen += fmt::format("; the target {:.2f}", (after.cpu_seconds - before.cpu_seconds) / wall);
  for (const auto& [name, seconds] : after.parts_cpu_seconds) {
    const auto earlier = before.parts_cpu_seconds.find(name);
    if (earlier != before.parts_cpu_seconds.end())
      seen += fmt::format(", {} {:.2f}", name, (seconds - earlier->second) / wall);
  }
  const double generator_cpu_seconds = after.generator_cpu_seconds - before.generator_cpu_seconds;
  seen += fmt::format("; this generator {:.2f}", generator_cpu_seconds / wall);
  if (steal > 0.05) seen += fmt::format("; {:.2f} taken by the hypervisor", steal);
  // Who else is on the machine is no property of the target, and a search that ends for that found nothing of it.
  const double ours = (after.cpu_seconds - before.cpu_seconds + generator_cpu_seconds) / wall;
  const bool others = before.of_target && after.of_target && ours < 0.5 * busy;
  const double throttled = after.throttles - before.throttles;
  if (throttled > 0) {
    list.push_back(
        {"concurrency of functions", 1,
         fmt::format("{:.0f} invocations refused by a limit; {:.0f} instances busy", throttled, after.functions_busy)});
  }
  for (const auto& [name, level] : after.levels) {
    list.push_back({name, level.used / level.limit, fmt::format("{:.0f} of {:.0f}", level.used, level.limit)});
  }
  if (share_429 > 0) {
    list.push_back({"throttles of the gateway", share_429 > 0.01 ? 1 : 0.9,
                    fmt::format("{:.1f} % of the answers were 429", share_429 * 100)});
  }
  // Behind limits that refused something, which are as surely at their end: they are why.
  list.push_back({others ? "CPU of this machine, most of it used by others" : "CPU of this machine",
                  std::min(1.0, (busy + steal) / cores), std::move(seen)});
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.share > b.share; });
  return list;
}

}  // namespace securebase::load
