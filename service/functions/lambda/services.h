// What the API's functions share: the database, the cache and the clock, made from the environment.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "lambda/cache.h"
#include "lambda/database.h"

namespace securebase::lambda {

struct Services {
  const base::Clock& clock;
  Database database;
  Cache cache;
};

// DB_HOST, DB_NAME, DB_PORT; REDIS_HOST (without it nothing is cached), REDIS_PORT, REDIS_AUTH_TOKEN. Opens no
// connection. Shared, because handlers are copyable functions.
Result<std::shared_ptr<Services>> services_from_environment();

}  // namespace securebase::lambda
