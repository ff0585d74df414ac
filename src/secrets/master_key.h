// The key from which all others of the room are derived: 32 random bytes in a file of mode 0600. Constant after open():
// any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "secrets/secrets.h"

namespace securebase::secrets {

class MasterKey {
 public:
  enum class WhenMissing { kMake, kRefuse };
  // kConflict: it is missing, and may not be made because there are files that another one sealed.
  static Result<MasterKey> open(const std::filesystem::path& file, WhenMissing when_missing);
  explicit MasterKey(Secret bytes) : bytes_(std::move(bytes)) {}

  // 32 bytes for one use only.
  Secret key_for(std::string_view use) const;
  // Text drawn evenly from `alphabet` (at most 256 characters), the same for an address in every run.
  std::string derive(std::string_view address, std::size_t length, std::string_view alphabet) const;

 private:
  Secret bytes_;
};

}  // namespace securebase::secrets
