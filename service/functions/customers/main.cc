// securebase-prod-customers.
#include "customers/customers.h"
#include "lambda/serve.h"

namespace {

using namespace securebase;

Result<lambda::Handler> initialise() {
  auto services = lambda::services_from_environment();
  if (!services) return services.error();
  return customers::make_router(*services).handler();
}

}  // namespace

int main() { return lambda::serve(initialise); }
