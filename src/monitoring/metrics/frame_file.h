// A file that grows by frames: length, crc32, payload. A frame is there whole or not at all: what a crash left of one
// is recognised and cut off when the file is opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"

namespace securebase::monitoring {

class FrameFile {
 public:
  struct Opened;
  // Made where missing. Calls `payload` for every whole frame, in order; the bytes are valid during the call.
  static Result<Opened> open(const std::filesystem::path& path,
                             const std::function<void(std::string_view payload)>& payload);

  // With the operating system when it returns: it survives the end of this process. After an error the file is as
  // before, or, where what was written of the frame cannot be cut off, refuses more until it can.
  Result<Done> append(std::string_view payload);
  // With the disk when it returns.
  Result<Done> sync();
  std::uint64_t bytes() const { return bytes_; }

 private:
  Result<Done> cut_half_frame();

  std::filesystem::path path_;
  base::Descriptor file_;
  std::uint64_t bytes_ = 0;
  bool half_frame_ = false;  // behind bytes_
};

struct FrameFile::Opened {
  FrameFile file;
  std::uint64_t cut_bytes = 0;  // of a torn tail
};

// One frame, as append() writes it: for files that are written whole.
std::string frame(std::string_view payload);

}  // namespace securebase::monitoring
