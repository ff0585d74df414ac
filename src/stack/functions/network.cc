#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "stack/functions/function.h"

namespace securebase::stack {

namespace {

using Wide = unsigned __int128;

// An address range, its address as one number of `bits` bits.
struct Prefix {
  Wide address = 0;
  int bits = 32;
  int length = 0;
};

// 010.001.0.0 is 10.1.0.0, as Terraform has it to this day; inet_pton takes no such zeros.
std::string without_leading_zeros(std::string host) {
  if (host.find(':') != std::string::npos) return host;
  for (std::size_t i = 0; i + 1 < host.size();) {
    const bool begins = i == 0 || host[i - 1] == '.';
    if (begins && host[i] == '0' && host[i + 1] >= '0' && host[i + 1] <= '9') {
      host.erase(i, 1);
    } else {
      ++i;
    }
  }
  return host;
}

std::optional<Prefix> parse_prefix(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string host = without_leading_zeros(text.substr(0, slash));
  const auto length = parse_number(text.substr(slash + 1));
  std::array<unsigned char, 16> bytes{};
  Prefix prefix;
  if (inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) {
    prefix.bits = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1) {
    prefix.bits = 128;
  } else {
    return std::nullopt;
  }
  if (!length || *length < 0 || *length > prefix.bits || std::trunc(*length) != *length) return std::nullopt;
  prefix.length = static_cast<int>(*length);
  for (int i = 0; i < prefix.bits / 8; ++i) prefix.address = prefix.address << 8 | bytes[static_cast<std::size_t>(i)];
  const int host_bits = prefix.bits - prefix.length;
  prefix.address = host_bits >= 128 ? 0 : prefix.address >> host_bits << host_bits;
  return prefix;
}

std::string address_text(Wide address, int bits) {
  std::array<unsigned char, 16> bytes{};
  for (int i = bits / 8 - 1; i >= 0; --i, address >>= 8)
    bytes[static_cast<std::size_t>(i)] = static_cast<unsigned char>(address);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(bits == 32 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

std::string prefix_text(const Prefix& prefix) {
  return fmt::format("{}/{}", address_text(prefix.address, prefix.bits), prefix.length);
}

Wide shifted(Wide value, int by) { return by >= 128 ? 0 : value << by; }

std::optional<Prefix> prefix_argument(Arguments& a, std::size_t i) {
  const std::string text = a.text(i);
  if (a.failed()) return std::nullopt;
  auto made = parse_prefix(text);
  if (!made) a.fail(i, fmt::format("invalid CIDR expression: {}; one looks like 10.0.0.0/16", in_quotes(text)));
  return made;
}

Value cidrhost(Arguments& a) {
  const auto prefix = prefix_argument(a, 0);
  const auto number = a.integer(1);
  if (!prefix) return {};
  const int host_bits = prefix->bits - prefix->length;
  const Wide room = host_bits >= 127 ? ~Wide{0} : shifted(1, host_bits);
  const Wide wanted = number >= 0 ? static_cast<Wide>(number) : room - static_cast<Wide>(-number);
  if (wanted >= room && host_bits < 127) {
    return a.fail(1, fmt::format("prefix of {} does not accommodate a host numbered {}", prefix->length, number));
  }
  return address_text(prefix->address + wanted, prefix->bits);
}

Value cidrnetmask(Arguments& a) {
  const auto prefix = prefix_argument(a, 0);
  if (!prefix) return {};
  if (prefix->bits != 32) return a.fail(0, "IPv6 addresses cannot have a netmask");
  return address_text(prefix->length == 0 ? 0 : Wide{0xffffffff} >> (32 - prefix->length) << (32 - prefix->length), 32);
}

Value cidrsubnet(Arguments& a) {
  auto prefix = prefix_argument(a, 0);
  const auto more = a.integer(1);
  const auto number = a.integer(2);
  if (!prefix) return {};
  if (more < 0 || prefix->length + more > prefix->bits) {
    return a.fail(1, fmt::format("not enough remaining address space for a subnet with a prefix of {} bits",
                                 prefix->length + more));
  }
  if (number < 0 || (more < 63 && number >= std::int64_t{1} << more)) {
    return a.fail(2, fmt::format("prefix extension of {} does not accommodate a subnet numbered {}", more, number));
  }
  prefix->length += static_cast<int>(more);
  prefix->address += shifted(static_cast<Wide>(number), prefix->bits - prefix->length);
  return prefix_text(*prefix);
}

Value cidrsubnets(Arguments& a) {
  const auto prefix = prefix_argument(a, 0);
  if (!prefix) return {};
  Value::List made;
  Wide next = prefix->address;
  const int host_bits = prefix->bits - prefix->length;
  const bool bounded = host_bits < 128;
  for (std::size_t i = 1; i < a.size(); ++i) {
    const auto more = a.integer(i);
    if (a.failed()) return {};
    if (more > 32) return a.fail(i, "a prefix may not be extended by more than 32 bits");
    if (more < 1 || prefix->length + more > prefix->bits) {
      return a.fail(i, fmt::format("not enough remaining address space for a subnet with a prefix of {} bits",
                                   prefix->length + more));
    }
    const Prefix one{0, prefix->bits, prefix->length + static_cast<int>(more)};
    const Wide size = shifted(1, one.bits - one.length);
    const Wide offset = (next - prefix->address + size - 1) / size * size;
    if (bounded && offset + size > shifted(1, host_bits)) {
      return a.fail(i, fmt::format("not enough remaining address space for a subnet with a prefix of {} bits after {}",
                                   one.length, made.empty() ? "the start" : made.back().string()));
    }
    Prefix found = one;
    found.address = prefix->address + offset;
    made.emplace_back(prefix_text(found));
    next = found.address + size;
  }
  return made;
}

constexpr Function kNetworkFunctions[] = {
    {"cidrhost", 2, 2, cidrhost},
    {"cidrnetmask", 1, 1, cidrnetmask},
    {"cidrsubnet", 3, 3, cidrsubnet},
    {"cidrsubnets", 1, kAnyNumber, cidrsubnets},
};

}  // namespace

std::span<const Function> network_functions() { return kNetworkFunctions; }

}  // namespace securebase::stack
