// What the fuzz targets of the quick readers have in common: a small stand-in for the store, and what must hold.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "monitoring/metrics/metric_key.h"
#include "monitoring/quick_put.h"

namespace securebase::monitoring {

inline constexpr base::TimePoint kQuickPutNow{std::chrono::seconds{1'700'000'000}};

// The store's part: gives every key a series of its own, and learns how it was spelled.
class QuickPutWorld {
 public:
  void learn(const PutBatch& batch) {
    for (const auto& [place, spelling] : batch.spellings) {
      auto& series = series_[std::string(key_of(batch, place))];
      if (!series) series.reset(new StoredSeries{static_cast<SeriesId>(series_.size()), 0});
      known_.add(spelling, {&shard_, series.get()});
    }
  }
  // The key of a series that learn() made.
  std::string_view key_of(const PutBatch& batch, std::size_t place) const {
    const auto& datum = batch.data[place];
    if (!datum.series.series) {
      const std::size_t begin = place == 0 ? 0 : batch.data[place - 1].key_end;
      return std::string_view(batch.keys).substr(begin, datum.key_end - begin);
    }
    for (const auto& [key, series] : series_) {
      if (series.get() == datum.series.series) return key;
    }
    std::abort();
  }
  const KnownSeries& known() const { return known_; }

 private:
  KnownSeries known_;
  Shard shard_;
  std::map<std::string, std::unique_ptr<StoredSeries>> series_;
};

// What is taken is what the store asks of a batch.
inline void check_batch(const PutBatch& batch, const QuickPutWorld& world) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < batch.data.size(); ++i) {
    if (batch.data[i].values_end <= value) std::abort();
    value = batch.data[i].values_end;
    const auto metric = metric_of(world.key_of(batch, i));
    if (!metric || metric->name.empty()) std::abort();
  }
  if (value != batch.values.size()) std::abort();
  if (!batch.data.empty() && batch.data.back().key_end != batch.keys.size()) std::abort();
}

// `input` is two requests, or, unless it begins with 0xff, twice the same one. What the first one taught changes
// nothing in what the second one says.
inline void check_quick_put(std::string_view input, ReadPut read) {
  const bool is_cut = input.size() > 2 && static_cast<unsigned char>(input[0]) == 0xff;
  const std::size_t cut = is_cut ? 2 + static_cast<unsigned char>(input[1]) * (input.size() - 2) / 256 : 0;
  const auto taught = is_cut ? input.substr(2, cut - 2) : input;
  const auto bytes = is_cut ? input.substr(cut) : input;
  QuickPutWorld world;
  const QuickPutWorld nothing;
  if (const auto first = read(taught, kQuickPutNow, nothing.known())) {
    check_batch(*first, nothing);
    world.learn(*first);
  }
  const auto plain = read(bytes, kQuickPutNow, nothing.known());
  const auto known = read(bytes, kQuickPutNow, world.known());
  if (plain.has_value() != known.has_value()) std::abort();
  if (!plain) return;
  check_batch(*known, world);
  if (plain->data.size() != known->data.size() || plain->values != known->values) std::abort();
  for (std::size_t i = 0; i < plain->data.size(); ++i) {
    const auto& one = plain->data[i];
    const auto& other = known->data[i];
    if (one.unit != other.unit || one.time != other.time || one.resolution != other.resolution) std::abort();
    if (nothing.key_of(*plain, i) != world.key_of(*known, i)) std::abort();
  }
}

}  // namespace securebase::monitoring
