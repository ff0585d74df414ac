#include "logs/insights/ip.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

namespace securebase::logs::insights {

std::optional<Ip> parse_ip(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof copy) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = 0;
  if (std::memchr(copy, 0, text.size()) != nullptr) return std::nullopt;
  Ip made;
  made.v6 = text.find(':') != std::string_view::npos;
  if (inet_pton(made.v6 ? AF_INET6 : AF_INET, copy, made.bytes.data()) != 1) return std::nullopt;
  return made;
}

std::optional<Subnet> parse_subnet(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto base = parse_ip(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  int bits = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!base || failure != std::errc{} || end != digits.data() + digits.size() || bits < 0 ||
      bits > (base->v6 ? 128 : 32)) {
    return std::nullopt;
  }
  return Subnet{*base, bits};
}

bool Subnet::holds(const Ip& address) const {
  if (address.v6 != base.v6) return false;
  const auto whole = static_cast<std::size_t>(prefix_bits / 8);
  if (std::memcmp(address.bytes.data(), base.bytes.data(), whole) != 0) return false;
  const int rest = prefix_bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (address.bytes[whole] & mask) == (base.bytes[whole] & mask);
}

}  // namespace securebase::logs::insights
