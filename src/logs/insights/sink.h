// Where a segment's rows go, and the table that they become. One sink to a thread; merged afterwards, and whenever
// somebody wants to see what there is so far.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "logs/insights/frame.h"
#include "logs/insights/plan.h"

namespace securebase::logs::insights {

struct Table {
  std::size_t rows = 0;
  std::vector<std::vector<Cell>> columns;
  std::vector<std::shared_ptr<const void>> memory;  // what the cells' texts lie in
};

class Sink {
 public:
  virtual ~Sink() = default;
  // `sequence`: of the frame's first row, in the order in which rows came.
  virtual void take(Frame& frame, const Selection& rows, std::uint64_t sequence) = 0;
  // `other` is of the same segment, and stays as it is.
  virtual void merge(const Sink& other) = 0;
  virtual Table table() const = 0;
  // About how much memory it holds.
  virtual std::size_t bytes() const = 0;
};

// `segment` outlives it.
std::unique_ptr<Sink> make_sink(const Segment& segment);
std::unique_ptr<Sink> make_rows_sink(const Segment& segment);
std::unique_ptr<Sink> make_groups_sink(const Segment& segment);
std::unique_ptr<Sink> make_pattern_sink(const Segment& segment);

}  // namespace securebase::logs::insights
