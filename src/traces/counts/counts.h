// What is counted of every request, whether its trace is kept or not: where the time of a route went, and who called
// whom how often. Counts of two times add up to those of both.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "traces/counts/histogram.h"
#include "traces/record/record.h"

namespace securebase::traces {

// Where time is spent, as people ask for it. What an authorizer's whole call took is the authorizer's.
enum class Part : std::uint8_t { kEdge, kWait, kOrigin, kAuthorizer, kGateway, kQueue, kInit, kFunction, kSql, kCache };
inline constexpr std::size_t kParts = 10;
std::string_view to_string(Part part);
Part part_of(telemetry::Hop hop);

using Shares = std::array<nanoseconds, kParts>;

// One request, as it counts for its route.
struct RequestTimes {
  nanoseconds total{0};
  Shares own{};  // of each part, without what it waited for; together as good as the total
  bool fault = false;
  bool error = false;
  bool throttle = false;
  bool cold = false;
};

struct RouteCounts {
  // Requests of one bucket of total time: how their time was shared.
  struct Band {
    std::uint64_t count = 0;
    Shares sums{};
  };

  std::uint64_t faults = 0;
  std::uint64_t errors = 0;
  std::uint64_t throttles = 0;
  std::uint64_t cold_starts = 0;
  Histogram total;
  std::array<Histogram, kParts> own;       // of requests in which the part took any time
  std::map<std::uint16_t, Band> by_total;  // by bucket_of(total)

  void add(const RequestTimes& request);
  void merge(const RouteCounts& other);
  // The mean share of each part among the requests between two percentiles of the total.
  Shares shares(double from_percent, double to_percent) const;
};

// A service in the graph. "client" is the type of whoever calls from outside.
struct Node {
  std::string name;
  std::string type;
  auto operator<=>(const Node&) const = default;
};

struct EdgeCounts {
  std::uint64_t ok = 0;
  std::uint64_t errors = 0;  // throttles not included
  std::uint64_t throttles = 0;
  std::uint64_t faults = 0;
  nanoseconds time{0};
  Histogram times;

  std::uint64_t total() const { return ok + errors + throttles + faults; }
  void add(nanoseconds took, bool fault, bool error, bool throttle);
  void merge(const EdgeCounts& other);
};

struct Counts {
  // Beyond, what is new counts as "other": a client cannot make us grow.
  static constexpr std::size_t kMostRoutes = 1000;
  static constexpr std::size_t kMostEdges = 2000;

  std::unordered_map<std::string, RouteCounts> routes;
  std::map<std::pair<Node, Node>, EdgeCounts> edges;

  bool empty() const { return routes.empty() && edges.empty(); }
  RouteCounts& route(const std::string& name);
  EdgeCounts& edge(const Node& from, const Node& to);
  void merge(const Counts& other);

  std::string encode() const;
  static Result<Counts> decode(std::string_view bytes);
};

}  // namespace securebase::traces
