#include "store/store.h"

#include <algorithm>
#include <bit>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "store/key_hash.h"

namespace securebase::store {

namespace {

struct Node {
  std::string key;
  std::shared_ptr<const StoredResponse> response;
  std::size_t bytes = 0;
};

struct Place {
  std::uint64_t hash;
  std::string_view key;  // of the node
  bool operator==(const Place& other) const { return hash == other.hash && key == other.key; }
};
struct HashOfPlace {
  std::size_t operator()(const Place& place) const { return place.hash; }
};

using Nodes = std::list<Node>;

// Beside key and response: the list's node, the table's node and its share of the buckets, and what malloc adds to
// each.
constexpr std::size_t kOverhead = sizeof(Node) + 2 * sizeof(void*) + sizeof(Place) + 5 * sizeof(void*) + 3 * 16;

}  // namespace

struct alignas(64) Store::Shard {
  mutable std::mutex mutex;
  // Guarded by mutex.
  Nodes nodes;  // the most recently used first
  std::unordered_map<Place, Nodes::iterator, HashOfPlace> index;
  std::size_t bytes = 0;
  std::uint64_t evicted = 0;
  std::uint64_t refused = 0;

  // Takes a node out; it goes on in `dropped`, to be freed when the lock is no longer held.
  void drop(Nodes::iterator node, std::uint64_t hash, Nodes& dropped) {
    index.erase(Place{hash, node->key});
    bytes -= node->bytes;
    dropped.splice(dropped.end(), nodes, node);
  }
  void make_room(std::size_t limit, std::uint64_t seed, Nodes& dropped) {
    while (bytes > limit && !nodes.empty()) {
      const auto last = std::prev(nodes.end());
      drop(last, key_hash(last->key, seed), dropped);
      ++evicted;
    }
  }
};

Store::Store(Limits limits)
    : shard_count_(std::bit_ceil(std::max<std::size_t>(limits.shards, 1))),
      shard_bytes_(limits.bytes / shard_count_),
      seed_(base::random_u64()),
      shards_(std::make_unique<Shard[]>(shard_count_)) {}

Store::~Store() = default;

std::shared_ptr<const StoredResponse> Store::find(std::string_view key) {
  const auto hash = key_hash(key, seed_);
  Shard& shard = shards_[(hash >> 48) & (shard_count_ - 1)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.index.find(Place{hash, key});
  if (found == shard.index.end()) return nullptr;
  if (found->second != shard.nodes.begin()) {
    shard.nodes.splice(shard.nodes.begin(), shard.nodes, found->second);
  }
  return found->second->response;
}

bool Store::put(std::string_view key, std::shared_ptr<const StoredResponse> response) {
  const auto hash = key_hash(key, seed_);
  Shard& shard = shards_[(hash >> 48) & (shard_count_ - 1)];
  Nodes made;
  made.push_back({std::string(key), std::move(response), 0});
  made.front().bytes = made.front().response->bytes() + made.front().key.capacity() + kOverhead;
  Nodes dropped;
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.index.find(Place{hash, key}); found != shard.index.end()) {
    shard.drop(found->second, hash, dropped);
  }
  if (made.front().bytes > shard_bytes_ / 2) {
    ++shard.refused;
    return false;
  }
  shard.nodes.splice(shard.nodes.begin(), made);
  shard.index.emplace(Place{hash, shard.nodes.front().key}, shard.nodes.begin());
  shard.bytes += shard.nodes.front().bytes;
  shard.make_room(shard_bytes_, seed_, dropped);
  return true;
}

bool Store::replace(std::string_view key, const StoredResponse* expected,
                    std::shared_ptr<const StoredResponse> response) {
  const auto hash = key_hash(key, seed_);
  const std::size_t bytes = response->bytes();
  Shard& shard = shards_[(hash >> 48) & (shard_count_ - 1)];
  Nodes dropped;
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.index.find(Place{hash, key});
  if (found == shard.index.end()) return false;
  Node& node = *found->second;
  if (node.response.get() != expected) return false;
  response.swap(node.response);  // the old one goes with the parameter, behind the lock
  shard.bytes -= node.bytes;
  node.bytes = bytes + node.key.capacity() + kOverhead;
  shard.bytes += node.bytes;
  shard.nodes.splice(shard.nodes.begin(), shard.nodes, found->second);
  shard.make_room(shard_bytes_, seed_, dropped);
  return true;
}

bool Store::remove(std::string_view key) {
  const auto hash = key_hash(key, seed_);
  Shard& shard = shards_[(hash >> 48) & (shard_count_ - 1)];
  Nodes dropped;
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.index.find(Place{hash, key});
  if (found == shard.index.end()) return false;
  shard.drop(found->second, hash, dropped);
  return true;
}

std::size_t Store::remove_if(const std::function<bool(std::string_view, const StoredResponse&)>& predicate) {
  std::size_t removed = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    Shard& shard = shards_[i];
    Nodes dropped;
    const std::lock_guard lock(shard.mutex);
    for (auto node = shard.nodes.begin(); node != shard.nodes.end();) {
      const auto here = node++;
      if (!predicate(here->key, *here->response)) continue;
      shard.drop(here, key_hash(here->key, seed_), dropped);
      ++removed;
    }
  }
  return removed;
}

std::size_t Store::count_if(const std::function<bool(std::string_view, const StoredResponse&)>& predicate) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (const auto& node : shards_[i].nodes) count += predicate(node.key, *node.response) ? 1 : 0;
  }
  return count;
}

Store::Statistics Store::statistics() const {
  Statistics sum;
  sum.limit_bytes = shard_bytes_ * shard_count_;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    sum.entries += shards_[i].nodes.size();
    sum.bytes += shards_[i].bytes;
    sum.evicted += shards_[i].evicted;
    sum.refused += shards_[i].refused;
  }
  return sum;
}

}  // namespace securebase::store
