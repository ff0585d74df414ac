#include "aws/checksums.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <cstdint>

#include "base/check.h"
#include "net/http/message.h"

namespace securebase::aws {

namespace {

std::string big_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int shift = bytes * 8 - 8; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift & 0xff);
  return text;
}

// Reflected CRCs by eight tables ("slicing by 8"): eight bytes a step.
template <class Word>
class CrcTables {
 public:
  constexpr explicit CrcTables(Word polynomial) {
    for (unsigned i = 0; i < 256; ++i) {
      Word value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ polynomial : value >> 1;
      tables_[0][i] = value;
    }
    for (unsigned i = 0; i < 256; ++i) {
      for (std::size_t t = 1; t < 8; ++t) {
        const Word before = tables_[t - 1][i];
        tables_[t][i] = before >> 8 ^ tables_[0][before & 0xff];
      }
    }
  }

  constexpr Word update(Word crc, std::string_view bytes) const {
    while (bytes.size() >= 8) {
      std::uint64_t word = 0;
      for (std::size_t i = 0; i < 8; ++i) word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
      word ^= crc;
      crc = 0;
      for (std::size_t i = 0; i < 8; ++i) crc ^= tables_[7 - i][word >> (8 * i) & 0xff];
      bytes.remove_prefix(8);
    }
    for (const char c : bytes) crc = crc >> 8 ^ tables_[0][(crc ^ static_cast<unsigned char>(c)) & 0xff];
    return crc;
  }

 private:
  std::array<std::array<Word, 256>, 8> tables_{};
};

constexpr CrcTables<std::uint32_t> kCastagnoli(0x82f63b78U);
constexpr CrcTables<std::uint64_t> kNvme(0x9a6c9329ac4bc9b5ULL);

template <class Word>
class Crc final : public Checksum {
 public:
  explicit Crc(const CrcTables<Word>& tables) : tables_(tables) {}
  void update(std::string_view bytes) override { crc_ = tables_.update(crc_, bytes); }
  std::string finish() override {
    const Word value = ~crc_;
    crc_ = ~Word{0};
    return big_endian(value, sizeof(Word));
  }

 private:
  const CrcTables<Word>& tables_;
  Word crc_ = ~Word{0};
};

class ZlibCrc32 final : public Checksum {
 public:
  void update(std::string_view bytes) override {
    crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  }
  std::string finish() override {
    const auto value = crc_;
    crc_ = 0;
    return big_endian(value, 4);
  }

 private:
  uLong crc_ = 0;
};

class Digest final : public Checksum {
 public:
  explicit Digest(const EVP_MD* algorithm) : algorithm_(algorithm), context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    begin();
  }
  void update(std::string_view bytes) override {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "OpenSSL digests");
  }
  std::string finish() override {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    check(EVP_DigestFinal_ex(context_.get(), out, &size) == 1, "OpenSSL digests");
    begin();
    return {reinterpret_cast<const char*>(out), size};
  }

 private:
  void begin() { check(EVP_DigestInit_ex(context_.get(), algorithm_, nullptr) == 1, "OpenSSL has the digest"); }
  const EVP_MD* algorithm_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::unique_ptr<Checksum> Checksum::make(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kCrc32:
      return std::make_unique<ZlibCrc32>();
    case Algorithm::kCrc32c:
      return std::make_unique<Crc<std::uint32_t>>(kCastagnoli);
    case Algorithm::kCrc64Nvme:
      return std::make_unique<Crc<std::uint64_t>>(kNvme);
    case Algorithm::kSha1:
      return std::make_unique<Digest>(EVP_sha1());
    case Algorithm::kSha256:
      return std::make_unique<Digest>(EVP_sha256());
    case Algorithm::kMd5:
      return std::make_unique<Digest>(EVP_md5());
  }
  return nullptr;
}

std::optional<Checksum::Algorithm> checksum_from_header(std::string_view name) {
  using Algorithm = Checksum::Algorithm;
  static constexpr std::array<std::pair<std::string_view, Algorithm>, 5> kKnown = {{
      {"x-amz-checksum-crc32", Algorithm::kCrc32},
      {"x-amz-checksum-crc32c", Algorithm::kCrc32c},
      {"x-amz-checksum-crc64nvme", Algorithm::kCrc64Nvme},
      {"x-amz-checksum-sha1", Algorithm::kSha1},
      {"x-amz-checksum-sha256", Algorithm::kSha256},
  }};
  for (const auto& [header, algorithm] : kKnown) {
    if (http::equal_ignoring_case(header, name)) return algorithm;
  }
  return std::nullopt;
}

}  // namespace securebase::aws
