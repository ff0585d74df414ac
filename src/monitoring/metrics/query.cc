// Answers from segments and heads.
#include <algorithm>

#include "base/log.h"
#include "monitoring/metrics/slots.h"
#include "monitoring/metrics/store.h"

namespace securebase::monitoring {

namespace {

// One run of slots in order of time, from one segment or one head.
class Source {
 public:
  // Blocks that may hold something in [from, to).
  Source(std::shared_ptr<const Segment> segment, std::span<const Segment::Block> blocks, std::int64_t from,
         std::int64_t to, std::chrono::seconds slot, Detail detail)
      : segment_(std::move(segment)),
        blocks_(blocks),
        from_(from),
        to_(to),
        length_(slot),
        detail_(detail),
        reader_({}, detail) {}
  Source(std::vector<Slot> slots, std::chrono::seconds slot)
      : slots_(std::move(slots)), length_(slot), reader_({}, Detail::kTotals) {}

  // Moves to the next slot; false: no more.
  bool next() {
    if (!segment_) {
      if (position_ == slots_.size()) return false;
      current_ = std::move(slots_[position_++]);
      return true;
    }
    for (;;) {
      while (reader_.next(current_)) {
        if (current_.number >= to_) return false;
        if (current_.number >= from_) return true;
      }
      if (blocks_.empty()) return false;
      const auto bytes = segment_->read(blocks_.front());
      blocks_ = blocks_.subspan(1);
      if (bytes) {
        reader_ = BlockReader(*bytes, detail_);
      } else {
        base::log(base::Level::kError, "monitoring", "left out of an answer: {}", bytes.error().message);
      }
    }
  }
  const Summary& summary() const { return current_.summary; }
  std::int64_t start_seconds() const { return current_.number * length_.count(); }

 private:
  std::shared_ptr<const Segment> segment_;
  std::span<const Segment::Block> blocks_;
  std::vector<Slot> slots_;
  std::size_t position_ = 0;
  std::int64_t from_ = 0;
  std::int64_t to_ = 0;
  std::chrono::seconds length_;
  Detail detail_ = Detail::kTotals;
  BlockReader reader_;
  Slot current_;
};

std::int64_t ceil_divide(std::int64_t value, std::int64_t by) { return -floor_divide(-value, by); }

// The level whose slots make up periods of that length that begin `phase` after multiples of it.
std::size_t coarsest_level(std::chrono::seconds period, std::chrono::seconds phase) {
  std::size_t level = kLevels.size() - 1;
  while (level > 0 && (period % kLevels[level].slot).count() + (phase % kLevels[level].slot).count() != 0) --level;
  return level;
}

// Of several units, the one whose newest sample is newest.
const StoredSeries* series_with(const StoredMetric& metric, const std::optional<UnitNumber>& unit) {
  const StoredSeries* best = nullptr;
  for (const auto& series : metric.series) {
    if (unit && series->unit != *unit) continue;
    if (!best || series->newest_us > best->newest_us) best = series.get();
  }
  return best;
}

void add_period(const std::vector<Statistic>& statistics, const Accumulator& samples, std::int64_t start_seconds,
                std::vector<std::vector<Point>>& points) {
  const base::TimePoint start{std::chrono::seconds{start_seconds}};
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    if (const auto value = evaluate(statistics[i], samples)) points[i].push_back({start, *value, samples.count()});
  }
}

}  // namespace

Result<std::vector<Point>> Store::read(const MetricQuery& query) const {
  const auto statistic = parse_statistic(query.statistic);
  if (!statistic) return statistic.error();
  auto points = read(query, {&*statistic, 1});
  if (!points) return points.error();
  return std::move(points->front());
}

Result<std::optional<Point>> Store::whole(const MetricQuery& query) const {
  if (query.from >= query.to) return std::optional<Point>{};
  // One period of that length. Without whole minutes at both ends it would leave the minutes out.
  const std::chrono::seconds unit{query.period < std::chrono::seconds{60} ? 1 : 60};
  const auto down = [unit](base::TimePoint time) {
    return floor_divide(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(), unit.count()) * unit;
  };
  MetricQuery one = query;
  const std::chrono::seconds from = down(query.from);
  const std::chrono::seconds to = std::max(down(query.to), from + unit);
  one.from = base::TimePoint{from};
  one.to = base::TimePoint{to};
  one.period = to - from;
  one.phase = from - floor_divide(from.count(), one.period.count()) * one.period;
  const auto points = read(one);
  if (!points) return points.error();
  if (points->empty()) return std::optional<Point>{};
  return std::optional<Point>{points->front()};
}

