// One thread's work on a segment: batches in, through the steps, into the sink.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "logs/insights/plan.h"
#include "logs/insights/sink.h"

namespace securebase::logs::insights {

class SegmentRun {
 public:
  // `segment` outlives it.
  explicit SegmentRun(const Segment& segment);

  // `sequence`: of the batch's first row.
  void take(const Batch& batch, std::uint64_t sequence);
  void take(const Table& table);

  Sink& sink() { return *sink_; }
  const Sink& sink() const { return *sink_; }
  // Rows that passed all filters before the first unnest.
  std::uint64_t matched() const { return matched_; }

 private:
  void run(Frame& frame, Selection rows, std::size_t step, std::uint64_t sequence);
  void parse(const GlobStep& step, Frame& frame, const Selection& rows);
  void parse(const RegexStep& step, Frame& frame, const Selection& rows);
  void look_up(const LookupStep& step, Frame& frame, const Selection& rows);
  void unnest(const UnnestStep& step, Frame& frame, const Selection& rows, std::size_t at, std::uint64_t sequence);

  const Segment& segment_;
  Frame frame_;
  std::vector<std::unique_ptr<Frame>> inner_;  // for each step that is an unnest: its rows
  std::unique_ptr<Sink> sink_;
  std::uint64_t matched_ = 0;
  bool counted_ = false;  // of the batch at hand
};

}  // namespace securebase::logs::insights
