// Heads to segments, and what the end of a retention removes.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/file.h"
#include "base/log.h"
#include "monitoring/metrics/slots.h"
#include "monitoring/metrics/store.h"

namespace securebase::monitoring {

namespace {

constexpr std::uint64_t kLogBytes = 2;  // times head_bytes: a start reads no longer log than that

// The segments of one flush: one writer for each level and partition that samples lie in.
class Writers {
 public:
  Writers(const std::filesystem::path& directory, Manifest& manifest) : directory_(directory), manifest_(manifest) {}

  // Slots rise; series rise from call to call.
  void add(std::uint32_t level, SeriesId series, std::span<const Slot> slots) {
    while (!slots.empty()) {
      const std::int64_t partition = partition_of(slots.front().number, kLevels[level]);
      const auto end = std::ranges::find_if(
          slots, [&](const Slot& slot) { return partition_of(slot.number, kLevels[level]) != partition; });
      const auto part = slots.first(static_cast<std::size_t>(end - slots.begin()));
      auto& writer = writers_[{level, partition}];
      if (!writer) {
        const SegmentName name{level, partition, manifest_.next_sequence++};
        writer = std::make_unique<SegmentWriter>(directory_, name);
      }
      writer->add(series, part);
      slots = slots.subspan(part.size());
    }
  }

  Result<std::vector<std::shared_ptr<const Segment>>> finish() {
    std::vector<std::shared_ptr<const Segment>> segments;
    for (auto& [place, writer] : writers_) {
      auto segment = writer->finish();
      if (!segment) return segment.error();
      segments.push_back(std::move(*segment));
    }
    return segments;
  }

