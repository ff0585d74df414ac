// Whatever comes, the reader ends, keeps within its limits, and says the same however the bytes are cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "load/engine/response_reader.h"

namespace {

using securebase::load::Keep;
using securebase::load::ResponseReader;

struct Seen {
  ResponseReader::Outcome outcome = ResponseReader::Outcome::kMore;
  int status = 0;
  std::string head;
  std::string body;
  bool operator==(const Seen&) const = default;
};

Seen read_in_pieces(std::string_view text, bool is_head, std::size_t piece) {
  constexpr std::size_t kHead = 1024;
  constexpr std::size_t kBody = 4096;
  ResponseReader reader;
  reader.begin(is_head, Keep::kAll, kHead, kBody);
  Seen seen;
  while (!text.empty() && seen.outcome == ResponseReader::Outcome::kMore) {
    auto bytes = text.substr(0, piece);
    const auto before = bytes.size();
    seen.outcome = reader.take(bytes);
    text.remove_prefix(before - bytes.size());
  }
  if (seen.outcome != ResponseReader::Outcome::kComplete) return seen;
  seen.status = reader.status();
  seen.head = reader.take_head();
  seen.body = reader.take_body();
  if (seen.head.size() > kHead || seen.body.size() > kBody || seen.status < 200) std::abort();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool is_head = data[0] & 1;
  const std::size_t piece = 1 + (data[0] >> 1);
  if (!(read_in_pieces(text, is_head, piece) == read_in_pieces(text, is_head, text.size() + 1))) std::abort();
  return 0;
}
