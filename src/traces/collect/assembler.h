// Puts the spans of a trace together. All hops live in this process, so a trace is complete when its entry, the hop
// that the request came in by, has ended: nothing is waited for but the other threads' buffers of the same moment.
#pragma once

#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "telemetry/span.h"
#include "traces/record/record.h"

namespace securebase::traces {

class Assembler {
 public:
  struct Limits {
    std::size_t open = 50'000;           // traces whose entry has not ended; beyond, the oldest are given up
    std::size_t spans = 1'000;           // of one trace; beyond, they are counted and dropped
    std::chrono::seconds entryless{60};  // longer than the gateway waits; what then has no entry is `late`
  };
  // The spans of a trace. `entry` is one of them, or null: what came after the trace was complete.
  using Complete = std::function<void(std::span<const telemetry::Span> spans, const telemetry::Span* entry)>;

  Assembler(Limits limits, Complete complete);

  // Everything that was taken from the buffers at `now`. A trace whose entry is among it is given away in the next
  // round: its other spans were recorded before, but may lie in a buffer that was taken first.
  void round(std::span<const telemetry::Span> spans, base::SteadyPoint now);

  std::size_t open() const { return open_.size(); }
  std::uint64_t lost() const { return lost_; }

 private:
  struct Open {
    std::vector<telemetry::Span> spans;
    base::SteadyPoint last;
    std::uint32_t entries = 0;
  };
  void finish(const TraceId& id, std::uint64_t entry);
  void sweep(base::SteadyPoint now);

  const Limits limits_;
  const Complete complete_;
  std::unordered_map<TraceId, Open, TraceIdHash> open_;
  std::vector<std::pair<TraceId, std::uint64_t>> ended_;  // entries of the round before
  base::SteadyPoint swept_{};
  std::uint64_t lost_ = 0;
};

}  // namespace securebase::traces
