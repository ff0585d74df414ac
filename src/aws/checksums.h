// The digests by which a payload is checked while it passes: SigV4's SHA-256, Content-MD5, and the checksums that S3
// knows (x-amz-checksum-crc32, -crc32c, -crc64nvme, -sha1, -sha256).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace securebase::aws {

class Checksum {
 public:
  enum class Algorithm { kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256, kMd5 };
  static std::unique_ptr<Checksum> make(Algorithm algorithm);
  virtual ~Checksum() = default;
  virtual void update(std::string_view bytes) = 0;
  // The raw digest; numbers in big-endian order, as AWS has them in base64. Begins anew.
  virtual std::string finish() = 0;
};

// "x-amz-checksum-crc32c", in any case of letters. nullopt: no checksum that we know.
std::optional<Checksum::Algorithm> checksum_from_header(std::string_view name);

}  // namespace securebase::aws
