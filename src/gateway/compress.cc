#include "gateway/compress.h"

#include <zlib.h>

#include <charconv>

#include "net/http/message.h"
#include "net/http/syntax.h"

namespace securebase::gateway {
namespace {

constexpr int kLevel = 5;  // what most servers choose: near the best ratio for JSON at half of level 9's time

// zlib's name for the wrapping: 15 bits of window, 16 more for gzip's header; HTTP's "deflate" is zlib's own format.
int window_bits(Coding coding) { return coding == Coding::kGzip ? 15 + 16 : 15; }

// The weight of one element of Accept-Encoding; what is no weight counts as 1.
double weight_of(std::string_view parameters) {
  const auto at = parameters.find("q=");
  if (at == std::string_view::npos) return 1;
  double weight = 1;
  std::from_chars(parameters.data() + at + 2, parameters.data() + parameters.size(), weight);
  return weight;
}

}  // namespace

std::string_view to_string(Coding coding) {
  return coding == Coding::kGzip ? "gzip" : coding == Coding::kDeflate ? "deflate" : "identity";
}

std::optional<Coding> coding_from(std::string_view name) {
  name = http::trim_blanks(name);
  if (name.empty() || http::equal_ignoring_case(name, "identity")) return Coding::kIdentity;
  if (http::equal_ignoring_case(name, "gzip") || http::equal_ignoring_case(name, "x-gzip")) return Coding::kGzip;
  if (http::equal_ignoring_case(name, "deflate")) return Coding::kDeflate;
  return std::nullopt;
}

Coding choose_coding(std::string_view accept_encoding) {
  double gzip = -1, deflate = -1, any = -1;
  while (!accept_encoding.empty()) {
    const auto end = std::min(accept_encoding.find(','), accept_encoding.size());
    const auto element = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    const auto semicolon = std::min(element.find(';'), element.size());
    const auto name = http::trim_blanks(element.substr(0, semicolon));
    const double weight = weight_of(element.substr(semicolon));
    if (name == "*") any = weight;
    if (http::equal_ignoring_case(name, "gzip") || http::equal_ignoring_case(name, "x-gzip")) gzip = weight;
    if (http::equal_ignoring_case(name, "deflate")) deflate = weight;
  }
  if (gzip < 0) gzip = any;
  if (gzip > 0 && gzip >= deflate) return Coding::kGzip;
  return deflate > 0 ? Coding::kDeflate : Coding::kIdentity;
}

bool is_compressible(std::string_view content_type) {
  const auto type = http::trim_blanks(content_type.substr(0, content_type.find(';')));
  for (const std::string_view prefix : {"image/", "video/", "audio/", "font/woff"}) {
    if (type.size() >= prefix.size() && http::equal_ignoring_case(type.substr(0, prefix.size()), prefix)) {
      return http::equal_ignoring_case(type, "image/svg+xml");
    }
  }
  return !http::equal_ignoring_case(type, "application/zip") && !http::equal_ignoring_case(type, "application/gzip");
}

std::string compress(std::string_view bytes, Coding coding) {
  if (coding == Coding::kIdentity) return std::string(bytes);
  z_stream stream{};
  check(deflateInit2(&stream, kLevel, Z_DEFLATED, window_bits(coding), 8, Z_DEFAULT_STRATEGY) == Z_OK,
        "zlib takes its own constants");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  check(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflateBound() is enough for one call");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> decompress(std::string_view bytes, Coding coding, std::size_t limit_bytes) {
  if (coding == Coding::kIdentity) return std::string(bytes);
  z_stream stream{};
  check(inflateInit2(&stream, window_bits(coding)) == Z_OK, "zlib takes its own constants");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  char piece[16 << 10];
  int state = Z_OK;
  while (state == Z_OK && out.size() <= limit_bytes) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    state = inflate(&stream, Z_NO_FLUSH);
    if (state == Z_OK || state == Z_STREAM_END) out.append(piece, sizeof piece - stream.avail_out);
  }
  const bool whole = state == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (out.size() > limit_bytes) return Error{Errc::kLimit, "the decompressed body is too large"};
  if (!whole) return Error{Errc::kMalformed, "the body is not in the coding that Content-Encoding says"};
  return out;
}

}  // namespace securebase::gateway
