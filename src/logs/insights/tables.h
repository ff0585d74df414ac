// What happens between whole tables: join and diff.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "logs/insights/plan.h"
#include "logs/insights/sink.h"

namespace securebase::logs::insights {

// The rows of both that agree in their keys: the left columns, then the right ones. kLimit: more rows than fit.
Result<Table> join_tables(const JoinPlan& plan, const Table& left, const Table& right);

// Keys, then for each value: now, in the preceding window, the difference; and a word for it. Most different first.
// `shift`: how much earlier the preceding window is.
Table diff_tables(const DiffPlan& plan, const Table& now, const Table& before, std::chrono::milliseconds shift);

// Adds the row of sums.
void add_totals(const TotalsPlan& plan, Table& table);

}  // namespace securebase::logs::insights
