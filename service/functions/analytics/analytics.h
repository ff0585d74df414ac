// GET /v1/analytics/cost-breakdown, security, compliance, and a customer's compliance overview.
#pragma once

#include <memory>

#include "lambda/router.h"
#include "lambda/services.h"

namespace securebase::analytics {

lambda::Router make_router(std::shared_ptr<lambda::Services> services);

}  // namespace securebase::analytics
