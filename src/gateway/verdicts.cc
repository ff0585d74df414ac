#include "gateway/verdicts.h"

#include <algorithm>

namespace securebase::gateway {

Verdicts::Verdicts(std::size_t limit) : shard_limit_(std::max<std::size_t>(1, limit / kShards)) {}

// Keys are digests: any of their bytes is evenly spread.
Verdicts::Shard& Verdicts::shard_of(const std::string& key) {
  return shards_[static_cast<unsigned char>(key.back()) % kShards];
}

std::shared_ptr<const Principal> Verdicts::find(const std::string& key, base::SteadyPoint now) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(key);
  if (found == shard.entries.end() || found->second.expires <= now) return nullptr;
  return found->second.principal;
}

void Verdicts::put(const std::string& key, std::string_view scope, std::shared_ptr<const Principal> principal,
                   base::SteadyPoint expires, std::uint64_t generation) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  // Under the shard's lock: a drop() that raised the generation meanwhile has yet to come to this shard, or was here.
  if (generation != generation_.load(std::memory_order_acquire)) return;
  const auto number = shard.next_number++;
  shard.entries.insert_or_assign(key, Entry{std::string(scope), std::move(principal), expires, number});
  shard.order.emplace_back(number, key);
  while (shard.entries.size() > shard_limit_ || shard.order.size() > 2 * shard_limit_ + 16) {
    const auto [oldest, name] = std::move(shard.order.front());
    shard.order.pop_front();
    const auto found = shard.entries.find(name);
    if (found != shard.entries.end() && found->second.number == oldest) shard.entries.erase(found);
  }
}

template <class Goes>
std::size_t Verdicts::drop_if(Goes goes) {
  generation_.fetch_add(1, std::memory_order_acq_rel);
  std::size_t dropped = 0;
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    dropped += std::erase_if(shard.entries, [&goes](const auto& entry) { return goes(entry.second); });
  }
  return dropped;
}

std::size_t Verdicts::drop_principal(std::string_view principal_id) {
  return drop_if([principal_id](const Entry& entry) { return entry.principal->principal_id == principal_id; });
}

std::size_t Verdicts::drop_scope(std::string_view scope) {
  return drop_if([scope](const Entry& entry) { return entry.scope == scope; });
}

std::size_t Verdicts::size() const {
  std::size_t count = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

}  // namespace securebase::gateway
