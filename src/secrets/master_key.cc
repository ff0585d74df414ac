#include "secrets/master_key.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"

namespace securebase::secrets {

namespace {
constexpr std::size_t kKeyBytes = 32;
}

Result<MasterKey> MasterKey::open(const std::filesystem::path& file, WhenMissing when_missing) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0) {
    if (errno != ENOENT) return system_error(errno, "stat", file.native());
    if (when_missing == WhenMissing::kRefuse) {
      return Error{Errc::kConflict,
                   fmt::format("{} is missing, and the secrets beside it can be read with it only: bring it back, or "
                               "delete {} to begin anew",
                               file.native(), file.parent_path().native())};
    }
    Secret made(base::random_bytes(kKeyBytes));
    if (auto written = base::replace_file(file, made.reveal(), 0600); !written) return written.error();
    return MasterKey(std::move(made));
  }
  if ((found.st_mode & 077) != 0) {
    return Error{Errc::kDenied, fmt::format("{} has mode {:o}, so that others than its owner can use it: chmod 600 it, "
                                            "and think of its secrets as known",
                                            file.native(), found.st_mode & 07777)};
  }
  auto bytes = base::read_file(file, 4096);
  if (!bytes) return bytes.error();
  if (bytes->size() != kKeyBytes) {
    return Error{Errc::kMalformed, fmt::format("{} is no master key: it has {} bytes, expected {}", file.native(),
                                               bytes->size(), kKeyBytes)};
  }
  return MasterKey(Secret(std::move(*bytes)));
}

Secret MasterKey::key_for(std::string_view use) const {
  return Secret(base::hmac_sha256(bytes_.reveal(), fmt::format("securebase {}", use)));
}

std::string MasterKey::derive(std::string_view address, std::size_t length, std::string_view alphabet) const {
  check(!alphabet.empty() && alphabet.size() <= 256, "an alphabet has 1 to 256 characters");
  const Secret key = key_for("derive");
  // Bytes beyond the last whole multiple of the alphabet are skipped, so that each character is as likely as the next.
  const std::size_t even = 256 - 256 % alphabet.size();
  std::string text;
  for (std::uint64_t block = 0; text.size() < length; ++block) {
    const Secret bytes(base::hmac_sha256(key.reveal(), fmt::format("{}\n{}", block, address)));
    for (const char byte : bytes.reveal()) {
      const auto value = static_cast<unsigned char>(byte);
      if (value < even && text.size() < length) text += alphabet[value % alphabet.size()];
    }
  }
  return text;
}

}  // namespace securebase::secrets
