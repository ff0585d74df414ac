#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>

namespace securebase::net {

namespace {

std::optional<SocketAddress> literal(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.length = sizeof v4;
    return address;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.length = sizeof v6;
    return address;
  }
  return std::nullopt;
}

}  // namespace

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
  return 0;
}

Result<Address> Address::parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  Address address;
  if (text.substr(0, kUnix.size()) == kUnix) {
    address.path = text.substr(kUnix.size());
    if (address.path.empty()) return Error{Errc::kMalformed, "unix: is followed by a path"};
    return address;
  }
  const auto malformed = [text] {
    return Error{Errc::kMalformed,
                 fmt::format("\"{}\" is not HOST:PORT, [IPV6]:PORT or unix:PATH", text.substr(0, 200))};
  };
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find("]:");
    if (end == std::string_view::npos) return malformed();
    address.host = text.substr(1, end - 1);
    port = text.substr(end + 2);
  } else {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return malformed();
    address.host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failure != std::errc{} || end != port.data() + port.size() || address.host.empty()) return malformed();
  return address;
}

std::string Address::to_string() const {
  if (!path.empty()) return "unix:" + path;
  return host.find(':') != std::string::npos ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::vector<SocketAddress>> known_addresses(const Address& address) {
  std::vector<SocketAddress> found;
  if (!address.path.empty()) {
    SocketAddress local;
    auto& un = reinterpret_cast<sockaddr_un&>(local.storage);
    if (address.path.size() >= sizeof un.sun_path) {
      return Error{Errc::kLimit, fmt::format("the path of a Unix socket has at most {} bytes: {}",
                                             sizeof un.sun_path - 1, address.path)};
    }
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, address.path.c_str(), address.path.size() + 1);
    local.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.path.size() + 1);
    found.push_back(local);
  } else if (address.host == "localhost") {  // RFC 6761 §6.3: never asked of the network
    found.push_back(*literal("127.0.0.1", address.port));
    found.push_back(*literal("::1", address.port));
  } else if (auto known = literal(address.host, address.port)) {
    found.push_back(*known);
  }
  return found;
}

Result<std::vector<SocketAddress>> look_up(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (failure != 0) {
    return Error{failure == EAI_AGAIN ? Errc::kUnavailable : Errc::kNotFound,
                 fmt::format("no address for {}: {}", address.host, ::gai_strerror(failure))};
  }
  std::vector<SocketAddress> found;
  for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
    SocketAddress one;
    std::memcpy(&one.storage, entry->ai_addr, entry->ai_addrlen);
    one.length = entry->ai_addrlen;
    found.push_back(one);
  }
  ::freeaddrinfo(list);
  return found;
}

}  // namespace securebase::net
