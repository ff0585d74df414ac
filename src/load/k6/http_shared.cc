#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "k6/failures.h"
#include "k6/http_client.h"

namespace securebase::k6 {

namespace {

constexpr auto kKeepAddresses = std::chrono::minutes{5};

bool matches_host(std::string_view pattern, std::string_view host) {
  if (pattern.starts_with("*.")) return host.size() > pattern.size() - 1 && host.ends_with(pattern.substr(1));
  if (pattern == "*") return true;
  return pattern == host;
}

// "10.0.0.0/8" or one address; both kinds of address as 16 bytes.
struct Range {
  unsigned char bytes[16];
  int bits;
};
std::optional<Range> range_from(const std::string& text) {
  Range range{};
  const auto slash = text.find('/');
  const std::string address = text.substr(0, slash);
  int prefix = -1;
  if (slash != std::string::npos) {
    const auto [end, failure] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), prefix);
    if (failure != std::errc{} || end != text.data() + text.size() || prefix < 0) return std::nullopt;
  }
  if (inet_pton(AF_INET6, address.c_str(), range.bytes) == 1) {
    range.bits = prefix < 0 ? 128 : prefix;
  } else {
    in_addr v4{};
    if (inet_pton(AF_INET, address.c_str(), &v4) != 1) return std::nullopt;
    range.bytes[10] = range.bytes[11] = 0xff;
    std::memcpy(range.bytes + 12, &v4, 4);
    range.bits = 96 + (prefix < 0 ? 32 : prefix);
  }
  if (range.bits > 128) return std::nullopt;
  return range;
}
bool holds(const Range& range, const Range& address) {
  for (int bit = 0; bit < range.bits; ++bit) {
    const int mask = 0x80 >> (bit % 8);
    if ((range.bytes[bit / 8] & mask) != (address.bytes[bit / 8] & mask)) return false;
  }
  return true;
}

int version_number(const std::string& name) {
  if (name == "tls1.0") return TLS1_VERSION;
  if (name == "tls1.1") return TLS1_1_VERSION;
  if (name == "tls1.2") return TLS1_2_VERSION;
  if (name == "tls1.3") return TLS1_3_VERSION;
  return 0;
}

}  // namespace

Result<std::unique_ptr<HttpShared>> HttpShared::make(Settings settings) {
  std::unique_ptr<HttpShared> shared(new HttpShared(std::move(settings)));
  if (auto prepared = shared->prepare(); !prepared) return prepared.error();
  return shared;
}

HttpShared::~HttpShared() {
  for (SSL_CTX* context : contexts_) SSL_CTX_free(context);
}

Result<Done> HttpShared::prepare() {
  for (const auto& text : settings_.blacklist_ips) {
    if (!range_from(text)) {
      return Error{Errc::kMalformed,
                   fmt::format("options.blacklistIPs: '{}' is not an address or a range such as 10.0.0.0/8", text)};
    }
  }
  auto plain = make_context(nullptr);
  if (!plain) return plain.error();
  contexts_.push_back(*plain);
  for (const auto& certificate : settings_.certificates) {
    auto made = make_context(&certificate);
    if (!made) return made.error();
    contexts_.push_back(*made);
  }
  return Done{};
}

Result<SSL_CTX*> HttpShared::make_context(const ClientCertificate* certificate) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  if (!context) return Error{Errc::kUnavailable, "OpenSSL cannot make a TLS context"};
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_min_proto_version(context,
                                settings_.tls_min.empty() ? TLS1_2_VERSION : version_number(settings_.tls_min));
  if (!settings_.tls_max.empty()) SSL_CTX_set_max_proto_version(context, version_number(settings_.tls_max));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (settings_.insecure_skip_tls_verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_default_verify_paths(context);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kProtocols, 9);
  if (!certificate) return context;

  BIO* const chain =
      BIO_new_mem_buf(certificate->certificate_pem.data(), static_cast<int>(certificate->certificate_pem.size()));
  BIO* const key = BIO_new_mem_buf(certificate->key_pem.data(), static_cast<int>(certificate->key_pem.size()));
  X509* const leaf = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
  EVP_PKEY* const private_key =
      PEM_read_bio_PrivateKey(key, nullptr, nullptr, const_cast<char*>(certificate->password.c_str()));
  bool good = leaf && private_key && SSL_CTX_use_certificate(context, leaf) == 1 &&
              SSL_CTX_use_PrivateKey(context, private_key) == 1;
  while (good) {
    X509* const more = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
    if (!more) break;
    good = SSL_CTX_add0_chain_cert(context, more) == 1;
  }
  ERR_clear_error();
  X509_free(leaf);
  EVP_PKEY_free(private_key);
  BIO_free(chain);
  BIO_free(key);
  if (good) return context;
  SSL_CTX_free(context);
  return Error{Errc::kMalformed, "options.tlsAuth: cert and key must be PEM texts that belong together"};
}

SSL_CTX* HttpShared::tls_context(const std::string& host) const {
  for (std::size_t i = 0; i < settings_.certificates.size(); ++i) {
    const auto& domains = settings_.certificates[i].domains;
    if (domains.empty() || std::any_of(domains.begin(), domains.end(),
                                       [&](const std::string& domain) { return matches_host(domain, host); })) {
      return contexts_[i + 1];
    }
  }
  return contexts_[0];
}

Result<HttpShared::Address, HttpShared::Failure> HttpShared::look_up(const Url& url) {
  for (const auto& pattern : settings_.block_hostnames) {
    if (matches_host(pattern, url.host)) {
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
      if (!target && (matches_host(pattern, url.host) || matches_host(pattern, with_port))) target = &address;
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
  std::string ip;
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1 || inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    ip = host;
  } else {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = known_.find(host); found != known_.end() && found->second.until > Steady::now()) {
        ip = found->second.ips[found->second.turn++ % found->second.ips.size()];
      }
    }
    if (ip.empty()) {
      auto ips = resolve_name(host);
      if (!ips) return ips.error();
      ip = ips->front();
      const std::lock_guard lock(mutex_);
      if (known_.size() > 10'000) known_.clear();
      known_[host] = {std::move(*ips), Steady::now() + kKeepAddresses, 1};
    }
  }
  if (!settings_.blacklist_ips.empty()) {
    const auto address = range_from(ip);
    for (const auto& text : settings_.blacklist_ips) {
      if (address && holds(*range_from(text), *address)) {
        return Failure{failures::kBlacklistedIp, fmt::format("IP ({}) is in a blacklisted range ({})", ip, text)};
      }
    }
  }
  return Address{ip, port};
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
