// A customer's own records: profile, invoices, API keys and support tickets.
#pragma once

#include <memory>

#include "lambda/router.h"
#include "lambda/services.h"

namespace securebase::customers {

lambda::Router make_router(std::shared_ptr<lambda::Services> services);

}  // namespace securebase::customers
