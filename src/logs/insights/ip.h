// IP addresses and subnets as texts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace securebase::logs::insights {

struct Ip {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // of IPv4: the first four
};

struct Subnet {
  Ip base;
  int prefix_bits = 0;
  bool holds(const Ip& address) const;
};

std::optional<Ip> parse_ip(std::string_view text);
// "10.0.0.0/8", "fd00::/8"; bits of the base beyond the prefix do not count.
std::optional<Subnet> parse_subnet(std::string_view text);

}  // namespace securebase::logs::insights
