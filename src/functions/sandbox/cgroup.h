// Control groups of instances: memory, CPU share and number of processes, with cgroup v2 where it is delegated to us,
// else with v1 where its controllers are mounted and writable. What neither gives is simply not there: see
// has_memory().
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace securebase::functions {

class Cgroups {
 public:
  // Finds what this machine gives and makes our own group below the one that we run in. Removes groups that dead
  // wardens left behind. Never fails.
  static Cgroups open();

  bool has_memory() const { return !memory_.empty(); }
  bool has_cpu() const { return !cpu_.empty(); }
  bool has_pids() const { return !pids_.empty(); }
  std::string version() const { return v2_ ? "cgroup v2" : "cgroup v1"; }

  // Makes the groups of one instance, with its limits; no CPU limit yet.
  Result<Done> make(std::uint64_t id, std::size_t memory_mb) const;
  // The calling process, and all it starts, belongs to the instance from now on.
  Result<Done> join(std::uint64_t id) const;
  // The share of the CPU that Lambda gives to `memory_mb`: one core at 1,769 MB (AWS Lambda developer guide, "Memory").
  void limit_cpu(std::uint64_t id, std::size_t memory_mb) const;

  bool out_of_memory(std::uint64_t id) const;
  // Holds the most memory that the instance used, in bytes; empty when there is no memory controller.
  std::string memory_peak_file(std::uint64_t id) const;
  // False while the kernel still counts somebody in: try again later.
  bool remove(std::uint64_t id) const;
  // Our own group, at the end.
  void close() const;

 private:
  using Path = std::filesystem::path;
  void open_v1();
  bool open_v2();
  std::vector<Path> roots() const;
  Path of(const Path& root, std::uint64_t id) const { return root / std::to_string(id); }

  bool v2_ = false;
  Path memory_, cpu_, pids_;  // our own group in each controller's hierarchy; empty: not to be had
};

}  // namespace securebase::functions