 private:
  const std::filesystem::path& directory_;
  Manifest& manifest_;
  std::map<std::pair<std::uint32_t, std::int64_t>, std::unique_ptr<SegmentWriter>> writers_;
};

}  // namespace

std::filesystem::path Store::log_path(std::uint64_t number) const {
  return settings_.directory / fmt::format("ingest-{:06}.log", number);
}

Result<Done> Store::maintain() {
  const std::lock_guard lock(maintenance_mutex_);
  bool due = head_bytes_.load(std::memory_order_relaxed) > settings_.head_bytes;
  if (!due) {
    const std::lock_guard log_lock(log_mutex_);
    const bool late = clock_.steady() - flushed_at_ >= settings_.flush_after;
    due = (late && (frozen_ || log_.bytes() > 0 || manifest_.first_log < log_number_)) ||
          log_.bytes() > kLogBytes * settings_.head_bytes;
  }
  if (due) {
    if (auto flushed = flush_heads(); !flushed) return flushed.error().within("flushing metrics");
  }
  if (auto dropped = drop_old_partitions(); !dropped) return dropped.error().within("removing old metrics");
  if (auto merged = merge_segments(); !merged) return merged.error().within("merging metrics");
  return Done{};
}

Result<Done> Store::flush() {
  {
    const std::lock_guard lock(maintenance_mutex_);
    if (auto flushed = flush_heads(); !flushed) return flushed.error().within("flushing metrics");
  }
  return maintain();
}

Result<Done> Store::flush_heads() {
  flushed_at_ = clock_.steady();
  if (!frozen_) {
    if (auto frozen = freeze(); !frozen) return frozen;
  }
  auto segments = write_frozen();
  if (!segments) return segments.error();
  const std::uint64_t first_old_log = manifest_.first_log;
  manifest_.first_log = frozen_log_;
  if (auto installed = install({}, *segments, true); !installed) {
    manifest_.first_log = first_old_log;
    return installed;
  }
  thaw();
  frozen_ = false;
  for (std::uint64_t old = first_old_log; old < frozen_log_; ++old) unlink(log_path(old).c_str());
  return Done{};
}

Result<Done> Store::freeze() {
  const std::lock_guard lock(log_mutex_);
  if (auto written = write_catalog(); !written) return written;
  auto next = FrameFile::open(log_path(log_number_ + 1), [](std::string_view) {});
  if (!next) return next.error();
  {
    // Nothing is frozen now. From here on readers look there too.
    auto view = std::make_shared<View>(*view_);
    view->frozen_written = false;
    const std::unique_lock view_lock(view_mutex_);
    view_ = std::move(view);
  }
  std::string records;
  for (auto& shard : catalog_.shards()) {
    const std::lock_guard shard_lock(shard.mutex);
    commit_pending(shard);
    records += shard.log;
    shard.log.clear();
    std::size_t bytes = 0;
    for (auto& [key, metric] : shard.metrics) {
      for (auto& series : metric->series) {
        for (Head* head : {series->fine.get(), series->standard.get()}) {
          if (!head) continue;
          head->freeze();
          bytes += head->bytes();
        }
      }
    }
    head_bytes_.fetch_add(bytes - shard.head_bytes, std::memory_order_relaxed);
    shard.head_bytes = bytes;
  }
  // The old log ends with what is frozen. If the disk refuses that, the segments will hold it all the same.
  auto written = write_log(std::move(records));
  unwritten_.clear();
  log_ = std::move(next->file);
  frozen_log_ = ++log_number_;
  frozen_ = true;
  return written;
}

void Store::thaw() {
  for (auto& shard : catalog_.shards()) {
    const std::lock_guard lock(shard.mutex);
    std::size_t bytes = 0;
    for (auto& [key, metric] : shard.metrics) {
      for (auto& series : metric->series) {
        for (Head* head : {series->fine.get(), series->standard.get()}) {
          if (!head) continue;
          head->thaw();
          bytes += head->bytes();
        }
      }
    }
    head_bytes_.fetch_add(bytes - shard.head_bytes, std::memory_order_relaxed);
    shard.head_bytes = bytes;
  }
}

Result<std::vector<std::shared_ptr<const Segment>>> Store::write_frozen() {
  struct Frozen {
    SeriesId id;
    Shard* shard;
    StoredSeries* series;
  };
  std::vector<Frozen> all;
  for (auto& shard : catalog_.shards()) {
    const std::lock_guard lock(shard.mutex);
    for (auto& [key, metric] : shard.metrics) {
      for (auto& series : metric->series) all.push_back({series->id, &shard, series.get()});
    }
  }
  std::ranges::sort(all, {}, &Frozen::id);
  const auto now = clock_.now();
  Writers writers(settings_.directory, manifest_);
  std::vector<Slot> fine;
  std::vector<Slot> standard;
  for (const auto& [id, shard, series] : all) {
    fine.clear();
    standard.clear();
    {
      const std::lock_guard lock(shard->mutex);
      if (series->fine) series->fine->read(Head::Part::kFrozenOnly, INT64_MIN, INT64_MAX, fine);
      if (series->standard) series->standard->read(Head::Part::kFrozenOnly, INT64_MIN, INT64_MAX, standard);
    }
    if (fine.empty() && standard.empty()) continue;
    combine(fine);
    for (std::uint32_t level = kFineLevel; level < kLevels.size(); ++level) {
      std::vector<Slot>& slots = level == kFineLevel ? fine : standard;
      if (level == kStandardLevel) {
        auto minutes = roll_up(fine, kLevels[level].slot / kLevels[kFineLevel].slot);
        slots.insert(slots.end(), std::make_move_iterator(minutes.begin()), std::make_move_iterator(minutes.end()));
        combine(slots);
      } else if (level > kStandardLevel) {
        slots = roll_up(slots, kLevels[level].slot / kLevels[level - 1].slot);
      }
      const auto kept = std::ranges::lower_bound(slots, oldest_slot(now, kLevels[level]), {}, &Slot::number);
      writers.add(level, id, std::span(kept, slots.end()));
    }
  }
  return writers.finish();
}

Result<Done> Store::install(std::span<const std::shared_ptr<const Segment>> removed,
                            std::span<const std::shared_ptr<const Segment>> added, bool frozen_written) {
  Manifest next = manifest_;
  auto view = std::make_shared<View>(*view_);
  for (const auto& segment : removed) {
    std::erase(next.segments, segment->name());
    auto& level = view->levels[segment->name().level];
    auto& partition = level[segment->name().partition];
    std::erase(partition, segment);
    if (partition.empty()) level.erase(segment->name().partition);
  }
  for (const auto& segment : added) {
    next.segments.push_back(segment->name());
    view->levels[segment->name().level][segment->name().partition].push_back(segment);
  }
  view->frozen_written = frozen_written;
  // replace_file syncs the directory: the new segments' names are on disk with the manifest.
  // If it fails the files stay: perhaps the new manifest is on disk all the same. If not, the next start removes them.
  if (auto written = write_manifest(settings_.directory, next); !written) return written;
  manifest_ = std::move(next);
  {
    const std::unique_lock lock(view_mutex_);
    view_ = std::move(view);
  }
  for (const auto& segment : removed) unlink((settings_.directory / segment->name().file()).c_str());
  return Done{};
}

Result<Done> Store::drop_old_partitions() {
  const auto now = clock_.now();
  std::vector<std::shared_ptr<const Segment>> old;
  bool last_level = false;
  for (std::size_t level = 0; level < kLevels.size(); ++level) {
    const std::int64_t oldest = partition_of(oldest_slot(now, kLevels[level]), kLevels[level]);
    for (const auto& [number, partition] : view_->levels[level]) {
      if (number >= oldest) break;
      old.insert(old.end(), partition.begin(), partition.end());
      last_level |= level == kLevels.size() - 1;
    }
  }
  if (old.empty()) return Done{};
  if (auto installed = install(old, {}, view_->frozen_written); !installed) return installed;
  return last_level ? forget_series() : Result<Done>(Done{});
}

// Series without samples in 15 months make room for others.
Result<Done> Store::forget_series() {
  std::unordered_set<SeriesId> alive;
  for (const auto& [number, partition] : view_->levels.back()) {
    for (const auto& segment : partition) {
      for (const auto& block : segment->blocks()) alive.insert(block.series);
    }
  }
  const std::lock_guard lock(log_mutex_);
  std::vector<std::string> left;
  {
    const std::lock_guard door(known_door_);
    const std::unique_lock known_lock(known_mutex_);
    left = catalog_.prune([&](SeriesId id) { return alive.contains(id); });
    known_.clear();
    ++known_generation_;
  }
  std::string payloads;
  for (const auto& payload : left) {
    put_varint(payloads, payload.size());
    payloads += payload;
  }
  const auto path = settings_.directory / "series";
  if (auto replaced = base::replace_file(path, frame(payloads), 0600); !replaced) return replaced;
  auto opened = FrameFile::open(path, [](std::string_view) {});
  if (!opened) return opened.error();
  catalog_file_ = std::move(opened->file);
  return Done{};
}

}  // namespace securebase::monitoring
