// The file that a child's output is appended to. The child writes it itself, so nothing is lost between it and the disk
// and no thread of ours stands between.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace securebase::process {

class ChildLog {
 public:
  ChildLog(std::filesystem::path path, std::size_t limit_bytes) : path_(std::move(path)), limit_bytes_(limit_bytes) {}

  // Opened for appending, and noted where this run of the child begins. The caller closes it.
  Result<int> open();
  // When it has grown beyond its limit: copies it to <path>.1 and empties it. What the child writes between the two
  // is lost; the alternative, a pipe through the platform, would lose more when the platform is killed.
  void cut();
  // The last lines, at most 20, written since open().
  std::string last_lines() const;

 private:
  const std::filesystem::path path_;
  const std::size_t limit_bytes_;
  std::uintmax_t begin_ = 0;
};

}  // namespace securebase::process
