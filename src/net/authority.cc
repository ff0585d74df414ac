#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/random.h"
#include "net/tls.h"
#include "net/tls_stream.h"

namespace securebase::net {

namespace {

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

constexpr long kHour = 3600;
constexpr long kDay = 24 * kHour;
constexpr std::size_t kLongestCommonName = 64;  // RFC 5280, ub-common-name

bool add_extension(X509* certificate, X509* issuer, int which, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// With a random serial number, valid from an hour ago, so that clocks that differ a little do not matter.
Owned<X509> begin_certificate(EVP_PKEY* key, std::string_view common_name, long days) {
  Owned<X509> certificate(X509_new());
  std::string serial = base::random_bytes(16);
  serial[0] = static_cast<char>(serial[0] & 0x7f);
  BIGNUM* number =
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * kDay);
  X509_set_pubkey(certificate.get(), key);
  const std::string name(common_name.substr(0, kLongestCommonName));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
  return certificate;
}

std::string read_all(BIO* bio) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

std::string to_pem(X509* certificate) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return read_all(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return read_all(bio.get());
}

// One name as it stands in subjectAltName; nullopt for what would end the list or is empty.
std::optional<std::string> alternative_name(const std::string& name) {
  unsigned char address[16];
  if (::inet_pton(AF_INET, name.c_str(), address) == 1 || ::inet_pton(AF_INET6, name.c_str(), address) == 1) {
    return "IP:" + name;
  }
  if (name.empty() || name.size() > 253) return std::nullopt;
  for (const char c : name) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                         c == '.' || c == '*' || c == '_';
    if (!allowed) return std::nullopt;
  }
  return "DNS:" + name;
}

}  // namespace

Result<Authority> make_authority(std::string_view common_name) {
  ERR_clear_error();
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return ssl_error(Errc::kUnsupported, "no P-256 key can be made");
  const auto certificate = begin_certificate(key.get(), common_name, 3650);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  const bool done =
      add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0;
  if (!done) return ssl_error(Errc::kUnsupported, "the certificate authority cannot be made");
  return Authority{to_pem(certificate.get()), to_pem(key.get())};
}

Result<Certificate> issue_certificate(const Authority& authority, const std::vector<std::string>& names) {
  if (names.empty()) return Error{Errc::kMalformed, "a certificate is for at least one name"};
  std::string alternatives;
  for (const auto& name : names) {
    const auto one = alternative_name(name);
    if (!one) return Error{Errc::kMalformed, fmt::format("\"{}\" is neither a DNS name nor an address", name)};
    alternatives += (alternatives.empty() ? "" : ",") + *one;
  }
  ERR_clear_error();
  const Owned<BIO> certificate_text(
      BIO_new_mem_buf(authority.certificate_pem.data(), static_cast<int>(authority.certificate_pem.size())));
  const Owned<BIO> key_text(BIO_new_mem_buf(authority.key_pem.data(), static_cast<int>(authority.key_pem.size())));
  const Owned<X509> issuer(PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr));
  const Owned<EVP_PKEY> issuer_key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  if (!issuer || !issuer_key) return ssl_error(Errc::kMalformed, "the certificate authority cannot be read");

  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return ssl_error(Errc::kUnsupported, "no P-256 key can be made");
  const auto certificate = begin_certificate(key.get(), names.front(), 730);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  const bool done = add_extension(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(certificate.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
                    add_extension(certificate.get(), issuer.get(), NID_ext_key_usage, "serverAuth") &&
                    add_extension(certificate.get(), issuer.get(), NID_subject_key_identifier, "hash") &&
                    add_extension(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid") &&
                    add_extension(certificate.get(), issuer.get(), NID_subject_alt_name, alternatives) &&
                    X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) > 0;
  if (!done) return ssl_error(Errc::kMalformed, "the certificate cannot be issued");
  return Certificate{to_pem(certificate.get()) + authority.certificate_pem, to_pem(key.get())};
}

}  // namespace securebase::net
