// Digests of bytes as they pass: MD5, which S3's ETags are, and the checksum that a writer asked for.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace securebase::objects {

class Digest {
 public:
  virtual ~Digest() = default;
  virtual void update(std::string_view bytes) = 0;
  // Raw; numbers in big-endian order, as S3 has them in base64. Once.
  virtual std::string finish() = 0;

  // "MD5", "CRC32", "CRC32C", "SHA1" or "SHA256"; null: none of them.
  static std::unique_ptr<Digest> make(std::string_view algorithm);
};

}  // namespace securebase::objects
