#include "objects/digests.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <cstdint>

#include "base/check.h"

namespace securebase::objects {

namespace {

std::string big_endian(std::uint32_t number) {
  std::string bytes(4, '\0');
  for (int i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(number >> (24 - 8 * i));
  return bytes;
}

class Cryptographic final : public Digest {
 public:
  explicit Cryptographic(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    check(context_ && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1, "OpenSSL has the digest");
  }
  void update(std::string_view bytes) override { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string finish() override {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out;
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), out.data(), &size);
    return {reinterpret_cast<const char*>(out.data()), size};
  }

 private:
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

class Crc32 final : public Digest {
 public:
  void update(std::string_view bytes) override {
    sum_ = ::crc32_z(sum_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  }
  std::string finish() override { return big_endian(static_cast<std::uint32_t>(sum_)); }

 private:
  uLong sum_ = ::crc32_z(0, nullptr, 0);
};

// RFC 3720, appendix B.4: the Castagnoli polynomial, reflected.
class Crc32c final : public Digest {
 public:
  void update(std::string_view bytes) override {
    static const auto table = make_table();
    for (const char byte : bytes) sum_ = table[(sum_ ^ static_cast<unsigned char>(byte)) & 0xff] ^ (sum_ >> 8);
  }
  std::string finish() override { return big_endian(~sum_); }

 private:
  static std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) ? (value >> 1) ^ 0x82f63b78U : value >> 1;
      table[i] = value;
    }
    return table;
  }
  std::uint32_t sum_ = ~std::uint32_t{0};
};

}  // namespace

std::unique_ptr<Digest> Digest::make(std::string_view algorithm) {
  if (algorithm == "MD5") return std::make_unique<Cryptographic>(EVP_md5());
  if (algorithm == "SHA1") return std::make_unique<Cryptographic>(EVP_sha1());
  if (algorithm == "SHA256") return std::make_unique<Cryptographic>(EVP_sha256());
  if (algorithm == "CRC32") return std::make_unique<Crc32>();
  if (algorithm == "CRC32C") return std::make_unique<Crc32c>();
  return nullptr;
}

}  // namespace securebase::objects
