// The chunked transfer coding (RFC 9112 §7.1), taken apart strictly as it arrives. Extensions are skipped and trailers
// dropped, both within bounds.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace securebase::http {

class ChunkedDecoder {
 public:
  struct Limits {
    std::size_t extension_bytes = 4 << 10;  // of all chunks together: an attack, or nothing we know (RFC 9112 §7.1.1)
    std::size_t trailer_bytes = 8 << 10;
  };
  enum class Step { kNeedMore, kData, kEnd };

  ChunkedDecoder() = default;
  explicit ChunkedDecoder(Limits limits) : limits_(limits) {}

  // Takes from the front of `input`. kData: `data()` is the next piece, a view into what was taken. kNeedMore: all was
  // taken. kEnd: the body is over, what is left in `input` belongs to the next message. After an error: close.
  Result<Step> next(std::string_view& input);
  std::string_view data() const { return data_; }

 private:
  enum class State {
    kSizeStart,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
    kEnd,
  };
  // One byte of everything that is not data; false: malformed.
  bool take(char c);

  Limits limits_;
  State state_ = State::kSizeStart;
  std::uint64_t size_ = 0;  // left of this chunk
  unsigned digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string_view data_;
};

}  // namespace securebase::http
