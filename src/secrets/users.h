// Who may call the AWS APIs: the root user of first start, users made by `securebase credentials`, and those who hold
// temporary credentials that STS gave them. Any thread.
//
// Users are one sealed secret, platform/users, replaced whole before a change is acknowledged. Temporary credentials
// are stored nowhere: the session token holds them, sealed, so that they survive a restart and cost nothing.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "aws/aws.h"
#include "base/clock.h"
#include "base/result.h"
#include "secrets/seal.h"
#include "secrets/secrets.h"

namespace securebase::secrets {

class Users final : public aws::Identities {
 public:
  // What keeps them: writes the sealed text of platform/users.
  using Keep = std::function<Result<Done>(const Secret& text)>;
  Users(RootCredentials root, std::string account, const Sealer& sealer, const base::Clock& clock, Keep keep);

  // What Keep was given last.
  Result<Done> load(const Secret& text);

  std::optional<Found> find(std::string_view access_key_id) const override;
  std::optional<Found> find_session(std::string_view access_key_id, std::string_view session_token) const override;

  Result<User> create(std::string_view name);
  std::vector<User> list() const;  // without their secret keys
  Result<Done> remove(std::string_view name);
  Result<User> rotate(std::string_view name);

  // Of a user's own session or of a role. `parent` is the long-lived key that asked: without it the session ends, too.
  // The long-lived key behind a caller: the caller's own, or that of whoever made the caller's session.
  std::string parent_of(const aws::Identity& caller, std::string_view session_token) const;
  TemporaryCredentials make_session(const aws::Identity& identity, std::string_view parent,
                                    std::chrono::seconds duration) const;

 private:
  std::vector<User> copy() const;
  // Writes them, then they count.
  Result<Done> replace(std::vector<User> users);
  std::string arn_of(const User& user) const { return "arn:aws:iam::" + account_ + ":user/" + user.name; }

  const RootCredentials root_;
  const std::string account_;
  const Sealer& sealer_;
  const base::Clock& clock_;
  const Keep keep_;
  std::mutex changing_;  // held while a change is made and written, so that who only looks does not wait for the disk
  mutable std::shared_mutex mutex_;  // guards what follows
  std::vector<User> users_;          // by name
};

}  // namespace securebase::secrets
