// The mail server is a stranger. However its bytes are cut, the replies are the same.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "notify/smtp_reply.h"

namespace {

std::string read(std::string_view bytes, std::size_t step) {
  securebase::notify::SmtpReplyReader reader;
  std::string seen;
  while (!bytes.empty()) {
    auto piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      auto reply = reader.next(piece);
      if (!reply) return seen + reply.error().message;
      if (*reply) seen += (*reply)->text() + "\n";
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  securebase::check(read(bytes, 1 + data[0] % 32) == read(bytes, SIZE_MAX), "a reply does not depend on the cut");
  return 0;
}
