// Queries that belong together (one GetMetricData, the Metrics of one alarm, one widget), compiled: ids resolved, types
// of all expressions known, so that running them fails only where the numbers cannot be read.
// Constant once made: any thread may run it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "monitoring/math/band.h"
#include "monitoring/math/syntax.h"
#include "monitoring/math/value.h"
#include "monitoring/queries.h"
#include "monitoring/series.h"

namespace securebase::monitoring::math {

// What is read: periods that start in [from, to).
struct Window {
  base::TimePoint from;
  base::TimePoint to;
  // Where periods begin: at multiples of themselves after this. 0: aligned to the epoch; alarms slide.
  std::chrono::seconds phase{0};
  // Takes the place of every query's own period; 0: does not.
  std::chrono::seconds period{0};
};

enum class Use { kGraph, kAlarm };  // CloudWatch refuses SEARCH in alarms

class Program {
 public:
  // kMalformed with "Error in expression 'e1': position 3: ..." for what does not make sense, kUnsupported for
  // functions that are understood and not done here.
  static Result<Program> compile(std::vector<DataQuery> queries, Use use);

  const std::vector<DataQuery>& queries() const { return queries_; }
  Type type(std::size_t query) const { return types_[query]; }
  std::size_t place(std::string_view id) const;  // queries().size() when there is none
  // Every metric that is named; what SEARCH will find is not known beforehand.
  std::vector<MetricId> metrics() const;
  // Set when an expression reduces a whole series to a number, or looks at its neighbours: then what it gives for a
  // point depends on how much is read around it. Names the function.
  const std::string& looks_around() const { return looks_around_; }

  // The value of query number `query`.
  Result<Value> run(std::size_t query, const Series& series, const Window& window, Bands& bands) const;
  // Of several, each metric read once.
  Result<std::vector<Value>> run(const std::vector<std::size_t>& queries, const Series& series, const Window& window,
                                 Bands& bands) const;

 private:
  friend class Checker;
  friend class Evaluator;
  std::vector<DataQuery> queries_;
  std::vector<Expression> expressions_;  // empty for metric_stats
  std::vector<Type> types_;
  std::string looks_around_;
};

}  // namespace securebase::monitoring::math
