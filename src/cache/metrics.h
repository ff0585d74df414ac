// Every metric that the cache records (Amazon ElastiCache user guide, "Metrics for Valkey and Redis OSS"). Dimensions:
// ReplicationGroupId; CacheClusterId; CacheClusterId and CacheNodeId. What is a level or a share is one sample a
// second.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::cache {

using telemetry::Metric;
using telemetry::Unit;

inline constexpr std::string_view kNamespace = "AWS/ElastiCache";

// Counters.
inline constexpr Metric kCacheHits{kNamespace, "CacheHits", Unit::kCount, "Lookups of keys that were there."};
inline constexpr Metric kCacheMisses{kNamespace, "CacheMisses", Unit::kCount, "Lookups of keys that were not."};
inline constexpr Metric kNewConnections{kNamespace, "NewConnections", Unit::kCount, "Connections that were accepted."};
inline constexpr Metric kEvictions{kNamespace, "Evictions", Unit::kCount, "Keys that had to go for maxmemory."};
inline constexpr Metric kReclaimed{kNamespace, "Reclaimed", Unit::kCount, "Keys that expired."};
inline constexpr Metric kNetworkBytesIn{kNamespace, "NetworkBytesIn", Unit::kBytes, "Bytes from clients."};
inline constexpr Metric kNetworkBytesOut{kNamespace, "NetworkBytesOut", Unit::kBytes, "Bytes to clients."};
inline constexpr Metric kGetTypeCmds{kNamespace, "GetTypeCmds", Unit::kCount, "Commands that only read."};
inline constexpr Metric kSetTypeCmds{kNamespace, "SetTypeCmds", Unit::kCount, "Commands that write."};

// Samples.
inline constexpr Metric kCacheHitRate{kNamespace, "CacheHitRate", Unit::kPercent,
                                      "100 for a hit, 0 for a miss: the average is hits per lookup."};
inline constexpr Metric kCpuUtilization{kNamespace, "CPUUtilization", Unit::kPercent,
                                        "CPU time of Redis with its helper threads, of one core's time that it could "
                                        "have had: all that it serves commands on."};
inline constexpr Metric kEngineCpuUtilization{
    kNamespace, "EngineCPUUtilization", Unit::kPercent,
    "CPU time of the thread that serves commands, of one core's time that it could have had."};
inline constexpr Metric kMemoryUsage{kNamespace, "DatabaseMemoryUsagePercentage", Unit::kPercent,
                                     "Memory used, of maxmemory."};
inline constexpr Metric kBytesUsed{kNamespace, "BytesUsedForCache", Unit::kBytes,
                                   "Memory that Redis has allocated, for data and else."};
inline constexpr Metric kFreeableMemory{kNamespace, "FreeableMemory", Unit::kBytes,
                                        "Memory of this machine that could be used without swapping."};
inline constexpr Metric kCurrConnections{kNamespace, "CurrConnections", Unit::kCount,
                                         "Clients that are connected, the platform's own left out."};
inline constexpr Metric kCurrItems{kNamespace, "CurrItems", Unit::kCount, "Keys."};

}  // namespace securebase::cache
