// Metric filters at work: what the events of a group say in numbers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "logs/patterns/pattern.h"
#include "logs/store/event.h"
#include "logs/store/settings.h"
#include "logs/taps/measurement.h"

namespace securebase::logs {

// The filters of one group, compiled. Any thread.
class MetricFilters {
 public:
  explicit MetricFilters(const GroupSettings& settings);
  bool empty() const { return filters_.empty(); }
  // Events that just came. A filter's default value is reported for a minute that had events and no match, when the
  // next minute begins.
  void measure(std::span<const Event> events, std::vector<Measurement>& into);

 private:
  struct Compiled {
    MetricFilter filter;
    Pattern pattern;
    // Guarded by mutex_.
    std::int64_t minute = 0;  // of the newest event seen
    bool matched = false;     // in that minute
  };
  void measure(Compiled& one, std::span<const Event> events, std::vector<Measurement>& into);
  std::vector<Compiled> filters_;
  std::mutex mutex_;
};

}  // namespace securebase::logs
