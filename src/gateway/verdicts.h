// What authorizers said, for as long as their time to live. Found by a digest of the authorizer's version, API, stage
// and identity values: no credential is kept. Bounded: when a shard is full, its oldest verdict goes. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "gateway/principal.h"

namespace securebase::gateway {

class Verdicts {
 public:
  explicit Verdicts(std::size_t limit);

  // Null: none, or too old.
  std::shared_ptr<const Principal> find(const std::string& key, base::SteadyPoint now);

  // Taken before the authorizer is asked, and given with its verdict: a verdict that began before a drop() is not kept.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  void put(const std::string& key, std::string_view scope, std::shared_ptr<const Principal> principal,
           base::SteadyPoint expires, std::uint64_t generation);

  std::size_t drop_principal(std::string_view principal_id);
  // `scope`: API and stage, as given to put().
  std::size_t drop_scope(std::string_view scope);
  std::size_t size() const;

 private:
  struct Entry {
    std::string scope;
    std::shared_ptr<const Principal> principal;
    base::SteadyPoint expires;
    std::uint64_t number;  // of its place in `order`
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;
    std::deque<std::pair<std::uint64_t, std::string>> order;  // oldest first; places of entries that went are skipped
    std::uint64_t next_number = 0;
  };
  static constexpr std::size_t kShards = 16;
  Shard& shard_of(const std::string& key);
  template <class Goes>
  std::size_t drop_if(Goes goes);

  const std::size_t shard_limit_;
  std::atomic<std::uint64_t> generation_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace securebase::gateway
