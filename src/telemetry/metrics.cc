#include "telemetry/metrics.h"

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>

#include "base/check.h"

namespace securebase::telemetry {

std::string_view to_string(Unit unit) {
  switch (unit) {
    case Unit::kNone:
      return "None";
    case Unit::kCount:
      return "Count";
    case Unit::kPercent:
      return "Percent";
    case Unit::kMilliseconds:
      return "Milliseconds";
    case Unit::kMicroseconds:
      return "Microseconds";
    case Unit::kSeconds:
      return "Seconds";
    case Unit::kBytes:
      return "Bytes";
    case Unit::kCountPerSecond:
      return "Count/Second";
    case Unit::kBytesPerSecond:
      return "Bytes/Second";
  }
  return "None";
}

CellOfThread cell_of_this_thread() {
  static std::atomic<std::size_t> next{0};
  thread_local const CellOfThread mine = [] {
    const std::size_t number = next.fetch_add(1);
    return number < kCells - 1 ? CellOfThread{number, false} : CellOfThread{kCells - 1, true};
  }();
  return mine;
}

namespace {

// A cell with one writer needs no locked instruction: nobody else changes it between the load and the store.
template <class T>
void add_to(std::atomic<T>& cell, T amount, bool shared) {
  if (!shared) {
    cell.store(cell.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    return;
  }
  T seen = cell.load(std::memory_order_relaxed);
  while (!cell.compare_exchange_weak(seen, seen + amount, std::memory_order_relaxed)) {
  }
}

template <class Better>
void keep_better(std::atomic<double>& cell, double value, Better better) {
  double seen = cell.load(std::memory_order_relaxed);
  while (better(value, seen) && !cell.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

void Counter::add(std::uint64_t amount) {
  const auto cell = cell_of_this_thread();
  add_to(cells_[cell.index].value, amount, cell.shared);
}

std::uint64_t Counter::total() const {
  std::uint64_t sum = 0;
  for (const auto& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
  return sum;
}

struct alignas(64) Distribution::Cell {
  using Octave = std::array<std::atomic<std::uint64_t>, Buckets::kPerOctave>;

  static constexpr double kNone = std::numeric_limits<double>::infinity();

  std::atomic<double> sum{0};
  // Since the last take(); kNone and -kNone: nothing was recorded.
  std::atomic<double> minimum{kNone};
  std::atomic<double> maximum{-kNone};
  // Of all before it. Written by take() only.
  std::atomic<double> taken_minimum{kNone};
  std::atomic<double> taken_maximum{-kNone};
  std::atomic<std::uint64_t> zeros{0};
  std::array<std::atomic<Octave*>, Buckets::kOctaves> octaves{};

  ~Cell() {
    for (auto& octave : octaves) delete octave.load();
  }

  Octave& octave(std::size_t number) {
    Octave* found = octaves[number].load(std::memory_order_acquire);
    if (found) return *found;
    auto made = std::make_unique<Octave>();
    if (octaves[number].compare_exchange_strong(found, made.get(), std::memory_order_acq_rel)) return *made.release();
    return *found;  // another thread of the shared cell was quicker
  }
};

Distribution::~Distribution() {
  for (auto& cell : cells_) delete cell.load();
}

Distribution::Cell& Distribution::cell(std::size_t index) {
  Cell* found = cells_[index].load(std::memory_order_acquire);
  if (found) return *found;
  auto made = std::make_unique<Cell>();
  if (cells_[index].compare_exchange_strong(found, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *found;
}

void Distribution::record(double value, std::uint64_t times) {
  if (times == 0) return;
  const auto mine = cell_of_this_thread();
  Cell& cell = this->cell(mine.index);
  const int index = Buckets::index(value);
  if (index < 0) {
    value = 0;
    add_to(cell.zeros, times, mine.shared);
  } else {
    auto& octave = cell.octave(static_cast<std::size_t>(index / Buckets::kPerOctave));
    add_to(octave[static_cast<std::size_t>(index % Buckets::kPerOctave)], times, mine.shared);
  }
  add_to(cell.sum, value * static_cast<double>(times), mine.shared);
  keep_better(cell.minimum, value, std::less<>{});
  keep_better(cell.maximum, value, std::greater<>{});
}

Sketch Distribution::total() const {
  Sketch total;
  for (const auto& slot : cells_) {
    const Cell* held = slot.load(std::memory_order_acquire);
    if (!held) continue;
    const Cell& cell = *held;
    Sketch part;
    part.add_bucket(-1, cell.zeros.load(std::memory_order_relaxed));
    for (std::size_t o = 0; o < cell.octaves.size(); ++o) {
      const auto* octave = cell.octaves[o].load(std::memory_order_acquire);
      if (!octave) continue;
      for (std::size_t i = 0; i < octave->size(); ++i) {
        part.add_bucket(static_cast<int>(o) * Buckets::kPerOctave + static_cast<int>(i),
                        (*octave)[i].load(std::memory_order_relaxed));
      }
    }
    if (part.count() == 0) continue;
    const double minimum =
        std::min(cell.minimum.load(std::memory_order_relaxed), cell.taken_minimum.load(std::memory_order_relaxed));
    const double maximum =
        std::max(cell.maximum.load(std::memory_order_relaxed), cell.taken_maximum.load(std::memory_order_relaxed));
    // A sample may be counted before its minimum and maximum are: then the bucket speaks for it.
    if (minimum <= maximum) part.add_totals(cell.sum.load(std::memory_order_relaxed), minimum, maximum);
    total.merge(part);
  }
  return total;
}

Sketch Distribution::take(Sketch& seen) {
  double minimum = Cell::kNone;
  double maximum = -Cell::kNone;
  for (auto& slot : cells_) {
    Cell* cell = slot.load(std::memory_order_acquire);
    if (!cell || cell->minimum.load(std::memory_order_relaxed) == Cell::kNone) continue;
    const double low = cell->minimum.exchange(Cell::kNone, std::memory_order_relaxed);
    const double high = cell->maximum.exchange(-Cell::kNone, std::memory_order_relaxed);
    keep_better(cell->taken_minimum, low, std::less<>{});
    keep_better(cell->taken_maximum, high, std::greater<>{});
    minimum = std::min(minimum, low);
    maximum = std::max(maximum, high);
  }
  if (minimum == Cell::kNone) return {};
  Sketch now = total();
  Sketch fresh = now.since(seen);
  // A sample that is recorded right now may be counted in this take and lie in the next one's extremes, or the other
  // way round; then its bucket speaks for it.
  fresh.refine(minimum, maximum);
  seen = std::move(now);
  return fresh;
}

void Gauge::add(double change) { add_to(value_, change, true); }

namespace {

const Dimensions kOverflow{{"__other__", ""}};

}  // namespace

struct Registry::Impl {
  const std::size_t series_limit;
  mutable std::mutex mutex;
  using Key = std::tuple<std::string_view, std::string_view, Dimensions>;
  std::map<Key, Series> by_key;
  // Deques never move what they hold.
  std::deque<Counter> counters;
  std::deque<Distribution> distributions;
  std::deque<Gauge> gauges;
  std::vector<const Series*> in_order;

  template <class Make>
  Series& find_or_make(const Metric& metric, const Dimensions& dimensions, Make make) {
    const std::lock_guard lock(mutex);
    Key key{metric.name_space, metric.name, dimensions};
    auto found = by_key.find(key);
    if (found == by_key.end() && by_key.size() >= series_limit) {
      key = {metric.name_space, metric.name, kOverflow};
      found = by_key.find(key);
    }
    if (found == by_key.end()) {
      Series series{&metric, std::get<2>(key), nullptr, nullptr, nullptr};
      make(series);
      found = by_key.emplace(std::move(key), std::move(series)).first;
      in_order.push_back(&found->second);
    }
    return found->second;
  }
};

Registry::Registry(std::size_t series_limit) : impl_(new Impl{series_limit, {}, {}, {}, {}, {}, {}}) {}
Registry::~Registry() = default;

Counter& Registry::counter(const Metric& metric, const Dimensions& dimensions) {
  auto& series =
      impl_->find_or_make(metric, dimensions, [&](Series& made) { made.counter = &impl_->counters.emplace_back(); });
  check(series.counter != nullptr, "a metric is recorded as one kind only (counter)");
  return const_cast<Counter&>(*series.counter);  // ours; Series shows it to readers as const
}

Distribution& Registry::distribution(const Metric& metric, const Dimensions& dimensions) {
  auto& series = impl_->find_or_make(metric, dimensions,
                                     [&](Series& made) { made.distribution = &impl_->distributions.emplace_back(); });
  check(series.distribution != nullptr, "a metric is recorded as one kind only (distribution)");
  return *series.distribution;
}

Gauge& Registry::gauge(const Metric& metric, const Dimensions& dimensions) {
  auto& series =
      impl_->find_or_make(metric, dimensions, [&](Series& made) { made.gauge = &impl_->gauges.emplace_back(); });
  check(series.gauge != nullptr, "a metric is recorded as one kind only (gauge)");
  return const_cast<Gauge&>(*series.gauge);
}

std::vector<Registry::Series> Registry::series() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<Series> all;
  all.reserve(impl_->by_key.size());
  for (const auto& [key, series] : impl_->by_key) all.push_back(series);
  return all;
}

std::vector<const Registry::Series*> Registry::series_after(std::size_t count) const {
  const std::lock_guard lock(impl_->mutex);
  const auto& all = impl_->in_order;
  if (count >= all.size()) return {};
  return {all.begin() + static_cast<std::ptrdiff_t>(count), all.end()};
}

}  // namespace securebase::telemetry
