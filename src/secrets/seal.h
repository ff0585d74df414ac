// A sealed file's bytes:
//
//   8  "SBSEALED"
//   1  version of the format: 1
//   8  which master key: the start of a digest of it
//   12 nonce, random
//   n  AES-256-GCM of the text
//   16 its tag, over the text, all that stands before it, and the name of the file
//
// The file's name is authenticated so that one secret cannot be put in another's place. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "secrets/master_key.h"

namespace securebase::secrets {

class Sealer {
 public:
  explicit Sealer(const MasterKey& master);
  std::string seal(std::string_view text, std::string_view file_name) const;
  // kConflict: sealed with another master key. kMalformed: changed, damaged, or no sealed file.
  Result<Secret> open(std::string_view bytes, std::string_view file_name) const;

 private:
  Secret key_;
  std::string key_id_;
};

}  // namespace securebase::secrets
