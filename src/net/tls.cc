#include "net/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <map>
#include <mutex>

#include "net/tls_stream.h"

namespace securebase::net {

namespace {

// Forward secrecy and authenticated encryption only. AES-128 first: as safe in practice, and cheaper.
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kSuites12 = "ECDHE+AESGCM:ECDHE+CHACHA20:!SHA1";
constexpr const char* kGroups = "X25519:P-256:P-384";

struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using X509Pointer = std::unique_ptr<X509, X509Free>;
using KeyPointer = std::unique_ptr<EVP_PKEY, X509Free>;
using BioPointer = std::unique_ptr<BIO, X509Free>;

BioPointer over(const std::string& text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<SslContext> make_context(const SSL_METHOD* method, bool tls12) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(method));
  if (!context) return ssl_error(Errc::kUnsupported, "TLS cannot be set up");
  SSL_CTX_set_min_proto_version(context.get(), tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA);
  // Idle connections give back 34 KB of buffers each.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_ciphersuites(context.get(), kSuites13) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), kSuites12) != 1 || SSL_CTX_set1_groups_list(context.get(), kGroups) != 1) {
    return ssl_error(Errc::kUnsupported, "TLS cannot be set up");
  }
  return context;
}

// RFC 7301's list of names, each with its length in front.
Result<std::string> alpn_list(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) {
    if (name.empty() || name.size() > 255) return Error{Errc::kMalformed, "an ALPN name has 1 to 255 bytes"};
    list += static_cast<char>(name.size());
    list += name;
  }
  return list;
}

Result<Done> use_certificate(SSL_CTX* context, const Certificate& certificate) {
  ERR_clear_error();
  const auto chain = over(certificate.chain_pem);
  const X509Pointer leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!leaf) return ssl_error(Errc::kMalformed, "a certificate is not PEM");
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1) return ssl_error(Errc::kMalformed, "a certificate is refused");
  for (;;) {
    X509Pointer next(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    if (SSL_CTX_add0_chain_cert(context, next.get()) == 1) static_cast<void>(next.release());
  }
  ERR_clear_error();
  const auto pem = over(certificate.key_pem);
  const KeyPointer key(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
  if (!key) return ssl_error(Errc::kMalformed, "a certificate's key is not PEM");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return ssl_error(Errc::kMalformed, "a certificate's key does not belong to it");
  }
  return Done{};
}

class OpenSslServer final : public TlsServer, public std::enable_shared_from_this<OpenSslServer> {
 public:
  Result<Done> set_up(const TlsServerSettings& settings) {
    if (settings.certificates.empty()) return Error{Errc::kMalformed, "a TLS server has at least one certificate"};
    auto alpn = alpn_list(settings.alpn);
    if (!alpn) return alpn.error();
    alpn_ = *alpn;
    for (const auto& certificate : settings.certificates) {
      auto context = make_context(TLS_server_method(), settings.tls12);
      if (!context) return context.error();
      auto used = use_certificate(context->get(), certificate);
      if (!used) return used.error();
      // Sessions live in tickets, with the client: nothing is shared between workers.
      SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_OFF);
      static constexpr unsigned char kId[] = "securebase";
      SSL_CTX_set_session_id_context(context->get(), kId, sizeof kId - 1);
      SSL_CTX_set_alpn_select_cb(context->get(), choose_protocol, this);
      SSL_CTX_set_tlsext_servername_callback(context->get(), choose_certificate);
      SSL_CTX_set_tlsext_servername_arg(context->get(), this);
      contexts_.push_back(std::move(*context));
    }
    return Done{};
  }

  Task<Result<std::unique_ptr<Stream>>> accept(std::unique_ptr<Stream> connection) const override {
    SslPointer ssl(SSL_new(contexts_.front().get()));
    check(ssl != nullptr, "OpenSSL has memory for a connection");
    SSL_set_accept_state(ssl.get());
    return shake_hands(std::move(connection), std::move(ssl), shared_from_this());
  }

 private:
  static int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_length,
                             const unsigned char* offered, unsigned offered_length, void* argument) {
    const auto& self = *static_cast<const OpenSslServer*>(argument);
    unsigned char* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, chosen_length, reinterpret_cast<const unsigned char*>(self.alpn_.data()),
                              static_cast<unsigned>(self.alpn_.size()), offered, offered_length);
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 §3.2
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
  }

  static int choose_certificate(SSL* ssl, int*, void* argument) {
    const auto& self = *static_cast<const OpenSslServer*>(argument);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!name) return SSL_TLSEXT_ERR_NOACK;
    for (const auto& context : self.contexts_) {
      if (X509_check_host(SSL_CTX_get0_certificate(context.get()), name, std::strlen(name), 0, nullptr) != 1) continue;
      SSL_set_SSL_CTX(ssl, context.get());
      break;
    }
    return SSL_TLSEXT_ERR_OK;
  }

  // Constant after set_up(); OpenSSL's contexts may be used from any thread.
  std::string alpn_;
  std::vector<SslContext> contexts_;
};

