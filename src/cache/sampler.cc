#include "cache/sampler.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

#include "cache/metrics.h"

namespace securebase::cache {

namespace {

constexpr std::chrono::milliseconds kSampleTimeout{2'000};
constexpr std::uint64_t kOwnConnections = 1;  // the reader's

// The number behind "name=" in "calls=21,usec=40".
std::uint64_t part(std::string_view text, std::string_view name) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    const auto one = text.substr(at, end - at);
    if (one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=') {
      return std::strtoull(std::string(one.substr(name.size() + 1)).c_str(), nullptr, 10);
    }
    at = end + 1;
  }
  return 0;
}

template <class T>
T grown(T before, T now) {
  return now >= before ? now - before : now;
}

class Recorder {
 public:
  Recorder(telemetry::Registry& registry, const Cluster& of) : registry_(registry) {
    if (of.replication_group) all_.push_back({{"ReplicationGroupId", of.id}});
    all_.push_back({{"CacheClusterId", of.node()}});
    all_.push_back({{"CacheClusterId", of.node()}, {"CacheNodeId", "0001"}});
  }
  void sample(const Metric& metric, double value, std::uint64_t times = 1) {
    if (times == 0) return;
    for (const auto& dimensions : all_) registry_.distribution(metric, dimensions).record(value, times);
  }
  void count(const Metric& metric, std::uint64_t before, std::uint64_t now) {
    for (const auto& dimensions : all_) registry_.counter(metric, dimensions).add(grown(before, now));
  }

 private:
  telemetry::Registry& registry_;
  std::vector<telemetry::Dimensions> all_;
};

}  // namespace

Reading parse_info(std::string_view info, const CommandKinds& kinds) {
  Reading reading;
  std::map<std::string_view, std::string_view> fields;
  while (!info.empty()) {
    const auto end = std::min(info.find('\n'), info.size());
    auto line = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with('#')) continue;
    const auto name = line.substr(0, colon);
    const auto value = line.substr(colon + 1);
    if (name.starts_with("cmdstat_")) {
      const auto command = name.substr(8);
      const auto calls = part(value, "calls");
      if (kinds.writes.contains(command)) {
        reading.writes += calls;
      } else if (kinds.reads.contains(command)) {
        reading.reads += calls;
      }
    } else if (name.size() > 2 && name.starts_with("db") && std::isdigit(static_cast<unsigned char>(name[2])) != 0) {
      reading.items += part(value, "keys");
    } else {
      fields.emplace(name, value);
    }
  }
  const auto number = [&](std::string_view name) {
    const auto found = fields.find(name);
    return found == fields.end() ? 0 : std::strtoull(std::string(found->second).c_str(), nullptr, 10);
  };
  reading.hits = number("keyspace_hits");
  reading.misses = number("keyspace_misses");
  reading.new_connections = number("total_connections_received");
  reading.evictions = number("evicted_keys");
  reading.expired = number("expired_keys");
  reading.bytes_in = number("total_net_input_bytes");
  reading.bytes_out = number("total_net_output_bytes");
  reading.used_bytes = number("used_memory");
  reading.max_bytes = number("maxmemory");
  const auto connected = number("connected_clients");
  reading.connections = connected > kOwnConnections ? connected - kOwnConnections : 0;
  return reading;
}

void record(telemetry::Registry& registry, const Cluster& of, const Reading& before, const Reading& now,
            std::uint64_t available_memory_bytes) {
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  if (seconds <= 0) return;
  Recorder to(registry, of);
  to.count(kCacheHits, before.hits, now.hits);
  to.count(kCacheMisses, before.misses, now.misses);
  to.count(kNewConnections, before.new_connections, now.new_connections);
  to.count(kEvictions, before.evictions, now.evictions);
  to.count(kReclaimed, before.expired, now.expired);
  to.count(kNetworkBytesIn, before.bytes_in, now.bytes_in);
  to.count(kNetworkBytesOut, before.bytes_out, now.bytes_out);
  to.count(kGetTypeCmds, before.reads, now.reads);
  to.count(kSetTypeCmds, before.writes, now.writes);

  to.sample(kCacheHitRate, 100, grown(before.hits, now.hits));
  to.sample(kCacheHitRate, 0, grown(before.misses, now.misses));
  if (now.max_bytes > 0) {
    to.sample(kMemoryUsage, 100 * static_cast<double>(now.used_bytes) / static_cast<double>(now.max_bytes));
  }
  to.sample(kBytesUsed, static_cast<double>(now.used_bytes));
  to.sample(kFreeableMemory, static_cast<double>(available_memory_bytes));
  to.sample(kCurrConnections, static_cast<double>(now.connections));
  to.sample(kCurrItems, static_cast<double>(now.items));
}

void record(telemetry::Registry& registry, const Cluster& of, const Load& before, const Load& now) {
  const auto& then = before.processor;
  const auto& seen = now.processor;
  // A process that took another's place counts from its own begin on: its first look says nothing of this time.
  if (seen.main_used < then.main_used) return;
  const std::chrono::duration<double> at_its_disposal = now.at - before.at - (seen.main_waited - then.main_waited);
  if (at_its_disposal.count() <= 0) return;
  const auto share = [&](std::chrono::duration<double> used) {
    return std::clamp(100 * (used / at_its_disposal), 0.0, 100.0);
  };
  Recorder to(registry, of);
  to.sample(kCpuUtilization, share(seen.used - then.used));
  to.sample(kEngineCpuUtilization, share(seen.main_used - then.main_used));
}

Result<Done> Reader::learn(const char* category, std::set<std::string, std::less<>>& into) {
  auto names = client_->ask({"COMMAND", "LIST", "FILTERBY", "ACLCAT", category});
  if (!names) return names.error();
  into.clear();
  for (const auto& name : names->elements) into.insert(name.text);
  return Done{};
}

Result<Done> Reader::connect() {
  if (client_) return Done{};
  auto made = Client::connect(socket_, password_, kSampleTimeout);
  if (!made) return made.error();
  client_ = std::make_unique<Client>(std::move(*made));
  if (auto learnt = learn("read", kinds_.reads); !learnt) return learnt;
  return learn("write", kinds_.writes);
}

Result<Reading> Reader::read() {
  auto connected = connect();
  auto info = connected ? client_->ask({"INFO", "all"}) : Result<Reply>(connected.error());
  if (!info) {
    disconnect();
    return info.error();
  }
  Reading reading = parse_info(info->text, kinds_);
  reading.at = clock_->steady();
  return reading;
}

}  // namespace securebase::cache
