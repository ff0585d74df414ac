// Memory of ElastiCache's node types (ElastiCache user guide, "Supported node types": Redis-specific maxmemory).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::cache {

std::optional<std::uint64_t> memory_of_node_type(std::string_view node_type);
std::vector<std::string> node_types();

}  // namespace securebase::cache
