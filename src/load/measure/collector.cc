#include "load/measure/collector.h"

namespace securebase::load {

Collector::Collector(const base::Clock& clock, std::chrono::seconds period) : clock_(clock), period_(period) {
  started_ = clock_.steady();
}

Recorder& Collector::make_recorder() {
  const std::lock_guard lock(mutex_);
  recorders_.push_back(std::make_unique<Recorder>());
  return *recorders_.back();
}

std::chrono::milliseconds Collector::since_start() const {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - started_);
  return std::max(since, std::chrono::milliseconds{0});
}

// Exchanges every recorder's slice for an empty one and adds the full ones up. Slices go round, so that their memory is
// made once.
void Collector::absorb(Values& fresh) {
  for (auto& recorder : recorders_) {
    auto empty = empty_.empty() ? std::make_unique<Recorder::Slice>() : std::move(empty_.back());
    if (!empty_.empty()) empty_.pop_back();
    auto full = recorder->exchange(std::move(empty));
    // After the exchange: whatever it holds is in the catalogue now.
    if (full->size() > entries_.size()) {
      for (auto& entry : catalogue_.entries_from(entries_.size())) entries_.push_back(std::move(entry));
    }
    for (std::size_t i = 0; i < full->size(); ++i) {
      Cell& cell = (*full)[i];
      if (cell.count == 0) continue;
      Value value;
      value.kind = entries_[i].kind;
      value.count = cell.count;
      value.sum = cell.sum;
      value.minimum = cell.minimum;
      value.maximum = cell.maximum;
      value.latest = cell.latest;
      if (cell.histogram) {
        value.sketch = cell.histogram->sketch();
        value.sum = value.sketch.sum();
      }
      auto& mine = fresh[entries_[i].key];
      mine.kind = value.kind;
      mine.merge(value);
      cell.clear();
    }
    empty_.push_back(std::move(full));
  }
}

void Collector::start() { start(clock_.steady()); }

void Collector::start(base::SteadyPoint at) {
  const std::lock_guard lock(mutex_);
  Values dropped;
  absorb(dropped);
  started_ = at;
  collected_ = {};
  measured_ = Measured{};
  recent_.clear();
  in_period_ = {};
}

void Collector::collect() {
  const auto now = since_start();
  std::vector<Slice> ended;
  {
    const std::lock_guard lock(mutex_);
    Slice fresh{collected_, std::max(now, collected_), {}};
    absorb(fresh.values);
    // What was recorded takes time, whatever the clock's grain.
    if (fresh.begin == fresh.end && !fresh.values.empty()) fresh.end += std::chrono::milliseconds{1};
    collected_ = fresh.end;
    merge(measured_.values, fresh.values);
    merge(recent_, fresh.values);
    measured_.duration = fresh.end;
    if (period_ > std::chrono::milliseconds{0}) {
      merge(in_period_.values, fresh.values);
      in_period_.end = fresh.end;
      // A collection that is due at the period's end comes a little after it, never before.
      if (in_period_.end - in_period_.begin >= period_) {
        const auto end = fresh.end - fresh.end % period_;
        in_period_.end = end;
        ended.push_back(std::move(in_period_));
        in_period_ = Slice{end, end, {}};
      }
    }
    if (fresh.begin != fresh.end) measured_.timeline.add(std::move(fresh));
  }
  if (!told_) return;
  for (const auto& slice : ended) told_(slice);
}

void Collector::finish() {
  collect();
  Slice last;
  {
    const std::lock_guard lock(mutex_);
    last = std::move(in_period_);
    in_period_ = Slice{collected_, collected_, {}};
  }
  if (told_ && !last.values.empty()) told_(last);
}

Measured Collector::measured() const {
  const std::lock_guard lock(mutex_);
  return measured_;
}

Values Collector::recent() {
  const std::lock_guard lock(mutex_);
  return std::exchange(recent_, {});
}

}  // namespace securebase::load
