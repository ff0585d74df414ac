// Merging of segments: of a partition's files that are many and alike, one is made. What one series has in one part
// only is copied as it lies.
#include <algorithm>

#include "base/log.h"
#include "monitoring/metrics/slots.h"
#include "monitoring/metrics/store.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kAtOnce = 4;  // so many alike are merged; fewer once the partition is past
constexpr std::chrono::hours kPast{1};

// The parts of a partition that are worth merging: the largest of them is not larger than all others together, so that
// a sample is copied as often as its partition doubles. Of a partition that is past, not larger than four times.
std::vector<std::shared_ptr<const Segment>> worth_merging(std::vector<std::shared_ptr<const Segment>> parts,
                                                          bool past) {
  std::ranges::sort(parts, {}, [](const auto& part) { return part->bytes(); });
  const std::size_t fewest = past ? 2 : kAtOnce;
  for (std::size_t count = parts.size(); count >= fewest; --count) {
    std::uint64_t smaller = 0;
    for (std::size_t i = 0; i + 1 < count; ++i) smaller += parts[i]->bytes();
    if (parts[count - 1]->bytes() <= smaller * (past ? 4 : 1)) {
      parts.resize(count);
      return parts;
    }
  }
  return {};
}

}  // namespace

Result<Done> Store::merge_segments() {
  for (std::size_t level = 0; level < kLevels.size(); ++level) {
    const std::int64_t past = partition_of(slot_of(clock_.now() - kPast, kLevels[level]), kLevels[level]);
    const auto partitions = view_->levels[level];
    for (const auto& [number, partition] : partitions) {
      const auto parts = worth_merging(partition, number < past);
      if (parts.empty()) continue;
      auto merged = merge(parts);
      if (!merged && merged.error().code == Errc::kCancelled) return Done{};  // the next start goes on
      if (!merged) return merged.error();
      if (auto installed = install(parts, {&*merged, 1}, view_->frozen_written); !installed) return installed;
    }
  }
  return Done{};
}

Result<std::shared_ptr<const Segment>> Store::merge(const View::Partition& parts) {
  const auto& place = parts.front()->name();
  SegmentWriter writer(settings_.directory, {place.level, place.partition, manifest_.next_sequence++});
  std::vector<std::span<const Segment::Block>> left;
  for (const auto& part : parts) left.push_back(part->blocks());
  std::vector<Slot> slots;
  Slot slot;
  for (;;) {
    if (stopping_.load(std::memory_order_relaxed)) return Error{Errc::kCancelled, "the store is closing"};
    SeriesId series = UINT32_MAX;
    for (const auto& blocks : left) {
      if (!blocks.empty()) series = std::min(series, blocks.front().series);
    }
    if (series == UINT32_MAX) break;
    std::size_t holders = 0;
    for (const auto& blocks : left) holders += !blocks.empty() && blocks.front().series == series;
    slots.clear();
    for (std::size_t i = 0; i < left.size(); ++i) {
      for (; !left[i].empty() && left[i].front().series == series; left[i] = left[i].subspan(1)) {
        const auto bytes = parts[i]->read(left[i].front());
        if (!bytes) {
          base::log(base::Level::kError, "monitoring", "left out while merging: {}", bytes.error().message);
          continue;
        }
        if (holders == 1) {
          writer.add(left[i].front(), *bytes);
          continue;
        }
        BlockReader reader(*bytes, Detail::kHistograms);
        while (reader.next(slot)) slots.push_back(slot);
      }
    }
    combine(slots);
    writer.add(series, slots);
  }
  return writer.finish();
}

}  // namespace securebase::monitoring
