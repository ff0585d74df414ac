#include "secrets/api.h"
#include "secrets/manager.h"

namespace securebase::secrets {

void add_manager_operations(aws::Operations& operations, Manager& manager) {
  using Method = aws::Outcome (Manager::*)(const aws::Call&);
  constexpr std::pair<const char*, Method> kOperations[] = {
      {"CreateSecret", &Manager::create},
      {"GetSecretValue", &Manager::get_value},
      {"PutSecretValue", &Manager::put_value},
      {"UpdateSecret", &Manager::update},
      {"UpdateSecretVersionStage", &Manager::update_stage},
      {"DescribeSecret", &Manager::describe},
      {"ListSecrets", &Manager::list},
      {"ListSecretVersionIds", &Manager::list_versions},
      {"DeleteSecret", &Manager::remove},
      {"RestoreSecret", &Manager::restore},
      {"TagResource", &Manager::tag},
      {"UntagResource", &Manager::untag},
  };
  for (const auto& [name, method] : kOperations) {
    operations.add("secretsmanager", name,
                   [&manager, method = method](const aws::Call& call) { return (manager.*method)(call); });
  }
}

}  // namespace securebase::secrets
