#include "load/artillery/received.h"

#include <brotli/decode.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

namespace securebase::load::artillery {
namespace {

std::optional<std::string> inflated(std::string_view bytes, int window_bits, std::size_t most_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return std::nullopt;
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(std::min(bytes.size(), std::size_t{1} << 30));
  std::string out;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    const std::size_t before = out.size();
    if (before >= most_bytes) return std::nullopt;
    out.resize(std::min(most_bytes, std::max<std::size_t>(before * 2, 4096)));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (state != Z_OK && state != Z_STREAM_END) return std::nullopt;
    if (state == Z_OK && stream.avail_in == 0 && stream.avail_out > 0) return std::nullopt;  // cut short
  }
  return out;
}

std::optional<std::string> unbrotlied(std::string_view bytes, std::size_t most_bytes) {
  const std::unique_ptr<BrotliDecoderState, void (*)(BrotliDecoderState*)> state(
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), BrotliDecoderDestroyInstance);
  if (!state) return std::nullopt;
  std::size_t in_left = bytes.size();
  auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::string out;
  for (;;) {
    const std::size_t before = out.size();
    if (before >= most_bytes) return std::nullopt;
    out.resize(std::min(most_bytes, std::max<std::size_t>(before * 2, 4096)));
    std::size_t out_left = out.size() - before;
    auto* to = reinterpret_cast<std::uint8_t*>(out.data() + before);
    const auto result = BrotliDecoderDecompressStream(state.get(), &in_left, &in, &out_left, &to, nullptr);
    out.resize(out.size() - out_left);
    if (result == BROTLI_DECODER_RESULT_SUCCESS) return out;
    if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return std::nullopt;
  }
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace

std::optional<std::string> decoded_body(std::string_view encoding, std::string_view bytes, std::size_t most_bytes) {
  const std::string name = lowered(encoding);
  if (name == "gzip" || name == "x-gzip") return inflated(bytes, 15 + 16, most_bytes);
  if (name == "br") return unbrotlied(bytes, most_bytes);
  if (name != "deflate") return std::nullopt;
  // RFC 9110 §8.4.1.2 means zlib's format; some servers send raw deflate.
  auto out = inflated(bytes, 15, most_bytes);
  return out ? out : inflated(bytes, -15, most_bytes);
}

Received::Received(const Answer& answer, bool decompress, std::size_t most_bytes) : answer_(answer) {
  const auto encoding = decompress ? answer.header("content-encoding") : std::nullopt;
  if (encoding) {
    if (auto decoded = decoded_body(*encoding, answer.body, most_bytes)) {
      body_ = std::move(*decoded);
      return;
    }
  }
  body_ = answer.body;
}

const base::Json* Received::json() const {
  if (!tried_) {
    tried_ = true;
    if (auto parsed = base::Json::parse(body_)) json_ = std::move(*parsed);
  }
  return json_ ? &*json_ : nullptr;
}

bool Received::says_json() const {
  const auto type = header("content-type");
  if (!type) return false;
  const std::string name = lowered(*type);
  for (const char* known : {"application/json", "application/problem+json", "application/ld+json"}) {
    if (name.find(known) != std::string::npos) return true;
  }
  return false;
}

}  // namespace securebase::load::artillery
