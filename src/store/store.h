// Stored responses under their keys: bounded in bytes, the least recently used go first. Sharded by the key's hash; an
// operation holds one shard's lock for a hash lookup and some pointers, never while anything waits, and never frees a
// response under it. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/stored_response.h"

namespace securebase::store {

// Keys are whole texts, compared as such: a hash decides where to look, never who gets what.
class Store {
 public:
  struct Limits {
    std::size_t bytes = std::size_t{256} << 20;  // keys, responses and our own bookkeeping
    std::size_t shards = 16;                     // rounded up to a power of two
  };

  explicit Store(Limits limits);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Null: none. Counts as a use.
  std::shared_ptr<const StoredResponse> find(std::string_view key);
  // False: larger than half a shard, so not kept; what was under the key is gone all the same.
  bool put(std::string_view key, std::shared_ptr<const StoredResponse> response);
  // Only if `expected` is still what is there.
  bool replace(std::string_view key, const StoredResponse* expected, std::shared_ptr<const StoredResponse> response);
  bool remove(std::string_view key);
  // Walks everything, a shard at a time: for operators, not for requests. Gives how many went.
  std::size_t remove_if(const std::function<bool(std::string_view key, const StoredResponse& response)>& predicate);
  // The same walk without removing: how many there are that `predicate` accepts.
  std::size_t count_if(
      const std::function<bool(std::string_view key, const StoredResponse& response)>& predicate) const;

  struct Statistics {
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::size_t limit_bytes = 0;
    std::uint64_t evicted = 0;  // for want of room
    std::uint64_t refused = 0;  // too large
  };
  Statistics statistics() const;

 private:
  struct Shard;
  const std::size_t shard_count_;
  const std::size_t shard_bytes_;
  const std::uint64_t seed_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace securebase::store
