// What SNS's operations do. add_operations() (operations.cc) registers them with the AWS front.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "aws/aws.h"
#include "notify/notify.h"

namespace securebase::notify {

// Each by its name. `notify` outlives them.
std::vector<std::pair<std::string_view, aws::Handler>> operations_of(Notify& notify);

}  // namespace securebase::notify
