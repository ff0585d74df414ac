// A small Redis client: one connection, commands pipelined, every wait bounded. It is a cache's client: when Redis
// fails it says so at once and then leaves it alone for a while, so that a dead cache costs the requests next to
// nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "lambda/resp.h"
#include "lambda/store.h"
#include "lambda/stream.h"

namespace securebase::lambda {

struct RedisSettings {
  std::string host;
  std::uint16_t port = 6379;
  std::string password;                             // empty: no AUTH
  std::chrono::milliseconds connect_timeout{2000};  // TCP and TLS together
  std::chrono::milliseconds read_timeout{2000};     // of all replies of a pipeline
  std::chrono::milliseconds first_pause{1000};      // after a failure; doubles with each further one
  std::chrono::milliseconds longest_pause{30000};
};

class Redis final : public Store {
 public:
  using Dial = std::function<Result<std::unique_ptr<Stream>>(base::SteadyPoint deadline)>;
  // `clock` outlives the client. Connects at the first command.
  Redis(RedisSettings settings, Dial dial, const base::Clock& clock);

  Result<std::optional<std::string>> get(std::string_view key) override;
  Result<Done> add(std::string_view key, std::string_view value, std::chrono::seconds ttl) override;
  Result<Done> overwrite(std::span<const std::string> keys, std::string_view value, std::chrono::seconds ttl) override;
  Result<Done> remove(std::span<const std::string> keys);
  Result<Done> ping();

 private:
  // The replies to `count` commands. Repeated once on a new connection when the one that was kept had died: all
  // commands here give the same when repeated.
  Result<std::vector<RespValue>> exchange(const char* what, std::string_view commands, std::size_t count);
  Result<std::vector<RespValue>> exchange_once(std::string_view commands, std::size_t count);
  Result<Done> expect_success(Result<std::vector<RespValue>> replies);

  const RedisSettings settings_;
  const Dial dial_;
  const base::Clock& clock_;
  std::unique_ptr<Stream> stream_;  // empty: not connected
  std::string buffer_;
  base::SteadyPoint paused_until_ = base::SteadyPoint::min();
  std::chrono::milliseconds next_pause_;
};

}  // namespace securebase::lambda
