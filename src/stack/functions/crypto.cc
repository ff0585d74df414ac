#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/random.h"
#include "stack/functions/function.h"
#include "stack/functions/text.h"

namespace securebase::stack {

namespace {

Value md5_of(Arguments& a) { return base::hex(base::md5(a.text(0))); }
Value sha1_of(Arguments& a) { return base::hex(base::sha1(a.text(0))); }
Value sha256_of(Arguments& a) { return base::hex(base::sha256(a.text(0))); }
Value sha512_of(Arguments& a) { return base::hex(base::sha512(a.text(0))); }
Value base64sha256(Arguments& a) { return base::base64(base::sha256(a.text(0))); }
Value base64sha512(Arguments& a) { return base::base64(base::sha512(a.text(0))); }
Value uuid(Arguments&) { return base::random_uuid(); }

// RFC 9562 §5.5: a name within a namespace, by SHA-1.
Value uuidv5(Arguments& a) {
  static constexpr std::pair<std::string_view, std::string_view> kNamespaces[] = {
      {"dns", "6ba7b8109dad11d180b400c04fd430c8"},
      {"url", "6ba7b8119dad11d180b400c04fd430c8"},
      {"oid", "6ba7b8129dad11d180b400c04fd430c8"},
      {"x500", "6ba7b8149dad11d180b400c04fd430c8"}};
  const std::string space = a.text(0);
  std::string digits;
  for (const char c : space) {
    if (c != '-') digits += c;
  }
  for (const auto& [name, known] : kNamespaces) {
    if (space == name) digits = known;
  }
  const auto bytes = base::from_hex(digits);
  if (!bytes || bytes->size() != 16) return a.fail(0, "the namespace is dns, url, oid, x500 or a UUID");
  std::string hash = base::sha1(*bytes + a.text(1)).substr(0, 16);
  hash[6] = static_cast<char>((hash[6] & 0x0f) | 0x50);
  hash[8] = static_cast<char>((hash[8] & 0x3f) | 0x80);
  const std::string hex = base::hex(hash);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

Value bcrypt(Arguments& a) {
  return a.fail(
      "it gives another value at every reading, so a plan would never be empty; hash the password where it "
      "is checked, or write the hash into the file");
}

Value rsadecrypt(Arguments& a) {
  const auto secret = base::from_base64(a.text(0));
  const std::string pem = a.text(1);
  if (!secret) return a.fail(0, "the cipher text is not valid base64");
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      PEM_read_bio_PrivateKey(
          memory.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr),
      EVP_PKEY_free);
  if (!key) return a.fail(1, "this is no private key in PEM form without a passphrase");
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                       EVP_PKEY_CTX_free);
  std::string plain(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
  std::size_t length = plain.size();
  const bool right = context && EVP_PKEY_decrypt_init(context.get()) > 0 &&
                     EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) > 0 &&
                     EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(plain.data()), &length,
                                      reinterpret_cast<const unsigned char*>(secret->data()), secret->size()) > 0;
  if (!right) return a.fail("failed to decrypt: the key does not fit");
  plain.resize(length);
  if (!is_utf8(plain)) return a.fail("the decrypted text is not valid UTF-8");
  return plain;
}

constexpr Function kCryptoFunctions[] = {
    {"base64sha256", 1, 1, base64sha256},
    {"base64sha512", 1, 1, base64sha512},
    {"bcrypt", 1, 2, bcrypt},
    {"md5", 1, 1, md5_of},
    {"rsadecrypt", 2, 2, rsadecrypt},
    {"sha1", 1, 1, sha1_of},
    {"sha256", 1, 1, sha256_of},
    {"sha512", 1, 1, sha512_of},
    {"uuid", 0, 0, uuid},
    {"uuidv5", 2, 2, uuidv5},
};

}  // namespace

std::span<const Function> crypto_functions() { return kCryptoFunctions; }

}  // namespace securebase::stack
