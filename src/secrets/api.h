// The AWS operations of the room, by the file that has them.
#pragma once

#include "aws/aws.h"
#include "secrets/manager.h"
#include "secrets/secrets.h"
#include "secrets/users.h"

namespace securebase::secrets {

// `users` and `secrets` outlive the operations.
void add_sts_operations(aws::Operations& operations, Users& users, const Secrets& secrets);  // sts_api.cc
void add_manager_operations(aws::Operations& operations, Manager& manager);                  // manager_api.cc

}  // namespace securebase::secrets
