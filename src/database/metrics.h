// Every metric that the database records (Amazon RDS user guide, "Amazon CloudWatch metrics for Amazon Aurora").
// Dimensions: DBClusterIdentifier, and DBInstanceIdentifier for each instance. What is a level or a rate is one sample
// every five seconds.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::database {

using telemetry::Metric;
using telemetry::Unit;

inline constexpr std::string_view kNamespace = "AWS/RDS";

inline constexpr Metric kCpuUtilization{kNamespace, "CPUUtilization", Unit::kPercent,
                                        "CPU time of the server and its processes, of all cores of this machine."};
inline constexpr Metric kDatabaseConnections{kNamespace, "DatabaseConnections", Unit::kCount,
                                             "Clients that are connected over the network."};
inline constexpr Metric kFreeableMemory{kNamespace, "FreeableMemory", Unit::kBytes,
                                        "Memory of this machine that could be used without swapping."};
inline constexpr Metric kFreeStorageSpace{kNamespace, "FreeStorageSpace", Unit::kBytes,
                                          "What is free on the file system of the data directory."};
inline constexpr Metric kVolumeBytesUsed{kNamespace, "VolumeBytesUsed", Unit::kBytes,
                                         "Size of the data directory, its log included; looked at once a minute."};
inline constexpr Metric kReadIops{kNamespace, "ReadIOPS", Unit::kCountPerSecond,
                                  "Read calls of the server's processes (/proc/pid/io)."};
inline constexpr Metric kWriteIops{kNamespace, "WriteIOPS", Unit::kCountPerSecond,
                                   "Write calls of the server's processes (/proc/pid/io)."};
inline constexpr Metric kReadThroughput{kNamespace, "ReadThroughput", Unit::kBytesPerSecond,
                                        "Bytes that the storage gave them."};
inline constexpr Metric kWriteThroughput{kNamespace, "WriteThroughput", Unit::kBytesPerSecond,
                                         "Bytes that the storage got from them."};
inline constexpr Metric kCommitThroughput{kNamespace, "CommitThroughput", Unit::kCountPerSecond,
                                          "Transactions that were committed."};
inline constexpr Metric kDeadlocks{kNamespace, "Deadlocks", Unit::kCountPerSecond, "Deadlocks that were broken."};
inline constexpr Metric kBufferCacheHitRatio{
    kNamespace, "BufferCacheHitRatio", Unit::kPercent,
    "100 for a block that was in the buffer cache, else 0, so that the average is the ratio."};
inline constexpr Metric kMaximumUsedTransactionIds{kNamespace, "MaximumUsedTransactionIDs", Unit::kCount,
                                                   "Age of the oldest transaction id of any database."};
// No metric of RDS': there, Performance Insights tells it.
inline constexpr Metric kQueryTime{"SecureBase/Performance", "QueryTime", Unit::kMilliseconds,
                                   "Execution time of queries: for each statement the mean of its calls in five "
                                   "seconds, as often as it was called."};

}  // namespace securebase::database
