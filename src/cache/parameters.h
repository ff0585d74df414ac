// The parameters of ElastiCache's family redis7 (ElastiCache user guide, "Redis OSS-specific parameters"), which of
// them Redis 7.0 takes, and as what.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::cache {

using RedisSettings = std::map<std::string, std::string>;  // of Redis itself, by its own names

// An error names the parameter and says what it takes; with a suggestion when there is none of that name.
Result<Done> check_parameter(std::string_view name, std::string_view value);
// Why a known parameter is not acted on here; empty when it is.
std::string_view why_not_honoured(std::string_view name);
std::vector<std::string> parameter_names();

// What a group sets of the running server, over `defaults` (CONFIG GET before any group's values): every setting that
// any group can change while it runs, so that what a group no longer has is the default again.
RedisSettings live_settings(const std::map<std::string, std::string>& group, const RedisSettings& defaults);
// What can only be set at start.
RedisSettings start_settings(const std::map<std::string, std::string>& group);

// The part of a node's memory that data may take: less reserved-memory-percent (25 by default), or reserved-memory.
std::uint64_t data_bytes(std::uint64_t node_bytes, const std::map<std::string, std::string>& group);

}  // namespace securebase::cache
