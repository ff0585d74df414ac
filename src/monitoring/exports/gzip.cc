#include "monitoring/exports/gzip.h"

#include <zlib.h>

#include "base/check.h"

namespace securebase::monitoring::exports {

namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest, in gzip's frame

Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

}  // namespace

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  // Level 1: telemetry compresses well at any.
  check(deflateInit2(&stream, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib has memory");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = bytes_of(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = bytes_of(out);
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  check(done == Z_STREAM_END, "deflateBound() is room enough");
  return out;
}

}  // namespace securebase::monitoring::exports
