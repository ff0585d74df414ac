// Signature Version 4: what is signed, and the signature.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aws/authorization.h"
#include "aws/form.h"
#include "net/http/message.h"

namespace securebase::aws {

constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
constexpr std::string_view kEmptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// S3 signs a path as it is, all others a normal form of it that is encoded once more.
enum class PathForm { kS3, kOthers };

// `payload_hash` is what the client says of the payload, or its hash.
std::string canonical_request(const http::Request& request, const std::vector<Parameter>& query,
                              const Authorization& authorization, std::string_view payload_hash, PathForm form);
std::string string_to_sign(const Authorization& authorization, std::string_view canonical_request);

// HMACs down the scope: of date, region, service. 32 bytes.
std::string signing_key(std::string_view secret_access_key, std::string_view date, std::string_view region,
                        std::string_view service);
// In hex.
std::string sign(std::string_view key, std::string_view text);

// Signing keys that were derived before: four HMACs less a request. Any thread.
class SigningKeys {
 public:
  std::string key_for(const Authorization& authorization, std::string_view secret_access_key);

 private:
  static constexpr std::size_t kKept = 4096;  // keys of a day, beyond which all are forgotten
  std::mutex mutex_;
  // By access key and scope. The secret is part of the entry, so that a rotated one misses.
  struct Entry {
    std::string secret_access_key;
    std::string key;
  };
  std::unordered_map<std::string, Entry> keys_;
};

}  // namespace securebase::aws
