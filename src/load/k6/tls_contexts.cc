#include "k6/tls_contexts.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "k6/url.h"

namespace securebase::k6 {

namespace {

int version_number(const std::string& name) {
  // SSL 3.0 is accepted as k6 does, and is spoken by nobody.
  if (name == "tls1.0" || name == "ssl3.0") return TLS1_VERSION;
  if (name == "tls1.1") return TLS1_1_VERSION;
  if (name == "tls1.2") return TLS1_2_VERSION;
  if (name == "tls1.3") return TLS1_3_VERSION;
  return 0;
}

struct FreePem {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Pem = std::unique_ptr<T, FreePem>;

Pem<BIO> reader_of(const std::string& text) {
  return Pem<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool is_of_tls13(std::string_view suite) { return suite.starts_with("TLS_AES_") || suite.starts_with("TLS_CHACHA20_"); }

}  // namespace

Result<TlsContexts> TlsContexts::make(const Settings& settings) {
  if (!settings.min.empty() && !settings.max.empty() && version_number(settings.min) > version_number(settings.max)) {
    return Error{Errc::kMalformed,
                 fmt::format("options.tlsVersion: its min, {}, is above its max, {}", settings.min, settings.max)};
  }
  TlsContexts contexts;
  auto plain = make_context(settings);
  if (!plain) return plain.error();
  contexts.plain_ = std::move(*plain);
  for (std::size_t i = 0; i < settings.certificates.size(); ++i) {
    auto context = make_context(settings);
    if (!context) return context.error();
    if (auto shown = show(context->get(), settings.certificates[i]); !shown) {
      return shown.error().within(fmt::format("options.tlsAuth[{}]", i));
    }
    contexts.with_certificates_.push_back({settings.certificates[i].domains, std::move(*context)});
  }
  return contexts;
}

Result<TlsContexts::Context> TlsContexts::make_context(const Settings& settings) {
  Context owned(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = owned.get();
  if (!context) return Error{Errc::kUnavailable, "OpenSSL cannot make a TLS context"};
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  const int min = settings.min.empty() ? TLS1_2_VERSION : version_number(settings.min);
  const int max = version_number(settings.max);
  // Who allows less than 1.2 tests an old server: signatures with SHA-1, which OpenSSL refuses by default, go with it.
  if (min < TLS1_2_VERSION || (max != 0 && max < TLS1_2_VERSION)) SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, max != 0 && max < min ? max : min);
  if (max != 0) SSL_CTX_set_max_proto_version(context, max);
  if (auto chosen = choose_suites(context, settings.cipher_suites); !chosen) return chosen.error();
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (settings.insecure_skip_verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_default_verify_paths(context);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kProtocols, 9);
  return owned;
}

// Go, whose names k6 has, leaves TLS 1.3 with its own suites; here a list that names some of them means these only.
Result<Done> TlsContexts::choose_suites(SSL_CTX* context, const std::vector<std::string>& names) {
  std::string older, newer;
  for (const auto& name : names) {
    // Go's old names for two of them leave out the hash.
    const auto whole = name.ends_with("_CHACHA20_POLY1305") ? name + "_SHA256" : name;
    std::string& list = is_of_tls13(whole) ? newer : older;
    const char* const known = is_of_tls13(whole) ? whole.c_str() : OPENSSL_cipher_name(whole.c_str());
    list += fmt::format("{}{}", list.empty() ? "" : ":", known);
    const bool taken = is_of_tls13(whole) ? SSL_CTX_set_ciphersuites(context, list.c_str()) == 1
                                          : SSL_CTX_set_cipher_list(context, known) == 1;
    if (taken) continue;
    ERR_clear_error();
    return Error{Errc::kMalformed,
                 fmt::format("options.tlsCipherSuites: '{}' is not a suite that is here: expected names such as "
                             "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or TLS_AES_128_GCM_SHA256",
                             name.substr(0, 100))};
  }
  if (!older.empty()) SSL_CTX_set_cipher_list(context, older.c_str());
  return Done{};
}

Result<Done> TlsContexts::show(SSL_CTX* context, const ClientCertificate& certificate) {
  const auto chain = reader_of(certificate.certificate_pem);
  const Pem<X509> leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!leaf) {
    ERR_clear_error();
    return Error{Errc::kMalformed, "its cert is not a certificate in PEM: expected open('client.crt') or its text"};
  }
  const auto key = reader_of(certificate.key_pem);
  // The password itself stands where a callback's argument would: OpenSSL asks nobody then.
  const Pem<EVP_PKEY> private_key(
      PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, const_cast<char*>(certificate.password.c_str())));
  if (!private_key) {
    ERR_clear_error();
    const bool encrypted = certificate.key_pem.find("ENCRYPTED") != std::string::npos;
    return Error{Errc::kMalformed,
                 encrypted ? (certificate.password.empty() ? "its key is encrypted, and there is no password"
                                                           : "its key is encrypted, and not with this password")
                           : "its key is not a private key in PEM: expected open('client.key') or its text"};
  }
  bool good = SSL_CTX_use_certificate(context, leaf.get()) == 1;
  // The second asks as well when the key is of another kind than the certificate's.
  if (good && (SSL_CTX_use_PrivateKey(context, private_key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)) {
    ERR_clear_error();
    return Error{Errc::kMalformed, "its key is not that of its certificate"};
  }
  while (good) {
    X509* const more = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr);
    if (!more) break;
    good = SSL_CTX_add0_chain_cert(context, more) == 1;
    if (!good) X509_free(more);
  }
  ERR_clear_error();
  if (good) return Done{};
  return Error{Errc::kMalformed, "OpenSSL does not take its certificate, which may be too weak"};
}

SSL_CTX* TlsContexts::for_host(const std::string& host) const {
  for (const auto& one : with_certificates_) {
    if (one.domains.empty() || std::any_of(one.domains.begin(), one.domains.end(),
                                           [&](const std::string& domain) { return host_matches(domain, host); })) {
      return one.context.get();
    }
  }
  return plain_.get();
}

}  // namespace securebase::k6
