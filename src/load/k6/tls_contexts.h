// TLS as a run's options ask for it: versions, ciphers, trust, and the certificates that clients show to which hosts.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "k6/options.h"

namespace securebase::k6 {

class TlsContexts {
 public:
  struct Settings {
    bool insecure_skip_verify = false;
    std::string min;                         // "tls1.0" to "tls1.3"; "": 1.2
    std::string max;                         // "": the newest
    std::vector<std::string> cipher_suites;  // by IANA's names; none: OpenSSL's own choice
    std::vector<ClientCertificate> certificates;
  };
  // An error begins with the option: a suite that nobody knows, a certificate or key that cannot be read.
  static Result<TlsContexts> make(const Settings& settings);

  // For a connection to that host: the first with a certificate for it, else the one without. Any thread.
  SSL_CTX* for_host(const std::string& host) const;

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using Context = std::unique_ptr<SSL_CTX, Free>;
  struct ForDomains {
    std::vector<std::string> domains;  // none: all
    Context context;
  };

  static Result<Context> make_context(const Settings& settings);
  static Result<Done> choose_suites(SSL_CTX* context, const std::vector<std::string>& names);
  static Result<Done> show(SSL_CTX* context, const ClientCertificate& certificate);

  Context plain_;
  std::vector<ForDomains> with_certificates_;
};

}  // namespace securebase::k6
