#include "k6/ip_range.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace securebase::k6 {

namespace {

constexpr std::uint64_t kMostAddresses = 1 << 30;  // of one range that count; the rest of an IPv6 network is not used
constexpr IpRange::Bytes kMappedV4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_v4(const IpRange::Bytes& bytes) { return std::equal(bytes.begin(), bytes.begin() + 12, kMappedV4.begin()); }

std::optional<IpRange::Bytes> address_from(std::string_view text) {
  IpRange::Bytes bytes = kMappedV4;
  const std::string whole(text);
  if (inet_pton(AF_INET, whole.c_str(), bytes.data() + 12) == 1) return bytes;
  if (inet_pton(AF_INET6, whole.c_str(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

std::string address_text(const IpRange::Bytes& bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_v4(bytes)) {
    inet_ntop(AF_INET, bytes.data() + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

IpRange::Bytes plus(IpRange::Bytes bytes, std::uint64_t number) {
  std::uint64_t carry = number;
  for (std::size_t i = bytes.size(); i-- > 0 && carry > 0;) {
    carry += bytes[i];
    bytes[i] = static_cast<std::uint8_t>(carry & 0xff);
    carry >>= 8;
  }
  return bytes;
}

std::uint64_t addresses_in(const IpRange& range) {
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < range.first.size(); ++i) {
    if (difference > kMostAddresses) return kMostAddresses;
    difference = difference * 256 + range.last[i] - range.first[i];  // wraps back with the next byte when it borrows
  }
  return std::min(difference, kMostAddresses - 1) + 1;
}

}  // namespace

std::optional<IpRange> ip_range_from(std::string_view text) {
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    const auto first = address_from(text.substr(0, dash));
    const auto last = address_from(text.substr(dash + 1));
    if (!first || !last || is_v4(*first) != is_v4(*last) || *last < *first) return std::nullopt;
    return IpRange{*first, *last};
  }
  const auto slash = text.find('/');
  const auto address = address_from(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return IpRange{*address, *address};
  unsigned prefix = 0;
  const auto [end, failure] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), prefix);
  const bool v4 = is_v4(*address);
  if (failure != std::errc{} || end != text.data() + text.size() || prefix > (v4 ? 32U : 128U)) return std::nullopt;
  IpRange range{*address, *address};
  for (unsigned bit = prefix + (v4 ? 96 : 0); bit < 128; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    range.first[bit / 8] &= static_cast<std::uint8_t>(~mask);
    range.last[bit / 8] |= mask;
  }
  return range;
}

Result<LocalAddresses> LocalAddresses::from(std::string_view text) {
  LocalAddresses addresses;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto one = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    auto range = ip_range_from(one);
    if (!range) {
      return Error{Errc::kMalformed,
                   fmt::format("--local-ips: '{}' is not an address, a range such as 10.0.0.5-10.0.0.9, or a network "
                               "such as 10.0.0.0/24",
                               one.substr(0, 100))};
    }
    const bool network = one.find('/') != std::string_view::npos && is_v4(range->first) && addresses_in(*range) > 2;
    if (network) {
      range->first = plus(range->first, 1);
      --range->last.back();  // a broadcast ends in a bit that is set
    }
    addresses.ranges_.push_back({*range, addresses_in(*range)});
    addresses.count_ += addresses.ranges_.back().count;
  }
  return addresses;
}

std::string LocalAddresses::of_user(std::int64_t user) const {
  if (ranges_.empty()) return "";
  auto place = static_cast<std::uint64_t>(std::max<std::int64_t>(user - 1, 0)) % count_;
  for (const auto& counted : ranges_) {
    if (place < counted.count) return address_text(plus(counted.range.first, place));
    place -= counted.count;
  }
  return "";
}

}  // namespace securebase::k6
