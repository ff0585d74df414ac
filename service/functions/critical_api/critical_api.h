// What everybody may ask: health, pricing and tiers.
#pragma once

#include <memory>

#include "lambda/router.h"
#include "lambda/services.h"

namespace securebase::critical_api {

lambda::Router make_router(std::shared_ptr<lambda::Services> services);

}  // namespace securebase::critical_api
