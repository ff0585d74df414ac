#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "k6/failures.h"
#include "k6/http_client.h"

namespace securebase::k6 {

Result<std::unique_ptr<HttpShared>> HttpShared::make(Settings settings) {
  std::unique_ptr<HttpShared> shared(new HttpShared(std::move(settings)));
  if (auto prepared = shared->prepare(); !prepared) return prepared.error();
  return shared;
}

Result<Done> HttpShared::prepare() {
  for (const auto& text : settings_.blacklist_ips) {
    const auto range = ip_range_from(text);
    if (!range) {
      return Error{Errc::kMalformed,
                   fmt::format("options.blacklistIPs: '{}' is not an address or a range such as 10.0.0.0/8", text)};
    }
    blacklisted_.push_back(*range);
  }
  auto tls = TlsContexts::make(settings_.tls);
  if (!tls) return tls.error();
  tls_ = std::move(*tls);
  return Done{};
}

Result<HttpShared::Address, HttpShared::Failure> HttpShared::look_up(const Url& url) {
  for (const auto& pattern : settings_.block_hostnames) {
    if (host_matches(pattern, url.host)) {
      return Failure{failures::kBlockedHostname,
                     fmt::format("hostname ({}) is in a blocked pattern ({})", url.host, pattern)};
    }
  }
  std::string host = url.host;
  std::uint16_t port = url.port;
  if (!settings_.hosts.empty()) {
    const std::string with_port = fmt::format("{}:{}", url.host, url.port);
    const std::string* target = nullptr;
    for (const auto& [pattern, address] : settings_.hosts) {
      if (pattern == with_port || pattern == url.host) target = &address;
      if (!target && (host_matches(pattern, url.host) || host_matches(pattern, with_port))) target = &address;
    }
    if (target) {
      host = *target;
      const auto colon = target->rfind(':');
      if (target->starts_with('[')) {
        host = target->substr(1, target->find(']') - 1);
      } else if (colon != std::string::npos && target->find(':') == colon) {
        host = target->substr(0, colon);
      }
      if (colon != std::string::npos && (target->find(':') == colon || target->find("]:") != std::string::npos)) {
        unsigned number = 0;
        std::from_chars(target->data() + colon + 1, target->data() + target->size(), number);
        if (number > 0 && number < 65'536) port = static_cast<std::uint16_t>(number);
      }
    }
  }
  auto ip = address_of(host);
  if (!ip) return ip.error();
  if (const auto address = ip_range_from(*ip); address && !blacklisted_.empty()) {
    for (std::size_t i = 0; i < blacklisted_.size(); ++i) {
      if (!blacklisted_[i].contains(*address)) continue;
      return Failure{failures::kBlacklistedIp,
                     fmt::format("IP ({}) is in a blacklisted range ({})", *ip, settings_.blacklist_ips[i])};
    }
  }
  return Address{std::move(*ip), port};
}

Result<std::string, HttpShared::Failure> HttpShared::address_of(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1 || inet_pton(AF_INET6, host.c_str(), &v6) == 1) return host;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(host); found != known_.end() && found->second.until > Steady::now()) {
      return choose(found->second);
    }
  }
  auto ips = resolve_name(host);
  if (!ips) return ips.error();
  const auto now = Steady::now();
  const bool for_ever = settings_.dns_ttl >= Steady::time_point::max() - now;
  const std::lock_guard lock(mutex_);
  if (known_.size() > 10'000) known_.clear();
  Known& known = known_[host];
  known.ips = std::move(*ips);
  known.until = for_ever ? Steady::time_point::max() : now + settings_.dns_ttl;
  return choose(known);
}

std::string HttpShared::choose(Known& known) const {
  if (settings_.dns_select == "first") return known.ips.front();
  if (settings_.dns_select == "random") {
    static thread_local std::minstd_rand random{std::random_device{}()};
    return known.ips[random() % known.ips.size()];
  }
  return known.ips[known.turn++ % known.ips.size()];
}

Result<std::vector<std::string>, HttpShared::Failure> HttpShared::resolve_name(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const std::string& policy = settings_.dns_policy;
  hints.ai_family = policy == "onlyIPv4" ? AF_INET : policy == "onlyIPv6" ? AF_INET6 : AF_UNSPEC;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failure == EAI_NONAME || failure == EAI_NODATA) return Failure{failures::kNoSuchHost, "lookup: no such host"};
  if (failure != 0) return Failure{failures::kDns, fmt::format("lookup {}: {}", host, gai_strerror(failure))};
  std::vector<std::string> first;
  std::vector<std::string> second;
  for (const addrinfo* entry = found; entry; entry = entry->ai_next) {
    char text[INET6_ADDRSTRLEN] = "";
    const bool is_v4 = entry->ai_family == AF_INET;
    if (is_v4) {
      inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(entry->ai_addr)->sin_addr, text, sizeof text);
    } else if (entry->ai_family == AF_INET6) {
      inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(entry->ai_addr)->sin6_addr, text, sizeof text);
    }
    auto& list = is_v4 == (policy != "preferIPv6") ? first : second;
    if (*text && std::find(list.begin(), list.end(), text) == list.end()) list.emplace_back(text);
  }
  freeaddrinfo(found);
  if (policy == "any") first.insert(first.end(), second.begin(), second.end());
  if (first.empty()) first = std::move(second);
  if (first.empty()) return Failure{failures::kNoSuchHost, "lookup: no such host"};
  return first;
}

}  // namespace securebase::k6
