// What the cache-aside helper needs from a key-value store. Blocking; one thread.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::lambda {

class Store {
 public:
  virtual ~Store() = default;
  virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  // Keeps `value` for `ttl` unless the key holds something already.
  virtual Result<Done> add(std::string_view key, std::string_view value, std::chrono::seconds ttl) = 0;
  // Every key holds `value` for `ttl`, whatever it held.
  virtual Result<Done> overwrite(std::span<const std::string> keys, std::string_view value,
                                 std::chrono::seconds ttl) = 0;
};

}  // namespace securebase::lambda
