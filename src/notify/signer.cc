#include "notify/signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"

namespace securebase::notify {

namespace fs = std::filesystem;

namespace {

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

constexpr unsigned kKeyBits = 2048;
constexpr long kDay = 24 * 3600;
constexpr long kValidDays = 730;
constexpr long kRenewDays = 30;
constexpr std::string_view kNamePrefix = "SimpleNotificationService-";
constexpr std::string_view kNameSuffix = ".pem";
constexpr std::size_t kKeptSignatures = 256;

Error openssl_error(std::string_view what) {
  char reason[256] = "no reason given";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, reason, sizeof reason);
  return {Errc::kUnsupported, std::string(what) + ": " + reason};
}

Owned<BIO> over(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Owned<X509> certificate_from(std::string_view pem) {
  return Owned<X509>(PEM_read_bio_X509(over(pem).get(), nullptr, nullptr, nullptr));
}

Owned<EVP_PKEY> key_from(std::string_view pem) {
  return Owned<EVP_PKEY>(PEM_read_bio_PrivateKey(over(pem).get(), nullptr, nullptr, nullptr));
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

bool add_extension(X509* certificate, X509* issuer, int which, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, which, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// net::issue_certificate makes EC keys for servers; receivers of SNS expect RSA.
Result<std::string> issue(EVP_PKEY* key, const net::Authority& authority) {
  const auto issuer = certificate_from(authority.certificate_pem);
  const auto issuer_key = key_from(authority.key_pem);
  if (!issuer || !issuer_key) return openssl_error("the local certificate authority cannot be read");
  const Owned<X509> made(X509_new());
  std::string serial = base::random_bytes(16);
  serial[0] = static_cast<char>(serial[0] & 0x7f);
  BIGNUM* number =
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made.get()));
  BN_free(number);
  X509_set_version(made.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), kValidDays * kDay);
  X509_set_pubkey(made.get(), key);
  constexpr std::string_view kName = "sns.securebase.local";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(kName.data()), static_cast<int>(kName.size()), -1,
                             0);
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get()));
  const bool done = add_extension(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(made.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
                    add_extension(made.get(), issuer.get(), NID_subject_key_identifier, "hash") &&
                    (!X509_get0_subject_key_id(issuer.get()) ||
                     add_extension(made.get(), issuer.get(), NID_authority_key_identifier, "keyid")) &&
                    X509_sign(made.get(), issuer_key.get(), EVP_sha256()) > 0;
  if (!done) return openssl_error("the signing certificate cannot be issued");
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), made.get());
  return text_of(bio.get());
}

bool still_good(std::string_view pem, EVP_PKEY* key, const net::Authority& authority) {
  const auto certificate = certificate_from(pem);
  const auto issuer = certificate_from(authority.certificate_pem);
  if (!certificate || !issuer || X509_check_private_key(certificate.get(), key) != 1) return false;
  const Owned<EVP_PKEY> issuer_key(X509_get_pubkey(issuer.get()));
  if (!issuer_key || X509_verify(certificate.get(), issuer_key.get()) != 1) return false;
  int days = 0, seconds = 0;
  return ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())) == 1 && days >= kRenewDays;
}

class RsaSigner final : public Signer {
 public:
  explicit RsaSigner(fs::path directory) : directory_(std::move(directory)) {}

  Result<Done> load(const net::Authority& authority) {
    ERR_clear_error();
    if (auto made = base::make_directory(directory_, 0700); !made) return made;
    std::error_code ignored;
    const auto key_file = directory_ / "key.pem";
    if (fs::exists(key_file, ignored)) {
      auto pem = base::read_file(key_file, 64 << 10);
      if (!pem) return pem.error();
      key_ = key_from(*pem);
      if (!key_) return openssl_error(key_file.native() + " is no private key");
    } else {
      key_.reset(EVP_RSA_gen(kKeyBits));
      if (!key_) return openssl_error("no RSA key can be made");
      const Owned<BIO> bio(BIO_new(BIO_s_mem()));
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
      if (auto kept = base::replace_file(key_file, text_of(bio.get()), 0600); !kept) return kept;
    }
    return load_certificate(authority);
  }

  std::string sign(const std::string& canonical, int version) override {
    const std::string cached = std::to_string(version) + canonical;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = signatures_.find(cached); found != signatures_.end()) return found->second;
    }
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    std::size_t length = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
    std::string signature(length, '\0');
    const bool done = EVP_DigestSignInit(context.get(), nullptr, version == 2 ? EVP_sha256() : EVP_sha1(), nullptr,
                                         key_.get()) == 1 &&
                      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                                     reinterpret_cast<const unsigned char*>(canonical.data()), canonical.size()) == 1;
    check(done, "an RSA key that was read signs");
    auto text = base::base64(std::string_view(signature).substr(0, length));
    const std::lock_guard lock(mutex_);
    if (signatures_.emplace(cached, text).second) order_.push_back(cached);
    if (order_.size() > kKeptSignatures) {
      signatures_.erase(order_.front());
      order_.pop_front();
    }
    return text;
  }

  const std::string& certificate_name() const override { return name_; }

  std::optional<std::string> certificate(std::string_view name) const override {
    if (!name.starts_with(kNamePrefix) || !name.ends_with(kNameSuffix) || name.size() != name_.size())
      return std::nullopt;
    const auto digits = name.substr(kNamePrefix.size(), name.size() - kNamePrefix.size() - kNameSuffix.size());
    if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
    if (name == name_) return pem_;
    auto pem = base::read_file(directory_ / name, 64 << 10);
    if (!pem) return std::nullopt;
    return *pem;
  }

 private:
  // current.name says which of the certificates is in use; the others are those of before.
  Result<Done> load_certificate(const net::Authority& authority) {
    std::error_code ignored;
    if (fs::exists(directory_ / "current.name", ignored)) {
      auto name = base::read_file(directory_ / "current.name", 1 << 10);
      auto pem = name ? base::read_file(directory_ / *name, 64 << 10) : name;
      if (pem && still_good(*pem, key_.get(), authority)) {
        name_ = *name;
        pem_ = *pem;
        return Done{};
      }
    }
    ERR_clear_error();
    auto pem = issue(key_.get(), authority);
    if (!pem) return pem.error();
    pem_ = *pem;
    name_ = std::string(kNamePrefix) + base::hex(base::sha256(pem_)).substr(0, 32) + std::string(kNameSuffix);
    if (auto kept = base::replace_file(directory_ / name_, pem_, 0644); !kept) return kept;
    return base::replace_file(directory_ / "current.name", name_, 0644);
  }

  const fs::path directory_;
  Owned<EVP_PKEY> key_;
  std::string name_;
  std::string pem_;
  std::mutex mutex_;
  // Guarded by mutex_. One message goes to several subscriptions, and is tried again: it is signed once.
  std::map<std::string, std::string> signatures_;
  std::deque<std::string> order_;
};

}  // namespace

Result<std::unique_ptr<Signer>> Signer::open(const fs::path& directory, const net::Authority& authority) {
  auto signer = std::make_unique<RsaSigner>(directory);
  if (auto loaded = signer->load(authority); !loaded) return loaded.error().within("the key that signs notifications");
  std::unique_ptr<Signer> made = std::move(signer);
  return made;
}

}  // namespace securebase::notify
