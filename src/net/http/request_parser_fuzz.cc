// The first byte says how the rest is cut. What must hold: the verdict, and what a handler sees, do not depend on the
// cut; nothing that was accepted holds what the grammar forbids.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/http/chunked.h"
#include "net/http/request_parser.h"
#include "net/http/syntax.h"

namespace {

using namespace securebase::http;  // NOLINT

void believe(bool condition) {
  if (!condition) std::abort();
}

struct Verdict {
  RequestParser::Status status = RequestParser::Status::kNeedMore;
  int refusal = 0;
  std::string seen;
  bool operator==(const Verdict&) const = default;
};

std::string decode(std::string_view rest, std::size_t step) {
  ChunkedDecoder decoder;
  std::string body;
  while (!rest.empty()) {
    std::string_view piece = rest.substr(0, step);
    rest.remove_prefix(piece.size());
    for (;;) {
      auto next = decoder.next(piece);
      if (!next) return body + "!";
      if (*next == ChunkedDecoder::Step::kNeedMore) break;
      if (*next == ChunkedDecoder::Step::kEnd) return body + "|" + std::string(piece) + std::string(rest);
      body += decoder.data();
    }
  }
  return body + "...";
}

Verdict read(std::string_view bytes, std::size_t step) {
  RequestParser parser({.head_bytes = 2048, .target_bytes = 256, .header_count = 20});
  Request request;
  Verdict verdict;
  for (std::size_t end = 0; verdict.status == RequestParser::Status::kNeedMore && end < bytes.size();) {
    end = step < bytes.size() - end ? end + step : bytes.size();
    std::string memory(bytes.substr(0, end));
    verdict.status = parser.parse(memory, request);
    if (verdict.status != RequestParser::Status::kDone) continue;
    believe(is_token(request.method_name));
    believe(request.target == "*" || request.target.front() == '/');
    believe(request.authority.empty() ? request.version_minor == 0 : is_authority(request.authority));
    const auto& framing = parser.framing();
    believe(!(framing.chunked && framing.content_length));
    verdict.seen.append(request.method_name).append(request.target).append(request.path).append(request.query);
    verdict.seen.append(request.authority).append(std::to_string(parser.head_bytes()));
    verdict.seen += framing.keep_alive ? 'k' : 'c';
    verdict.seen += std::to_string(framing.content_length.value_or(UINT64_MAX));
    for (const auto& field : request.headers.fields()) {
      believe(is_token(field.name) && is_field_value(field.value) && !is_hop_by_hop(field.name));
      verdict.seen.append(field.name).append(field.value);
    }
    if (framing.chunked) {
      const auto rest = bytes.substr(parser.head_bytes());
      believe(decode(rest, step) == decode(rest, SIZE_MAX));
    }
  }
  verdict.refusal = parser.refusal();
  return verdict;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  believe(read(bytes, 1 + data[0] % 64) == read(bytes, SIZE_MAX));
  return 0;
}
