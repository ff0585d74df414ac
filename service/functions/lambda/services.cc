#include "lambda/services.h"

#include "lambda/environment.h"
#include "lambda/redis.h"
#include "lambda/stream.h"

namespace securebase::lambda {

namespace {

Result<std::unique_ptr<Store>> store_from_environment() {
  const std::string host = variable_or("REDIS_HOST", "");
  if (host.empty()) return std::unique_ptr<Store>();
  auto port = port_variable_or("REDIS_PORT", 6379);
  if (!port) return port.error();
  auto tls = TlsClient::with_system_trust();
  if (!tls) return tls.error();
  RedisSettings settings{.host = host, .port = *port, .password = variable_or("REDIS_AUTH_TOKEN", "")};
  const auto dial = [tls = std::make_shared<const TlsClient>(std::move(*tls)), host,
                     port = *port](base::SteadyPoint deadline) { return tls->connect(host, port, deadline); };
  return std::unique_ptr<Store>(std::make_unique<Redis>(std::move(settings), dial, base::system_clock()));
}

}  // namespace

Result<std::shared_ptr<Services>> services_from_environment() {
  auto host = required_variable("DB_HOST");
  if (!host) return host.error();
  auto name = required_variable("DB_NAME");
  if (!name) return name.error();
  auto port = port_variable_or("DB_PORT", 5432);
  if (!port) return port.error();
  auto store = store_from_environment();
  if (!store) return store.error();
  const base::Clock& clock = base::system_clock();
  return std::shared_ptr<Services>(new Services{
      clock, Database(DatabaseSettings{.host = *host, .port = *port, .name = *name}), Cache(std::move(*store), clock)});
}

}  // namespace securebase::lambda
