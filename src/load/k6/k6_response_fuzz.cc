// The first byte says how the rest is cut and whether it answers a HEAD. What is read must not depend on the cut.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "k6/body_coding.h"
#include "k6/cookie_jar.h"
#include "k6/response_reader.h"

namespace {

using namespace securebase::k6;  // NOLINT

void believe(bool condition) {
  if (!condition) std::abort();
}

std::string read_all(std::string_view bytes, std::size_t step, bool head) {
  ResponseReader reader({.head_bytes = 4096, .fields = 50, .body_bytes = 1 << 16, .line_bytes = 200});
  reader.begin(head, true);
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    auto taken = reader.take(piece);
    if (!taken) return "error";
    // What follows the end came too early: an error, whether it came with the end or behind it.
    if (*taken == ResponseReader::Step::kComplete && !bytes.empty()) return "error";
  }
  if (!reader.end()) return "more";
  std::string seen = std::to_string(reader.status()) + reader.body();
  for (const auto& [name, value] : reader.fields()) seen += name + value;
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool head = data[0] & 0x80;
  believe(read_all(bytes, 1 + data[0] % 64, head) == read_all(bytes, SIZE_MAX, head));
  if (auto url = parse_url("https://a.example.com/b/c"); url) {
    if (auto cookie = parse_set_cookie(*url, bytes, {}); cookie)
      believe(!cookie->name.empty() && !cookie->path.empty());
    if (auto to = resolve(*url, bytes)) believe(to->target.starts_with('/') && !to->host.empty());
  }
  return 0;
}
