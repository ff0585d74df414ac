#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"
#include "base/encoding.h"

namespace securebase::base {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
    check(got > 0 || errno == EINTR, "the kernel gives random bytes");
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  for (const char c : random_bytes(8)) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

std::string random_hex(std::size_t digits) { return hex(random_bytes((digits + 1) / 2)).substr(0, digits); }

std::string random_uuid() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  const std::string h = hex(bytes);
  return h.substr(0, 8) + '-' + h.substr(8, 4) + '-' + h.substr(12, 4) + '-' + h.substr(16, 4) + '-' + h.substr(20);
}

std::string random_text(std::size_t length, std::string_view alphabet) {
  check(!alphabet.empty() && alphabet.size() <= 256, "an alphabet has 1 to 256 characters");
  // Bytes beyond the last whole multiple are thrown away: every character stays equally likely.
  const std::size_t fair = 256 / alphabet.size() * alphabet.size();
  std::string text;
  while (text.size() < length) {
    for (const char c : random_bytes(length)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < fair && text.size() < length) text += alphabet[byte % alphabet.size()];
    }
  }
  return text;
}

}  // namespace securebase::base
