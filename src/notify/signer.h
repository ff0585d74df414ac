// Signs messages as SNS does, so that receivers can tell ours from others': SHA1withRSA (SignatureVersion 1) or
// SHA256withRSA (2) over a canonical string. The certificate is issued by the platform's own authority and served at
// SigningCertURL.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/tls.h"

namespace securebase::notify {

class Signer {
 public:
  // Keeps an RSA key and its certificate in `directory`; makes both when they are missing, and the certificate anew
  // when another authority issued it or it ends within 30 days. Blocks for the making of a key, a second at most.
  static Result<std::unique_ptr<Signer>> open(const std::filesystem::path& directory, const net::Authority& authority);
  virtual ~Signer() = default;

  // In base64. About a millisecond of RSA unless the same was signed a moment ago: not for a worker. Any thread.
  virtual std::string sign(const std::string& canonical, int version) = 0;

  // "SimpleNotificationService-<32 hex digits>.pem"
  virtual const std::string& certificate_name() const = 0;
  // The certificate of that name, also one that was in use before. Any thread; reads a file.
  virtual std::optional<std::string> certificate(std::string_view name) const = 0;
};

}  // namespace securebase::notify
