// securebase-prod-reports.
#include "lambda/serve.h"
#include "reports/reports.h"

namespace {

using namespace securebase;

Result<lambda::Handler> initialise() {
  auto services = lambda::services_from_environment();
  if (!services) return services.error();
  return reports::make_router(*services).handler();
}

}  // namespace

int main() { return lambda::serve(initialise); }
