#include "k6/body_coding.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <vector>

#include "net/http/syntax.h"

namespace securebase::k6 {

namespace {

constexpr std::size_t kMostDecoded = std::size_t{256} << 20;
constexpr std::size_t kPiece = 64 << 10;

Error undecodable(std::string_view coding) {
  return Error{Errc::kMalformed, fmt::format("the body is not what its coding '{}' says", coding.substr(0, 20))};
}
Error too_large() { return Error{Errc::kLimit, "the body is larger than 256 MiB when it is decoded"}; }

// `window` as zlib has it: 47 takes gzip and zlib by their heads, -15 bare deflate.
Result<std::string> inflate_all(const std::string& bytes, int window, std::string_view coding) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) return undecodable(coding);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK && out.size() <= kMostDecoded) {
    const std::size_t before = out.size();
    out.resize(before + kPiece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = kPiece;
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + kPiece - stream.avail_out);
    if (state == Z_BUF_ERROR) break;
    // RFC 1952 §2.2: a file of gzip is one member behind the other.
    const bool another =
        state == Z_STREAM_END && stream.avail_in >= 2 && stream.next_in[0] == 0x1f && stream.next_in[1] == 0x8b;
    if (another) state = inflateReset(&stream);
  }
  inflateEnd(&stream);
  if (out.size() > kMostDecoded) return too_large();
  if (state != Z_STREAM_END) return undecodable(coding);
  return out;
}

Result<std::string> decode_one(std::string_view coding, std::string bytes) {
  if (coding == "gzip" || coding == "x-gzip") return inflate_all(bytes, 47, coding);
  if (coding == "deflate") {
    // With zlib's head, as the standard says, or bare, as some send it.
    auto decoded = inflate_all(bytes, 47, coding);
    return decoded ? std::move(decoded) : inflate_all(bytes, -15, coding);
  }
  if (coding == "br") {
    BrotliDecoderState* const state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    const auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t left = bytes.size();
    std::string out;
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && out.size() <= kMostDecoded) {
      const std::size_t before = out.size();
      out.resize(before + kPiece);
      auto* into = reinterpret_cast<std::uint8_t*>(out.data() + before);
      std::size_t room = kPiece;
      result = BrotliDecoderDecompressStream(state, &left, &next, &room, &into, nullptr);
      out.resize(before + kPiece - room);
    }
    BrotliDecoderDestroyInstance(state);
    if (out.size() > kMostDecoded) return too_large();
    return result == BROTLI_DECODER_RESULT_SUCCESS ? Result<std::string>(std::move(out)) : undecodable(coding);
  }
  if (coding == "zstd") {
    ZSTD_DStream* const stream = ZSTD_createDStream();
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::string out;
    std::size_t state = 1;
    while ((in.pos < in.size || state != 0) && !ZSTD_isError(state) && out.size() <= kMostDecoded) {
      const std::size_t before = out.size();
      out.resize(before + kPiece);
      ZSTD_outBuffer into{out.data() + before, kPiece, 0};
      state = ZSTD_decompressStream(stream, &into, &in);
      out.resize(before + into.pos);
      if (into.pos == 0 && in.pos == in.size) break;
    }
    ZSTD_freeDStream(stream);
    if (out.size() > kMostDecoded) return too_large();
    return !ZSTD_isError(state) && state == 0 ? Result<std::string>(std::move(out)) : undecodable(coding);
  }
  return bytes;
}

Result<std::string> encode_one(std::string_view coding, std::string bytes) {
  if (coding == "gzip" || coding == "deflate") {
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, coding == "gzip" ? 31 : 15, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      return Error{Errc::kUnavailable, "zlib has no memory"};
    }
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
  }
  if (coding == "br") {
    std::string out(BrotliEncoderMaxCompressedSize(bytes.size()) + 16, '\0');
    std::size_t size = out.size();
    if (!BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, bytes.size(),
                               reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                               reinterpret_cast<std::uint8_t*>(out.data()))) {
      return Error{Errc::kUnavailable, "brotli cannot compress the body"};
    }
    out.resize(size);
    return out;
  }
  if (coding == "zstd") {
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3);
    if (ZSTD_isError(size)) return Error{Errc::kUnavailable, "zstd cannot compress the body"};
    out.resize(size);
    return out;
  }
  return Error{Errc::kMalformed, fmt::format("unknown compression algorithm '{}': expected gzip, deflate, br or zstd",
                                             coding.substr(0, 20))};
}

Result<std::vector<std::string>> list_of(std::string_view codings) {
  std::vector<std::string> list;
  http::for_each_element(codings, [&list](std::string_view one) {
    std::string lower(one);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    list.push_back(std::move(lower));
  });
  if (list.size() > 8) return Error{Errc::kLimit, "more than 8 content codings"};
  return list;
}

}  // namespace

Result<std::string> decode_body(std::string_view codings, std::string bytes) {
  auto list = list_of(codings);
  if (!list) return list.error();
  for (auto coding = list->rbegin(); coding != list->rend(); ++coding) {
    auto decoded = decode_one(*coding, std::move(bytes));
    if (!decoded) return decoded.error();
    bytes = std::move(*decoded);
  }
  return bytes;
}

Result<std::string> encode_body(std::string_view codings, std::string bytes) {
  auto list = list_of(codings);
  if (!list) return list.error();
  for (const auto& coding : *list) {
    auto encoded = encode_one(coding, std::move(bytes));
    if (!encoded) return encoded.error();
    bytes = std::move(*encoded);
  }
  return bytes;
}

}  // namespace securebase::k6
