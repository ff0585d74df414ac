// Secrets on disk: one sealed file a secret, with all of its versions, replaced whole. So a change is there or it is
// not, and there is nothing to clean up after a crash. Values are read when somebody asks; the index holds all else.
//
// Not safe for threads: whoever owns it holds a lock over each call, and over what find() gave.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "secrets/master_key.h"
#include "secrets/seal.h"
#include "secrets/secrets.h"

namespace securebase::secrets {

inline constexpr std::string_view kCurrent = "AWSCURRENT";
inline constexpr std::string_view kPrevious = "AWSPREVIOUS";

struct StoredVersion {
  std::string id;
  std::vector<std::string> stages;
  bool is_binary = false;
  base::TimePoint created;
  Secret value;  // empty in the index

  bool has(std::string_view stage) const;
};

struct StoredSecret {
  enum class Origin { kStack, kApi, kPlatform };
  std::string name;
  std::string arn;  // empty for the platform's own
  std::string description;
  std::string kms_key_id;
  std::vector<std::pair<std::string, std::string>> tags;  // in the order in which they were set
  Origin origin = Origin::kApi;
  base::TimePoint created;
  base::TimePoint changed;
  std::optional<base::TimePoint> delete_at;  // it waits for its deletion
  std::vector<StoredVersion> versions;       // from old to new

  const StoredVersion* find(std::string_view version_id) const;
  const StoredVersion* holder(std::string_view stage) const;
  // Moves a label to a version that is there. AWSCURRENT leaves AWSPREVIOUS where it was.
  void move_stage(std::string_view stage, std::string_view version_id);
  void remove_stage(std::string_view stage);
  // Adds it as the newest, with these labels; the first version is current in any case. Versions without labels beyond
  // the newest twenty go.
  void add(StoredVersion version, const std::vector<std::string>& stages);
};

class Vault {
 public:
  // All outlive it.
  Vault(std::filesystem::path directory, const MasterKey& master, const Sealer& sealer);

  static bool is_sealed(const std::filesystem::path& file) { return file.extension() == ".sealed"; }
  // Reads every file. An error names the file that cannot be read.
  Result<Done> load();

  // By name, ARN, or an ARN without its six last characters; without values. Valid until the next change.
  const StoredSecret* find(std::string_view name_or_arn) const;
  const std::map<std::string, StoredSecret, std::less<>>& all() const { return index_; }

  // With values.
  Result<StoredSecret> read(std::string_view name) const;
  // On disk when this returns.
  Result<Done> write(const StoredSecret& secret);
  Result<Done> erase(std::string_view name);

 private:
  std::string file_of(std::string_view name) const;
  Result<StoredSecret> open(const std::string& file) const;

  const std::filesystem::path directory_;
  const Sealer& sealer_;
  const Secret name_key_;
  std::map<std::string, StoredSecret, std::less<>> index_;
};

}  // namespace securebase::secrets
