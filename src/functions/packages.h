// Code on disk: a directory or a zip becomes an immutable directory <state>/functions/packages/<sha256>, unpacked once
// for each content. It appears whole, by rename, or not at all. Blocking; any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace securebase::functions {

struct PackageLimits {
  std::uint64_t unpacked_bytes = 250 << 20;  // Lambda's quota for a function with its layers
  std::size_t entries = 50'000;
  std::size_t path_bytes = 1024;
  std::uint64_t archive_bytes = 250 << 20;
};

class Packages {
 public:
  // Runs on a new directory before it is moved to its place: compiles what can be compiled.
  using Prepare = std::function<void(const std::filesystem::path& directory)>;

  explicit Packages(std::filesystem::path root, PackageLimits limits = {});

  // The unpacked directory of `code`. Errors name the file and the reason.
  Result<std::filesystem::path> unpack(const std::filesystem::path& code, const Prepare& prepare = {});
  // Several, laid over each other in order: later files replace earlier ones, as layers in /opt do.
  Result<std::filesystem::path> unpack_layers(const std::vector<std::filesystem::path>& codes,
                                              const Prepare& prepare = {});
  // Removes what is not among `used`.
  void collect(const std::set<std::filesystem::path>& used);
  // Removes what a crash left half unpacked. Before anything is unpacked.
  void clean();
  // Whether `code` can be unpacked; nothing of it stays.
  Result<Done> try_out(const std::filesystem::path& code);

 private:
  const std::filesystem::path root_;
  const PackageLimits limits_;
};

}  // namespace securebase::functions
