#include "aws/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "base/check.h"

namespace securebase::aws {

Result<std::string> gunzip(std::string_view bytes, std::size_t limit_bytes) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  z_stream stream{};
  check(inflateInit2(&stream, kGzipOnly) == Z_OK, "zlib has memory for a window");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> ending(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (used == text.size()) {
      if (used >= limit_bytes) {
        return Error{Errc::kLimit, fmt::format("the body is longer than {} bytes without its gzip", limit_bytes)};
      }
      text.resize(std::min(limit_bytes, std::max<std::size_t>(text.size() * 2, 16 << 10)));
    }
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + used);
    stream.avail_out = static_cast<uInt>(text.size() - used);
    const int result = inflate(&stream, Z_NO_FLUSH);
    used = text.size() - stream.avail_out;
    if (result == Z_STREAM_END) break;
    if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
      return Error{Errc::kMalformed, "the body is not what Content-Encoding says: no whole gzip"};
    }
  }
  if (stream.avail_in > 0) return Error{Errc::kMalformed, "bytes after the end of the gzip"};
  text.resize(used);
  return text;
}

}  // namespace securebase::aws
