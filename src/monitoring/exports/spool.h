// What waits for a receiver, on disk: so that samples that it could not take yet are sent after this process was killed
// and started again. A file of frames (frame_file.h), written anew whenever nothing of what was in it waits any more:
//
//   target | body, body, ... | first that waits, body, ... | ...
//
// It is written at each push, not at each answer of a receiver: after a kill, what was taken since the last push is
// sent once more, to which receivers answer as they do to a body whose answer was lost. Not synced: it survives the end
// of this process, and a crash of the machine as far as the kernel came.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "monitoring/exports/queue.h"
#include "monitoring/metrics/frame_file.h"

namespace securebase::monitoring::exports {

// One thread at a time, which may block.
class Spool {
 public:
  // `waiting` gets what waited when it was saved last; nothing of what was for another target. A torn end is cut off.
  static Result<Spool> open(std::filesystem::path path, std::string target, std::vector<Payload>& waiting);

  // All that waits, the oldest first. After an error the file has what it had, or less.
  Result<Done> save(const std::vector<Queue::Waiting>& waiting);

 private:
  Spool(std::filesystem::path path, std::string target) : path_(std::move(path)), target_(std::move(target)) {}
  Result<Done> write_anew(const std::vector<Queue::Waiting>& waiting);

  std::filesystem::path path_;
  std::string target_;
  FrameFile file_;
  // Numbers of what is in the file and waits; those of this process.
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace securebase::monitoring::exports
