// How often services were called over time: GetTimeSeriesServiceStatistics.
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "traces/counts/counts.h"

namespace securebase::traces {

// Which calls are summed: service("x"), service(id(name: "x", type: "y")): those of it; edge("x", "y"): those between
// two; "": all. What may stand in braces is of single traces, and refused.
class EntitySelector {
 public:
  static Result<EntitySelector> parse(std::string_view text);
  bool selects(const Node& from, const Node& to) const;
  bool is_service() const { return is_service_; }

 private:
  struct Choice {
    std::string name;  // empty: any
    std::string type;
    bool fits(const Node& node) const;
  };
  Choice from_;
  Choice to_;
  bool is_service_ = false;
};

// By the beginning of their period.
using TimeSeries = std::map<WallTime, EdgeCounts>;
void add_to(TimeSeries& series, const Counts& counts, WallTime begin, std::chrono::seconds period,
            const EntitySelector& selector);

}  // namespace securebase::traces
