// TLS 1.2 and 1.3 over any Stream, by OpenSSL, with session resumption, SNI and ALPN.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/stream.h"

namespace securebase::net {

struct Certificate {
  std::string chain_pem;  // leaf first
  std::string key_pem;
};

struct TlsServerSettings {
  std::vector<Certificate> certificates;         // chosen by SNI; the first one when nothing fits
  std::vector<std::string> alpn = {"http/1.1"};  // in order of preference
  bool tls12 = true;
};

// Shared by all workers, immutable.
class TlsServer {
 public:
  static Result<std::shared_ptr<const TlsServer>> make(const TlsServerSettings& settings);
  virtual ~TlsServer() = default;
  // Takes the connection and shakes hands. kMalformed: the client does not speak TLS, or nothing in common.
  virtual Task<Result<std::unique_ptr<Stream>>> accept(std::unique_ptr<Stream> connection) const = 0;
};

struct TlsClientSettings {
  std::string authorities_pem;  // empty: the system's
  bool verify = true;
  std::vector<std::string> alpn;
};

class TlsClient {
 public:
  static Result<std::shared_ptr<const TlsClient>> make(const TlsClientSettings& settings);
  virtual ~TlsClient() = default;
  // `server_name` is sent as SNI and checked against the certificate.
  virtual Task<Result<std::unique_ptr<Stream>>> connect(std::unique_ptr<Stream> connection,
                                                        std::string server_name) const = 0;
};

// A certificate authority of our own, for one machine: made at first start, kept in the state directory.
struct Authority {
  std::string certificate_pem;
  std::string key_pem;
};
Result<Authority> make_authority(std::string_view common_name);
// A server certificate for the DNS names and IP addresses given, valid for two years, chain included.
Result<Certificate> issue_certificate(const Authority& authority, const std::vector<std::string>& names);

}  // namespace securebase::net
