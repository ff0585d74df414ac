// What a start finds: segments that the manifest names, the series' names, and the logs of what is in no segment.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "monitoring/metrics/store.h"

namespace securebase::monitoring {

namespace {

constexpr std::string_view kRoom = "monitoring";

}  // namespace

Result<Done> Store::load() {
  if (auto made = base::make_directory(settings_.directory, 0700); !made) return made;
  auto manifest = read_manifest(settings_.directory);
  if (!manifest) return manifest.error();
  manifest_ = std::move(*manifest);
  if (auto loaded = load_segments(); !loaded) return loaded;
  if (auto loaded = load_catalog(); !loaded) return loaded;
  return replay_logs();
}

Result<Done> Store::load_segments() {
  auto view = std::make_shared<View>();
  std::set<std::string> named;
  for (const auto& name : manifest_.segments) {
    named.insert(name.file());
    auto segment = Segment::open(settings_.directory, name);
    if (!segment) {
      base::log(base::Level::kError, kRoom, "a segment of metrics is left out: {}", segment.error().message);
      continue;
    }
    view->levels[name.level][name.partition].push_back(std::move(*segment));
  }
  view_ = std::move(view);
  // What a flush or a merge that did not come to its end left behind.
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(settings_.directory, failure)) {
    if (entry.path().extension() == ".segment" && !named.contains(entry.path().filename().native())) {
      unlink(entry.path().c_str());
    }
  }
  if (failure) return system_error(failure.value(), "opendir", settings_.directory.native());
  return Done{};
}

Result<Done> Store::load_catalog() {
  std::uint64_t unreadable = 0;
  auto opened = FrameFile::open(settings_.directory / "series", [&](std::string_view payloads) {
    Cursor in(payloads);
    while (!in.at_end()) {
      if (!catalog_.restore(in.bytes(in.varint())) || in.bad()) ++unreadable;
    }
  });
  if (!opened) return opened.error();
  catalog_file_ = std::move(opened->file);
  if (opened->cut_bytes > 0 || unreadable > 0) {
    base::log(base::Level::kWarning, kRoom,
              "the list of metric series was cut by {} bytes of a write that did not end; "
              "{} entries were not readable",
              opened->cut_bytes, unreadable);
  }
  return Done{};
}

Result<Done> Store::replay_logs() {
  std::unordered_map<SeriesId, SeriesRef> by_id;
  for (auto& shard : catalog_.shards()) {
    for (auto& [key, metric] : shard.metrics) {
      for (auto& series : metric->series) by_id[series->id] = {&shard, series.get()};
    }
  }
  for (std::size_t level = 0; level < kLevels.size(); ++level) {
    for (const auto& [number, partition] : view_->levels[level]) {
      for (const auto& segment : partition) {
        for (const auto& block : segment->blocks()) {
          const auto found = by_id.find(block.series);
          if (found == by_id.end()) continue;
          auto& newest = found->second.series->newest_us;
          newest = std::max<std::int64_t>(newest, std::chrono::microseconds(block.last * kLevels[level].slot).count());
        }
      }
    }
  }
  // Logs before the first that counts are in segments already; a crash kept them from being removed.
  std::vector<std::uint64_t> numbers;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(settings_.directory, failure)) {
    const std::string file = entry.path().filename().native();
    constexpr std::string_view kPrefix = "ingest-";
    if (!file.starts_with(kPrefix) || entry.path().extension() != ".log") continue;
    std::uint64_t number = 0;
    std::from_chars(file.data() + kPrefix.size(), file.data() + file.size(), number);
    if (number >= manifest_.first_log) {
      numbers.push_back(number);
    } else {
      unlink(entry.path().c_str());
    }
  }
  if (failure) return system_error(failure.value(), "opendir", settings_.directory.native());
  std::ranges::sort(numbers);
  log_number_ = numbers.empty() ? manifest_.first_log : numbers.back();
  if (numbers.empty()) numbers.push_back(log_number_);
  for (const std::uint64_t number : numbers) {
    auto opened = FrameFile::open(log_path(number), [&](std::string_view records) { replay(records, by_id); });
    if (!opened) return opened.error();
    if (opened->cut_bytes > 0) {
      base::log(base::Level::kWarning, kRoom, "{} ended in {} bytes of a write that did not end; they are cut off",
                log_path(number).native(), opened->cut_bytes);
    }
    log_ = std::move(opened->file);
  }
  return Done{};
}

void Store::replay(std::string_view records, std::unordered_map<SeriesId, SeriesRef>& by_id) {
  Cursor in(records);
  Slot slot;
  while (!in.at_end()) {
    const std::uint64_t tag = in.varint();
    if (!get_slot(in, in, 0, Detail::kHistograms, slot)) break;
    const auto found = by_id.find(static_cast<SeriesId>(tag >> 1));
    if (found == by_id.end()) continue;
    const auto& [shard, series] = found->second;
    const bool fine = (tag & 1) != 0;
    auto& head = fine ? series->fine : series->standard;
    if (!head) head = std::make_unique<Head>();
    const std::size_t before = head->bytes();
    head->restore(slot);
    const std::size_t grown = head->bytes() - before;
    shard->head_bytes += grown;
    head_bytes_.fetch_add(grown, std::memory_order_relaxed);
    const auto& level = kLevels[fine ? kFineLevel : kStandardLevel];
    series->newest_us =
        std::max<std::int64_t>(series->newest_us, std::chrono::microseconds(slot.number * level.slot).count());
  }
}

}  // namespace securebase::monitoring
