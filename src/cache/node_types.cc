#include "cache/node_types.h"

#include <array>

namespace securebase::cache {

namespace {

struct NodeType {
  std::string_view name;
  double gibibytes;
};

constexpr std::array kNodeTypes = {
    NodeType{"cache.t2.micro", 0.555},      NodeType{"cache.t2.small", 1.55},
    NodeType{"cache.t2.medium", 3.22},      NodeType{"cache.t3.micro", 0.5},
    NodeType{"cache.t3.small", 1.37},       NodeType{"cache.t3.medium", 3.09},
    NodeType{"cache.t4g.micro", 0.5},       NodeType{"cache.t4g.small", 1.37},
    NodeType{"cache.t4g.medium", 3.09},     NodeType{"cache.m5.large", 6.38},
    NodeType{"cache.m5.xlarge", 12.93},     NodeType{"cache.m5.2xlarge", 26.04},
    NodeType{"cache.m5.4xlarge", 52.26},    NodeType{"cache.m5.12xlarge", 157.12},
    NodeType{"cache.m5.24xlarge", 314.32},  NodeType{"cache.m6g.large", 6.38},
    NodeType{"cache.m6g.xlarge", 12.94},    NodeType{"cache.m6g.2xlarge", 26.05},
    NodeType{"cache.m6g.4xlarge", 52.26},   NodeType{"cache.m6g.8xlarge", 103.68},
    NodeType{"cache.m6g.12xlarge", 157.13}, NodeType{"cache.m7g.large", 6.38},
    NodeType{"cache.m7g.xlarge", 12.94},    NodeType{"cache.m7g.2xlarge", 26.05},
    NodeType{"cache.r5.large", 13.07},      NodeType{"cache.r5.xlarge", 26.32},
    NodeType{"cache.r5.2xlarge", 52.82},    NodeType{"cache.r5.4xlarge", 105.81},
    NodeType{"cache.r5.12xlarge", 317.77},  NodeType{"cache.r5.24xlarge", 635.61},
    NodeType{"cache.r6g.large", 13.07},     NodeType{"cache.r6g.xlarge", 26.32},
    NodeType{"cache.r6g.2xlarge", 52.82},   NodeType{"cache.r6g.4xlarge", 105.81},
    NodeType{"cache.r6g.8xlarge", 209.55},  NodeType{"cache.r6g.12xlarge", 317.77},
    NodeType{"cache.r6g.16xlarge", 419.1},  NodeType{"cache.r7g.large", 13.07},
    NodeType{"cache.r7g.xlarge", 26.32},    NodeType{"cache.r7g.2xlarge", 52.82},
    NodeType{"cache.r7g.4xlarge", 105.81},  NodeType{"cache.r6gd.xlarge", 26.32},
};

}  // namespace

std::optional<std::uint64_t> memory_of_node_type(std::string_view node_type) {
  for (const auto& one : kNodeTypes) {
    if (one.name == node_type) return static_cast<std::uint64_t>(one.gibibytes * (1 << 30));
  }
  return std::nullopt;
}

std::vector<std::string> node_types() {
  std::vector<std::string> names;
  for (const auto& one : kNodeTypes) names.emplace_back(one.name);
  return names;
}

}  // namespace securebase::cache
