// Cache-aside: read from the store, else from the source and keep it. What is kept carries its birth time, so that the
// ages of several caches never add up; how long each kind of data may live stands in one table.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "lambda/api_response.h"
#include "lambda/store.h"

namespace securebase::lambda {

enum class Kind { kMetrics, kInvoices, kReports, kApiKeys, kTierFeatures, kProfile, kTickets, kAnalytics };

// Who may keep an HTTP response made of it.
enum class Keeping {
  kEverybody,     // max-age=300, public
  kSharedCaches,  // those that hear of invalidations; a browser does not
};

struct KindRule {
  Kind kind;
  std::string_view name;  // the first part of Redis keys, and the tag
  std::chrono::seconds ttl;
  Keeping keeping;
};
const KindRule& rule(Kind kind);

enum class CacheStatus { kHit, kMiss, kBypass };

struct CachedBody {
  std::string body;  // JSON
  base::TimePoint born;
  CacheStatus status;
};

class Cache {
 public:
  using Fetch = std::function<Result<std::string>()>;  // the body, JSON
  // Without a store (null) every read goes to the source. `clock` outlives the cache.
  Cache(std::unique_ptr<Store> store, const base::Clock& clock);

  // An error is the source's: a store that fails is passed by.
  Result<CachedBody> read(Kind kind, std::string_view customer_id, std::string_view rest, const Fetch& fetch);
  // Straight from the source, for what is asked in too many ways to be kept.
  Result<CachedBody> read_uncached(const Fetch& fetch) const;
  // After a write. For a while the keys take no value, so that a read which began before the write cannot bring the old
  // one back.
  void invalidate(Kind kind, std::string_view customer_id, const std::vector<std::string>& rests);

  // The answer with Age, Cache-Control, Cache-Tag and X-Cache-Status. An empty `customer_id`: for everybody.
  ApiResponse respond(Kind kind, std::string_view customer_id, CachedBody body) const;

  Store* store() const { return store_.get(); }  // null: none

 private:
  const std::unique_ptr<Store> store_;
  const base::Clock& clock_;
};

// "invoices:42:list:paid"; "all" stands for the customer when it is everybody's.
std::string cache_key(Kind kind, std::string_view customer_id, std::string_view rest);
// {"born_ms":1769212800000,"body":...}
std::string encode_cached(base::TimePoint born, std::string_view body);
std::optional<CachedBody> decode_cached(std::string_view value);

// The response to a write: no cache keeps it, and caches in front drop what carries the tag "<kind>:<customer>".
ApiResponse written(int status, std::string body, Kind kind, std::string_view customer_id);

}  // namespace securebase::lambda
