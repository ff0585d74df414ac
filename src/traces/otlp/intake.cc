// POST /v1/traces.
#include <fmt/format.h>
#include <zlib.h>

#include "net/http/message.h"
#include "traces/engine.h"
#include "traces/otlp/spans.h"

namespace securebase::traces {

namespace {

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kJson = "application/json";
constexpr std::size_t kPlainBytes = std::size_t{32} << 20;  // of a gzip body, unpacked

Result<std::string> gunzip(std::string_view packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return Error{Errc::kUnavailable, "zlib has no memory"};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string plain;
  int state = Z_OK;
  while (state == Z_OK && plain.size() <= kPlainBytes) {
    char piece[64 << 10];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    state = inflate(&stream, Z_NO_FLUSH);
    plain.append(piece, sizeof piece - stream.avail_out);
  }
  inflateEnd(&stream);
  if (plain.size() > kPlainBytes) {
    return Error{Errc::kLimit, fmt::format("the body has more than {} bytes unpacked", kPlainBytes)};
  }
  if (state != Z_STREAM_END) return Error{Errc::kMalformed, "the body is no whole gzip"};
  return plain;
}

// A body that is too much will be so again: 429, which a limit is otherwise answered with, asks to send it once more.
Error for_good(Error error) {
  if (error.code == Errc::kLimit) error.code = Errc::kMalformed;
  return error;
}

}  // namespace

Result<std::string> Traces::take_otlp(std::string_view body, std::string_view content_type, std::string_view encoding) {
  std::string plain;
  if (http::equal_ignoring_case(encoding, "gzip")) {
    auto unpacked = gunzip(body);
    if (!unpacked) return for_good(unpacked.error());
    plain = std::move(*unpacked);
    body = plain;
  } else if (!encoding.empty() && !http::equal_ignoring_case(encoding, "identity")) {
    return Error{Errc::kUnsupported, fmt::format("traces come plain or in gzip, not in \"{}\"", encoding)};
  }
  const auto type = content_type.substr(0, content_type.find_first_of("; "));
  const bool is_protobuf = http::equal_ignoring_case(type, kProtobuf);
  if (!is_protobuf && !http::equal_ignoring_case(type, kJson)) {
    return Error{Errc::kUnsupported,
                 fmt::format("traces come as {} or {}, not \"{}\"", kProtobuf, kJson, content_type)};
  }
  auto spans = is_protobuf ? otlp::read_protobuf(body) : otlp::read_json(body);
  if (!spans) return for_good(spans.error());
  std::vector<Document> documents;
  std::uint64_t rejected = 0;
  std::string why;
  const auto now = engine_->clock.now();
  for (const auto& span : *spans) {
    if (!otlp::has_ids(span)) {
      if (rejected++ == 0) why = "a span's traceId and spanId are 16 and 8 bytes that are not all zero";
      continue;
    }
    auto text = otlp::document_of(span).dump();
    auto parsed = parse_segment(text, now);
    if (!parsed) {
      if (rejected++ == 0) why = fmt::format("{}: {}", parsed.error().code, parsed.error().message);
      continue;
    }
    const WallTime begin{std::chrono::nanoseconds{static_cast<std::int64_t>(span.start_ns)}};
    documents.push_back({{parsed->trace, begin, std::move(text)}, std::move(parsed->segment)});
  }
  if (auto kept = engine_->collector->keep(std::move(documents)); !kept) {
    return Error{Errc::kUnavailable, kept.error().message};
  }
  return is_protobuf ? otlp::answer_protobuf(rejected, why) : otlp::answer_json(rejected, why);
}

}  // namespace securebase::traces