Result<std::vector<std::vector<Point>>> Store::read(const MetricQuery& query, std::span<const Statistic> asked) const {
  if (query.period < std::chrono::seconds{1} || query.phase.count() < 0 || query.phase >= query.period) {
    return Error{Errc::kMalformed, "a period is at least one second, and its phase below it"};
  }
  const std::vector<Statistic> statistics(asked.begin(), asked.end());
  std::vector<std::vector<Point>> points(statistics.size());
  std::optional<UnitNumber> unit;
  if (query.unit) {
    unit = unit_number(*query.unit);
    if (!unit) return Error{Errc::kMalformed, "\"" + *query.unit + "\" is no unit of CloudWatch's"};
  }
  const std::size_t level_index = coarsest_level(query.period, query.phase);
  const Level& level = kLevels[level_index];
  const bool with_histograms = std::ranges::any_of(statistics, &Statistic::needs_distribution);
  const Detail detail = with_histograms ? Detail::kHistograms : Detail::kTotals;

  // Periods that start in [from, to), of slots no older than the level keeps.
  const std::int64_t period = query.period.count();
  const std::int64_t phase = query.phase.count();
  const auto first_start = [&](base::TimePoint time) {
    const std::int64_t second = std::chrono::ceil<std::chrono::seconds>(time).time_since_epoch().count();
    return ceil_divide(second - phase, period) * period + phase;
  };
  const std::int64_t from =
      std::max(floor_divide(first_start(query.from), level.slot.count()), oldest_slot(clock_.now(), level));
  const std::int64_t to = floor_divide(first_start(query.to), level.slot.count());
  if (from >= to) return points;

  const std::string key = metric_key(query.metric);
  Shard& shard = catalog_.shard_of(key);
  std::vector<Source> sources;
  {
    const std::shared_lock view_lock(view_mutex_);
    SeriesId id = 0;
    {
      const std::lock_guard lock(shard.mutex);
      const StoredMetric* metric = Catalog::find(shard, key);
      const StoredSeries* series = metric ? series_with(*metric, unit) : nullptr;
      if (!series) return points;
      id = series->id;
      const auto part = view_->frozen_written ? Head::Part::kWithoutFrozen : Head::Part::kAll;
      for (const std::size_t of : {kFineLevel, kStandardLevel}) {
        const Head* head = of == kFineLevel ? series->fine.get() : series->standard.get();
        if (!head || of > level_index) continue;
        const std::int64_t per_slot = level.slot / kLevels[of].slot;
        std::vector<Slot> slots;
        head->read(part, from * per_slot, to * per_slot, slots);
        if (slots.empty()) continue;
        // As they are but for samples that came late.
        if (!std::ranges::is_sorted(slots, {}, &Slot::number)) std::ranges::stable_sort(slots, {}, &Slot::number);
        sources.emplace_back(std::move(slots), kLevels[of].slot);
      }
    }
    const auto& partitions = view_->levels[level_index];
    const auto end = partitions.upper_bound(partition_of(to - 1, level));
    for (auto at = partitions.lower_bound(partition_of(from, level)); at != end; ++at) {
      for (const auto& segment : at->second) {
        auto blocks = segment->blocks_of(id);
        while (!blocks.empty() && blocks.front().last < from) blocks = blocks.subspan(1);
        while (!blocks.empty() && blocks.back().first >= to) blocks = blocks.first(blocks.size() - 1);
        if (!blocks.empty()) sources.emplace_back(segment, blocks, from, to, level.slot, detail);
      }
    }
  }

  std::erase_if(sources, [](Source& source) { return !source.next(); });
  Accumulator samples;
  while (!sources.empty()) {
    std::int64_t start = INT64_MAX;
    for (const auto& source : sources) {
      start = std::min(start, floor_divide(source.start_seconds() - phase, period) * period + phase);
    }
    samples.clear();
    for (std::size_t i = 0; i < sources.size();) {
      bool more = true;
      while (more && sources[i].start_seconds() < start + period) {
        samples.add(sources[i].summary());
        more = sources[i].next();
      }
      if (more) {
        ++i;
      } else {
        sources.erase(sources.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    add_period(statistics, samples, start, points);
  }
  return points;
}

std::vector<MetricId> Store::list(const MetricFilter& filter) const {
  const auto oldest = (clock_.now() - kLevels.back().retention).time_since_epoch().count();
  const auto fits = [&](const MetricId& metric) {
    if (filter.name_space && metric.name_space != *filter.name_space) return false;
    if (filter.name && metric.name != *filter.name) return false;
    return std::ranges::all_of(filter.dimensions, [&](const auto& wanted) {
      return std::ranges::any_of(metric.dimensions, [&](const auto& dimension) {
        return dimension.first == wanted.first && (!wanted.second || dimension.second == *wanted.second);
      });
    });
  };
  std::vector<MetricId> found;
  for (auto& shard : catalog_.shards()) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [key, metric] : shard.metrics) {
      if (std::ranges::none_of(metric->series, [&](const auto& series) { return series->newest_us >= oldest; }))
        continue;
      auto id = metric_of(key.text);
      if (id && fits(*id)) found.push_back(std::move(*id));
    }
  }
  std::ranges::sort(found);
  return found;
}

std::optional<base::TimePoint> Store::newest(const MetricId& metric) const {
  const std::string key = metric_key(metric);
  Shard& shard = catalog_.shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const StoredMetric* found = Catalog::find(shard, key);
  const StoredSeries* series = found ? series_with(*found, std::nullopt) : nullptr;
  if (!series || series->newest_us == INT64_MIN) return std::nullopt;
  return base::TimePoint{std::chrono::microseconds{series->newest_us}};
}

std::vector<std::string> Store::units(const MetricId& metric) const {
  const std::string key = metric_key(metric);
  Shard& shard = catalog_.shard_of(key);
  const std::lock_guard lock(shard.mutex);
  std::vector<std::string> names;
  if (const StoredMetric* found = Catalog::find(shard, key)) {
    for (const auto& series : found->series) names.emplace_back(unit_name(series->unit));
  }
  return names;
}

}  // namespace securebase::monitoring
