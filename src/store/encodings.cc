#include "store/encodings.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "net/http/syntax.h"

namespace securebase::store {

namespace {

using http::equal_ignoring_case;
using http::trim_blanks;

// In thousandths; -1 for what is not a qvalue (RFC 9110 §12.4.2).
int quality(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto end = std::min(parameters.find(';'), parameters.size());
    const auto parameter = trim_blanks(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.size() < 2 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') continue;
    const auto number = parameter.substr(2);
    if (number.empty() || number.size() > 5 || (number[0] != '0' && number[0] != '1')) return -1;
    if (number.size() > 1 && number[1] != '.') return -1;
    int value = 0;
    int weight = 100;
    for (std::size_t i = 2; i < number.size(); ++i, weight /= 10) {
      if (number[i] < '0' || number[i] > '9') return -1;
      value += (number[i] - '0') * weight;
    }
    if (number[0] == '1') return value == 0 ? 1000 : -1;
    return value;
  }
  return 1000;
}

struct Weights {
  int gzip = -1;
  int brotli = -1;
  int identity = -1;
  int star = -1;
};

Weights weigh(std::string_view value) {
  Weights weights;
  http::for_each_element(value, [&](std::string_view element) {
    const auto semicolon = std::min(element.find(';'), element.size());
    const auto coding = trim_blanks(element.substr(0, semicolon));
    const int q = std::max(quality(element.substr(std::min(semicolon + 1, element.size()))), 0);
    if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip")) weights.gzip = q;
    if (equal_ignoring_case(coding, "br")) weights.brotli = q;
    if (equal_ignoring_case(coding, "identity")) weights.identity = q;
    if (coding == "*") weights.star = q;
  });
  if (weights.gzip < 0) weights.gzip = std::max(weights.star, 0);
  if (weights.brotli < 0) weights.brotli = std::max(weights.star, 0);
  return weights;
}

// Developer guide, "Serve compressed files", in order of the alphabet.
constexpr std::array<std::string_view, 48> kTypes = {
    "application/dash+xml",
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/javascript",
    "application/json",
    "application/opentype",
    "application/otf",
    "application/pdf",
    "application/pkcs7-mime",
    "application/protobuf",
    "application/rss+xml",
    "application/truetype",
    "application/ttf",
    "application/vnd.apple.mpegurl",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-opentype",
    "application/x-font-truetype",
    "application/x-font-ttf",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "font/eot",
    "font/opentype",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/js",
    "text/plain",
    "text/richtext",
    "text/tab-separated-values",
    "text/x-component",
    "text/x-java-source",
    "text/x-script",
    "text/xml",
    "vnd.apple.mpegurl",
};

}  // namespace

Acceptable parse_accept_encoding(std::string_view value) {
  const auto weights = weigh(value);
  return {weights.gzip > 0, weights.brotli > 0, weights.identity > 0 || (weights.identity < 0 && weights.star != 0)};
}

Encoding preferred(std::string_view accept_encoding) {
  if (accept_encoding.empty()) return Encoding::kIdentity;
  const auto weights = weigh(accept_encoding);
  if (weights.brotli > 0 && weights.brotli >= weights.gzip && weights.brotli >= weights.identity) {
    return Encoding::kBrotli;
  }
  if (weights.gzip > 0 && weights.gzip >= weights.identity) return Encoding::kGzip;
  return Encoding::kIdentity;
}

std::string_view to_string(Encoding encoding) {
  switch (encoding) {
    case Encoding::kGzip:
      return "gzip";
    case Encoding::kBrotli:
      return "br";
    case Encoding::kIdentity:
      break;
  }
  return "identity";
}

bool is_compressible_type(std::string_view content_type) {
  const auto type = trim_blanks(content_type.substr(0, content_type.find(';')));
  return !type.empty() && std::any_of(kTypes.begin(), kTypes.end(),
                                      [type](std::string_view listed) { return equal_ignoring_case(listed, type); });
}

std::string gzip(std::string_view bytes) {
  constexpr int kLevel = 6;
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(kLevel);
  if (!compressor) return {};
  std::string out(libdeflate_gzip_compress_bound(compressor, bytes.size()), '\0');
  out.resize(libdeflate_gzip_compress(compressor, bytes.data(), bytes.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  out.shrink_to_fit();
  return out;
}

std::string brotli(std::string_view bytes) {
  // 5 is what CloudFront's ratio on text comes near to, at the speed of gzip 6.
  constexpr int kQuality = 5;
  std::size_t size = BrotliEncoderMaxCompressedSize(bytes.size());
  std::string out(size, '\0');
  const auto done = BrotliEncoderCompress(kQuality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, bytes.size(),
                                          reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                                          reinterpret_cast<std::uint8_t*>(out.data()));
  if (done != BROTLI_TRUE) return {};
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

Result<std::string> ungzip(std::string_view bytes, std::size_t limit_bytes) {
  if (bytes.size() < 18) return Error{Errc::kMalformed, "not gzip: too short"};
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  if (!decompressor) return Error{Errc::kLimit, "no memory to decompress"};
  // The last four bytes say the length, modulo 2^32 (RFC 1952 §2.3.1): a hint that is checked by trying.
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    size |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[bytes.size() - 4 + i])) << (8 * i);
  }
  if (size > limit_bytes) {
    libdeflate_free_decompressor(decompressor);
    return Error{Errc::kLimit, "the decompressed body is too large"};
  }
  std::string out(size, '\0');
  std::size_t made = 0;
  const auto outcome =
      libdeflate_gzip_decompress(decompressor, bytes.data(), bytes.size(), out.data(), out.size(), &made);
  libdeflate_free_decompressor(decompressor);
  if (outcome != LIBDEFLATE_SUCCESS) return Error{Errc::kMalformed, "not gzip"};
  out.resize(made);
  return out;
}

Result<std::string> unbrotli(std::string_view bytes, std::size_t limit_bytes) {
  std::string out;
  for (std::size_t room = std::max<std::size_t>(bytes.size() * 4, 4096);; room *= 2) {
    room = std::min(room, limit_bytes);
    out.resize(room);
    std::size_t made = room;
    const auto outcome = BrotliDecoderDecompress(bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                 &made, reinterpret_cast<std::uint8_t*>(out.data()));
    if (outcome == BROTLI_DECODER_RESULT_SUCCESS) {
      out.resize(made);
      return out;
    }
    if (room == limit_bytes) return Error{Errc::kMalformed, "not brotli, or larger than the limit"};
  }
}

}  // namespace securebase::store
