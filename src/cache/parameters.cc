#include "cache/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <sstream>

#include "stack/stack.h"

namespace securebase::cache {

namespace {

constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kInt = std::numeric_limits<std::int32_t>::max();
constexpr const char* kOneNode = "one machine has one Redis";
constexpr const char* kNotKept = "nothing of it is kept";

struct Parameter {
  enum class Kind { kYesNo, kNumber, kWord, kEvents, kText };
  enum class Where {
    kLive,    // CONFIG SET, by the name in `redis`
    kStart,   // only redis.conf
    kBuffer,  // a part of client-output-buffer-limit: <class>-<field>
    kMemory,  // goes into maxmemory
    kNowhere
  };
  std::string_view name;
  Kind kind;
  std::int64_t low = 0;
  std::int64_t high = kAny;
  Where where = Where::kLive;
  std::string_view redis = "";  // its name in Redis, when another
  std::string_view reason = "";
};

using Kind = Parameter::Kind;
using Where = Parameter::Where;

constexpr Parameter yes_no(std::string_view name) { return {name, Kind::kYesNo}; }
constexpr Parameter number(std::string_view name, std::int64_t low, std::int64_t high = kAny) {
  return {name, Kind::kNumber, low, high};
}
constexpr Parameter renamed(std::string_view name, std::string_view redis, std::int64_t low, std::int64_t high = kAny) {
  return {name, Kind::kNumber, low, high, Where::kLive, redis};
}
constexpr Parameter buffer(std::string_view name) { return {name, Kind::kNumber, 0, kAny, Where::kBuffer}; }
constexpr Parameter nowhere(std::string_view name, Kind kind, std::string_view reason) {
  return {name, kind, 0, kAny, Where::kNowhere, "", reason};
}

constexpr std::string_view kBuffers = "client-output-buffer-limit-";

// In the order of their names.
constexpr Parameter kParameters[] = {
    number("acllog-max-len", 0, 10'000),
    number("active-defrag-cycle-max", 1, 99),
    number("active-defrag-cycle-min", 1, 99),
    number("active-defrag-ignore-bytes", 1),
    number("active-defrag-max-scan-fields", 1, kInt),
    number("active-defrag-threshold-lower", 0, 1000),
    number("active-defrag-threshold-upper", 0, 1000),
    number("active-expire-effort", 1, 10),
    nowhere("activedefrag", Kind::kYesNo, "Debian's Redis is built without its own allocator, which this needs"),
    yes_no("activerehashing"),
    nowhere("appendfsync", Kind::kText, kNotKept),
    nowhere("appendonly", Kind::kYesNo, kNotKept),
    buffer("client-output-buffer-limit-normal-hard-limit"),
    buffer("client-output-buffer-limit-normal-soft-limit"),
    buffer("client-output-buffer-limit-normal-soft-seconds"),
    buffer("client-output-buffer-limit-pubsub-hard-limit"),
    buffer("client-output-buffer-limit-pubsub-soft-limit"),
    buffer("client-output-buffer-limit-pubsub-soft-seconds"),
    buffer("client-output-buffer-limit-replica-soft-seconds"),
    number("client-query-buffer-limit", 1 << 20),
    nowhere("close-on-replica-write", Kind::kYesNo, kOneNode),
    nowhere("cluster-allow-pubsubshard-when-down", Kind::kYesNo, kOneNode),
    nowhere("cluster-allow-reads-when-down", Kind::kYesNo, kOneNode),
    nowhere("cluster-enabled", Kind::kYesNo, kOneNode),
    nowhere("cluster-preferred-endpoint-type", Kind::kText, kOneNode),
    nowhere("cluster-require-full-coverage", Kind::kYesNo, kOneNode),
    {"databases", Kind::kNumber, 1, 1'200'000, Where::kStart},
    number("hash-max-listpack-entries", 0),
    number("hash-max-listpack-value", 0),
    renamed("hash-max-ziplist-entries", "hash-max-listpack-entries", 0),
    renamed("hash-max-ziplist-value", "hash-max-listpack-value", 0),
    number("hll-sparse-max-bytes", 0),
    yes_no("latency-tracking"),
    yes_no("lazyfree-lazy-eviction"),
    yes_no("lazyfree-lazy-expire"),
    yes_no("lazyfree-lazy-server-del"),
    yes_no("lazyfree-lazy-user-del"),
    number("lfu-decay-time", 0, kInt),
    number("lfu-log-factor", 0, kInt),
    number("list-compress-depth", 0, kInt),
    number("list-max-listpack-size", -5, kInt),
    renamed("list-max-ziplist-size", "list-max-listpack-size", -5, kInt),
    number("maxclients", 100, 65'000),  // fewer would keep the platform itself out
    {"maxmemory-policy", Kind::kWord},
    number("maxmemory-samples", 1, kInt),
    nowhere("min-replicas-max-lag", Kind::kNumber, kOneNode),
    nowhere("min-replicas-to-write", Kind::kNumber, kOneNode),
    {"notify-keyspace-events", Kind::kEvents},
    number("proto-max-bulk-len", 1 << 20),
    nowhere("rename-commands", Kind::kText, "commands keep their names"),
    nowhere("repl-backlog-size", Kind::kNumber, kOneNode),
    nowhere("repl-backlog-ttl", Kind::kNumber, kOneNode),
    nowhere("repl-timeout", Kind::kNumber, kOneNode),
    {"reserved-memory", Kind::kNumber, 0, kAny, Where::kMemory},
    {"reserved-memory-percent", Kind::kNumber, 0, 100, Where::kMemory},
    number("set-max-intset-entries", 0),
    number("slowlog-log-slower-than", -1),
    number("slowlog-max-len", 0),
    number("stream-node-max-bytes", 0),
    number("stream-node-max-entries", 0),
    number("tcp-keepalive", 0, kInt),
    number("timeout", 0, kInt),
    number("tracking-table-max-keys", 0),
    number("zset-max-listpack-entries", 0),
    number("zset-max-listpack-value", 0),
    renamed("zset-max-ziplist-entries", "zset-max-listpack-entries", 0),
    renamed("zset-max-ziplist-value", "zset-max-listpack-value", 0),
};

constexpr std::string_view kPolicies[] = {"allkeys-lfu",  "allkeys-lru",  "allkeys-random",  "noeviction",
                                          "volatile-lfu", "volatile-lru", "volatile-random", "volatile-ttl"};
constexpr std::string_view kEvents = "KEg$lshzxetdmnA";  // Redis 7.0, "Redis keyspace notifications"
constexpr std::uint64_t kReservedPercent = 25;           // default.redis7
constexpr std::uint64_t kLeastBytes = 1 << 20;           // 0 would mean no limit to Redis

const Parameter* find(std::string_view name) {
  const auto found = std::find_if(std::begin(kParameters), std::end(kParameters),
                                  [&](const Parameter& one) { return one.name == name; });
  return found == std::end(kParameters) ? nullptr : &*found;
}

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string expected(const Parameter& parameter) {
  switch (parameter.kind) {
    case Kind::kYesNo:
      return "yes or no";
    case Kind::kNumber:
      return parameter.high == kAny ? fmt::format("a whole number, at least {}", parameter.low)
                                    : fmt::format("a whole number, {} to {}", parameter.low, parameter.high);
    case Kind::kWord:
      return fmt::format("one of {}", fmt::join(kPolicies, ", "));
    case Kind::kEvents:
      return fmt::format("letters of {}", kEvents);
    case Kind::kText:
      break;
  }
  return "text";
}

bool fits(const Parameter& parameter, std::string_view value) {
  switch (parameter.kind) {
    case Kind::kYesNo:
      return value == "yes" || value == "no";
    case Kind::kNumber: {
      const auto number = integer(value);
      return number && *number >= parameter.low && *number <= parameter.high;
    }
    case Kind::kWord:
      return std::find(std::begin(kPolicies), std::end(kPolicies), value) != std::end(kPolicies);
    case Kind::kEvents:
      return value.find_first_not_of(kEvents) == std::string_view::npos;
    case Kind::kText:
      break;
  }
  return true;
}

// "normal 0 0 0 slave 268435456 67108864 60 pubsub ..." with the group's parts in their places.
std::string buffers(const std::map<std::string, std::string>& group, const std::string& fallback) {
  std::istringstream words(fallback);
  std::string text;
  for (std::string kind, hard, soft, seconds; words >> kind >> hard >> soft >> seconds;) {
    const std::string prefix = fmt::format("{}{}-", kBuffers, kind == "slave" ? "replica" : kind);
    const auto part = [&](std::string_view field, const std::string& otherwise) {
      const auto set = group.find(prefix + std::string(field));
      return set == group.end() ? otherwise : set->second;
    };
    text += fmt::format("{}{} {} {} {}", text.empty() ? "" : " ", kind, part("hard-limit", hard),
                        part("soft-limit", soft), part("soft-seconds", seconds));
  }
  return text;
}

}  // namespace

Result<Done> check_parameter(std::string_view name, std::string_view value) {
  const Parameter* known = find(name);
  if (known == nullptr) {
    const std::string near = stack::closest(name, parameter_names());
    return Error{Errc::kNotFound, fmt::format("\"{}\" is no parameter of the family redis7.{}", name,
                                              near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near))};
  }
  if (fits(*known, value)) return Done{};
  return Error{Errc::kMalformed, fmt::format("{} is \"{}\"; expected {}.", name, value, expected(*known))};
}

std::string_view why_not_honoured(std::string_view name) {
  const Parameter* known = find(name);
  return known == nullptr ? "" : known->reason;
}

std::vector<std::string> parameter_names() {
  std::vector<std::string> names;
  for (const auto& one : kParameters) names.emplace_back(one.name);
  return names;
}

RedisSettings live_settings(const std::map<std::string, std::string>& group, const RedisSettings& defaults) {
  RedisSettings settings;
  for (const auto& one : kParameters) {
    if (one.where != Where::kLive) continue;
    const std::string name(one.redis.empty() ? one.name : one.redis);
    if (const auto known = defaults.find(name); known != defaults.end()) settings.emplace(name, known->second);
  }
  // Behind the defaults, for two names may be one setting of Redis.
  for (const auto& [name, value] : group) {
    const Parameter* known = find(name);
    if (known == nullptr || known->where != Where::kLive) continue;
    settings[std::string(known->redis.empty() ? known->name : known->redis)] = value;
  }
  const std::string limits = "client-output-buffer-limit";
  if (const auto known = defaults.find(limits); known != defaults.end()) {
    settings[limits] = buffers(group, known->second);
  }
  return settings;
}

RedisSettings start_settings(const std::map<std::string, std::string>& group) {
  RedisSettings settings;
  for (const auto& [name, value] : group) {
    const Parameter* known = find(name);
    if (known != nullptr && known->where == Where::kStart) settings.emplace(name, value);
  }
  return settings;
}

std::uint64_t data_bytes(std::uint64_t node_bytes, const std::map<std::string, std::string>& group) {
  const auto set = [&](const char* name) -> std::optional<std::uint64_t> {
    const auto found = group.find(name);
    if (found == group.end()) return std::nullopt;
    return static_cast<std::uint64_t>(integer(found->second).value_or(0));
  };
  // The older parameter counts bytes, and holds where the percentage is not set.
  const auto bytes = set("reserved-memory");
  const auto percent = set("reserved-memory-percent");
  const std::uint64_t reserved = bytes && !percent ? *bytes : node_bytes / 100 * percent.value_or(kReservedPercent);
  return std::max(node_bytes - std::min(node_bytes, reserved), kLeastBytes);
}

}  // namespace securebase::cache