class OpenSslClient final : public TlsClient, public std::enable_shared_from_this<OpenSslClient> {
 public:
  Result<Done> set_up(const TlsClientSettings& settings) {
    auto context = make_context(TLS_client_method(), true);
    if (!context) return context.error();
    context_ = std::move(*context);
    verify_ = settings.verify;
    auto alpn = alpn_list(settings.alpn);
    if (!alpn) return alpn.error();
    alpn_ = *alpn;
    SSL_CTX_set_verify(context_.get(), verify_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), keep_session);
    SSL_CTX_set_app_data(context_.get(), this);
    if (!verify_) return Done{};
    if (settings.authorities_pem.empty()) {
      if (SSL_CTX_set_default_verify_paths(context_.get()) != 1) {
        return ssl_error(Errc::kNotFound, "the system's certificate authorities cannot be read");
      }
      return Done{};
    }
    const auto pem = over(settings.authorities_pem);
    int count = 0;
    for (;;) {
      const X509Pointer authority(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
      if (!authority) break;
      count += X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.get());
    }
    if (count == 0) return ssl_error(Errc::kMalformed, "no certificate authority in the PEM text");
    ERR_clear_error();
    return Done{};
  }

  Task<Result<std::unique_ptr<Stream>>> connect(std::unique_ptr<Stream> connection,
                                                std::string server_name) const override {
    SslPointer ssl(SSL_new(context_.get()));
    check(ssl != nullptr, "OpenSSL has memory for a connection");
    SSL_set_connect_state(ssl.get());
    unsigned char address[16];
    const bool is_address = ::inet_pton(AF_INET, server_name.c_str(), address) == 1 ||
                            ::inet_pton(AF_INET6, server_name.c_str(), address) == 1;
    const bool named = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), server_name.c_str()) == 1
                                  : SSL_set1_host(ssl.get(), server_name.c_str()) == 1 &&
                                        SSL_set_tlsext_host_name(ssl.get(), server_name.c_str()) == 1;
    if (!named) co_return Error{Errc::kMalformed, fmt::format("\"{}\" is no server name", server_name)};
    if (!alpn_.empty()) {
      SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(alpn_.data()),
                          static_cast<unsigned>(alpn_.size()));
    }
    if (const auto session = take_session(server_name)) SSL_set_session(ssl.get(), session.get());
    auto stream = co_await shake_hands(std::move(connection), std::move(ssl), shared_from_this());
    if (!stream) co_return stream.error().within("connecting to " + server_name);
    co_return stream;
  }

 private:
  // Called by OpenSSL; with TLS 1.3 when the first bytes are read, which is why streams hold on to the client.
  static int keep_session(SSL* ssl, SSL_SESSION* session) {
    auto& self = *static_cast<OpenSslClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const std::string name = name_of(ssl);
    if (name.empty()) return 0;
    const std::lock_guard lock(self.mutex_);
    constexpr std::size_t kSessions = 256;
    if (self.sessions_.size() >= kSessions && !self.sessions_.count(name)) self.sessions_.erase(self.sessions_.begin());
    self.sessions_[name].reset(session);
    return 1;  // ours now
  }

  // Under which name the sessions of a connection are kept.
  static std::string name_of(SSL* ssl) {
    if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) return name;
    char* address = X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param(ssl));
    std::string name = address ? address : "";
    OPENSSL_free(address);
    return name;
  }

  // Each session is used once (RFC 8446 §C.4).
  SslSession take_session(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(name);
    if (found == sessions_.end()) return nullptr;
    auto session = std::move(found->second);
    sessions_.erase(found);
    return session;
  }

  // Constant after set_up().
  SslContext context_;
  bool verify_ = true;
  std::string alpn_;
  // Any thread, guarded by mutex_.
  mutable std::mutex mutex_;
  mutable std::map<std::string, SslSession> sessions_;
};

}  // namespace

Result<std::shared_ptr<const TlsServer>> TlsServer::make(const TlsServerSettings& settings) {
  auto server = std::make_shared<OpenSslServer>();
  auto ready = server->set_up(settings);
  if (!ready) return ready.error();
  return std::shared_ptr<const TlsServer>(std::move(server));
}

Result<std::shared_ptr<const TlsClient>> TlsClient::make(const TlsClientSettings& settings) {
  auto client = std::make_shared<OpenSslClient>();
  auto ready = client->set_up(settings);
  if (!ready) return ready.error();
  return std::shared_ptr<const TlsClient>(std::move(client));
}

}  // namespace securebase::net
