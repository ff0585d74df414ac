// Reports: a summary of a period, kept as it was when it was made.
#pragma once

#include <memory>

#include "lambda/router.h"
#include "lambda/services.h"

namespace securebase::reports {

lambda::Router make_router(std::shared_ptr<lambda::Services> services);

}  // namespace securebase::reports
