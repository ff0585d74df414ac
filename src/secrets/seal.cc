#include "secrets/seal.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <memory>

#include "base/check.h"
#include "base/random.h"

namespace securebase::secrets {

namespace {

constexpr std::string_view kMagic = "SBSEALED";
constexpr char kVersion = 1;
constexpr std::size_t kKeyIdBytes = 8;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kHeaderBytes = kMagic.size() + 1 + kKeyIdBytes + kNonceBytes;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

Sealer::Sealer(const MasterKey& master)
    : key_(master.key_for("seal")), key_id_(master.key_for("key id").reveal().substr(0, kKeyIdBytes)) {}

std::string Sealer::seal(std::string_view text, std::string_view file_name) const {
  std::string out = std::string(kMagic) + kVersion + key_id_;
  const auto nonce = base::random_bytes(kNonceBytes);
  out += nonce;
  std::string sealed(text.size(), '\0');
  std::string tag(kTagBytes, '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int written = 0;
  const bool done =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_.reveal()), bytes_of(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes_of(out), static_cast<int>(out.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes_of(file_name), static_cast<int>(file_name.size())) ==
          1 &&
      EVP_EncryptUpdate(cipher.get(), bytes_of(sealed), &written, bytes_of(text), static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), bytes_of(tag), &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
  check(done, "OpenSSL encrypts with AES-256-GCM");
  return out + sealed + tag;
}

Result<Secret> Sealer::open(std::string_view bytes, std::string_view file_name) const {
  if (bytes.size() < kHeaderBytes + kTagBytes || !bytes.starts_with(kMagic)) {
    return Error{Errc::kMalformed,
                 fmt::format("{} is not a sealed secret: bring it back from a backup, or delete it", file_name)};
  }
  if (bytes[kMagic.size()] != kVersion) {
    return Error{Errc::kUnsupported, fmt::format("{} has format {}; this program knows format {}", file_name,
                                                 int{bytes[kMagic.size()]}, int{kVersion})};
  }
  if (bytes.substr(kMagic.size() + 1, kKeyIdBytes) != key_id_) {
    return Error{
        Errc::kConflict,
        fmt::format("{} was sealed with another master key: bring back the master.key that belongs to it", file_name)};
  }
  const auto header = bytes.substr(0, kHeaderBytes);
  const auto nonce = header.substr(kHeaderBytes - kNonceBytes);
  const auto sealed = bytes.substr(kHeaderBytes, bytes.size() - kHeaderBytes - kTagBytes);
  std::string tag(bytes.substr(bytes.size() - kTagBytes));
  std::string text(sealed.size(), '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int written = 0;
  const bool done =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_.reveal()), bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes_of(header), static_cast<int>(header.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes_of(file_name), static_cast<int>(file_name.size())) ==
          1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(text), &written, bytes_of(sealed), static_cast<int>(sealed.size())) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1;
  Secret opened(std::move(text));
  unsigned char rest[kTagBytes];
  if (!done || EVP_DecryptFinal_ex(cipher.get(), rest, &written) != 1) {
    return Error{Errc::kMalformed,
                 fmt::format("{} was changed or is damaged: bring it back from a backup, or delete it", file_name)};
  }
  return opened;
}

}  // namespace securebase::secrets
