// Ranges of IP addresses: "10.0.0.0/8", "192.168.0.10-192.168.0.25", or one address; of either kind.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::k6 {

struct IpRange {
  using Bytes = std::array<std::uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d
  Bytes first{};
  Bytes last{};

  bool contains(const IpRange& other) const { return first <= other.first && other.last <= last; }
};
std::optional<IpRange> ip_range_from(std::string_view text);

// The addresses that users make their requests from (--local-ips), one after the other.
class LocalAddresses {
 public:
  // Ranges with commas between. Of a range as 10.0.0.0/24, the network's own address and its broadcast are left out.
  static Result<LocalAddresses> from(std::string_view text);
  bool empty() const { return ranges_.empty(); }
  // The user's, by its number from 1; there may be more users than addresses.
  std::string of_user(std::int64_t user) const;

 private:
  struct Counted {
    IpRange range;
    std::uint64_t count;
  };
  std::vector<Counted> ranges_;
  std::uint64_t count_ = 0;
};

}  // namespace securebase::k6
