// The cache of one stage (cache_cluster_enabled): what a method answered, kept for its principal. It never serves what
// is stale: a response that was invalidated or is too old is asked for anew, once for everybody who waits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/call.h"
#include "store/flight.h"
#include "store/store.h"
#include "store/tags.h"

namespace securebase::gateway {

struct MethodInForce;

// API Gateway's own limit for a cached response.
inline constexpr std::size_t kCachedBytes = 1 << 20;

class StageCache {
 public:
  // `scope`: "{api}/{stage}", what path invalidations are about.
  StageCache(std::string scope, std::size_t limit_bytes);

  // Integration and key declaration, path, declared parameters, and the principal unless the method is open. Every part
  // is preceded by its length: no value can pretend to be two.
  static std::string key(const Call& call, const MethodInForce& method);

  // Fresh and not invalidated; else null.
  std::shared_ptr<const store::StoredResponse> find(std::string_view key, const store::Tags& tags,
                                                    base::SteadyPoint now);

  // May this answer be kept, and how? Null: no. `birth` is the generation at which its making began; `ttl` bounds what
  // its own Cache-Control says (design: a value's time counts from its birth, so that caches in a row do not add up).
  std::shared_ptr<const store::StoredResponse> make(const Call& call, int status, const http::Headers& headers,
                                                    std::string_view body, std::chrono::seconds ttl,
                                                    store::Generation birth, const store::Tags& tags,
                                                    base::TimePoint wall, base::SteadyPoint now) const;
  void put(std::string_view key, std::shared_ptr<const store::StoredResponse> response);
  bool replace(std::string_view key, const store::StoredResponse& expected,
               std::shared_ptr<const store::StoredResponse> response);

  store::Flights& flights() { return flights_; }
  const std::string& scope() const { return scope_; }
  std::size_t limit_bytes() const { return limit_bytes_; }
  store::Store::Statistics statistics() const { return store_.statistics(); }

  std::size_t flush();
  // Takes out what `tags` says is not valid any more.
  std::size_t sweep(const store::Tags& tags);

 private:
  const std::string scope_;
  const std::size_t limit_bytes_;
  store::Store store_;
  store::Flights flights_;
};

}  // namespace securebase::gateway
