// Secrets Manager: what its operations do with the vault. Each takes and gives what the public model says; what they
// acknowledge is on disk. Any thread; they block on files.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "aws/aws.h"
#include "base/clock.h"
#include "secrets/vault.h"

namespace securebase::secrets {

class Manager {
 public:
  // All outlive it. `mutex` guards the vault, whoever uses it.
  Manager(Vault& vault, std::mutex& mutex, const base::Clock& clock) : vault_(vault), mutex_(mutex), clock_(clock) {}

  aws::Outcome create(const aws::Call& call);
  aws::Outcome get_value(const aws::Call& call);
  aws::Outcome put_value(const aws::Call& call);
  aws::Outcome update(const aws::Call& call);
  aws::Outcome update_stage(const aws::Call& call);
  aws::Outcome describe(const aws::Call& call);
  aws::Outcome list(const aws::Call& call);
  aws::Outcome list_versions(const aws::Call& call);
  aws::Outcome remove(const aws::Call& call);
  aws::Outcome restore(const aws::Call& call);
  aws::Outcome tag(const aws::Call& call);
  aws::Outcome untag(const aws::Call& call);

 private:
  // Under the lock, as all below. The secret with its values, if it is one that the API shows.
  Result<StoredSecret, aws::Fault> find(const aws::Call& call);
  // The same, and not waiting for its deletion.
  Result<StoredSecret, aws::Fault> find_usable(const aws::Call& call);
  Result<Done, aws::Fault> write(StoredSecret& secret);
  // Secrets whose time is over go, whenever somebody looks.
  void sweep();

  Vault& vault_;
  std::mutex& mutex_;
  const base::Clock& clock_;
};

}  // namespace securebase::secrets
