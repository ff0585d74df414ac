// The door of the secrets room: Secrets Manager's secrets in an encrypted file store, the text that random_password and
// its like derive, and the root credentials of the AWS APIs.
//
// On disk, below <state>/secrets: master.key (32 random bytes, mode 0600, made at first start) and sealed/, one file
// for each version of each secret, AES-256-GCM under a key derived from the master key. File names are keyed hashes, so
// a listing tells nothing. Values are never logged, and no error holds one. docs/secrets.md has the format.
//
// Threads: any. Everything blocks on files, so it is not for a worker's thread; a secret is read at start and apply.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/aws.h"
#include "base/clock.h"
#include "base/result.h"
#include "stack/stack.h"

namespace securebase::secrets {

// Adds the resource types that this room owns.
void declare(stack::Catalogue& catalogue);

// The secrets of a stack. Opaque here.
struct Config;
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

// Text that is overwritten before its memory is given back.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();
  // The text itself. Do not log it, and do not put it into an error.
  const std::string& reveal() const { return text_; }

 private:
  std::string text_;
};

// Of the account's root user, for clients of the AWS APIs.
struct RootCredentials {
  std::string access_key_id;  // 20 characters
  Secret secret_access_key;   // 40 characters
};

// Somebody who may call the AWS APIs.
struct User {
  std::string name;
  std::string id;             // "AIDA..."
  std::string access_key_id;  // "AKIA..."
  Secret secret_access_key;   // empty in lists: it is shown once
  base::TimePoint created;
};

struct TemporaryCredentials {
  std::string access_key_id;  // "ASIA..."
  Secret secret_access_key;
  std::string session_token;
  base::TimePoint expires;
};

// A role of the stack's that may be assumed.
struct Role {
  std::string arn;
  std::string name;
  std::string id;  // "AROA..."
  std::chrono::seconds longest_session{3600};
};

struct Settings {
  std::filesystem::path directory;  // <state>/secrets
  std::string account = "123456789012";
  const base::Clock& clock = base::system_clock();
};

class Secrets {
 public:
  // Makes the master key and the root credentials when they are not there. kDenied: the key file can be read by others,
  // or the directory cannot be written. kConflict: the files were sealed with another master key.
  static Result<std::unique_ptr<Secrets>> open(Settings settings);
  virtual ~Secrets() = default;

  // For stack::Inputs::derive_secret: the same for an address as long as the master key lives.
  virtual std::string derive(std::string_view address, std::size_t length, std::string_view alphabet) const = 0;

  // Stores what the stack declares and deletes what an earlier stack declared and this one does not; secrets that were
  // made otherwise stay.
  virtual Result<Done> apply(std::shared_ptr<const Config> config) = 0;

  // The current version of a secret, by its name or its ARN.
  virtual Result<Secret> value(std::string_view name_or_arn) const = 0;
  // For secrets that the platform keeps for itself, under names that begin with "platform/". Replaced whole.
  virtual Result<Done> put(std::string_view name, const Secret& value) = 0;
  // For secrets that a service makes for its clients ("rds!cluster-..."), who find them by name and ARN as they find a
  // stack's. The name has a '!', which a stack's cannot have. A new version only where the value differs.
  virtual Result<Done> keep(std::string_view name, const std::string& arn, const Secret& value) = 0;

  virtual const RootCredentials& root() const = 0;

  // The keys that calls of the AWS APIs are signed with: root's, the users', temporary ones. Does not block.
  virtual const aws::Identities& identities() const = 0;
  // Users besides root. What is acknowledged is on disk, and counts at once. kMalformed: no name of a user; kConflict:
  // there is one already; kNotFound.
  virtual Result<User> create_user(std::string_view name) = 0;
  virtual std::vector<User> users() const = 0;
  virtual Result<Done> delete_user(std::string_view name) = 0;
  virtual Result<User> rotate_user(std::string_view name) = 0;

  // nullopt: the stack declares no such role.
  virtual std::optional<Role> role(std::string_view arn) const = 0;

  // Secrets Manager, STS, and iam:GetUser. This outlives the operations.
  virtual void add_operations(aws::Operations& operations) = 0;
};

}  // namespace securebase::secrets
