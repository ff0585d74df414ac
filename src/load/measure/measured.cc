#include "load/measure/measured.h"

#include <algorithm>

namespace securebase::load {

namespace {

bool has_all(const Tags& tags, const Tags& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const auto& tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); });
}

}  // namespace

void Value::merge(const Value& later) {
  if (later.count == 0) return;
  if (count == 0) {
    *this = later;
    return;
  }
  minimum = std::min(minimum, later.minimum);
  maximum = std::max(maximum, later.maximum);
  latest = later.latest;
  count += later.count;
  sum += later.sum;
  if (kind == Kind::kTrend) sketch.merge(later.sketch);
}

void merge(Values& into, const Values& later) {
  for (const auto& [key, value] : later) {
    auto& mine = into[key];
    if (mine.count == 0) {
      mine = value;
    } else if (mine.kind == value.kind) {
      mine.merge(value);
    }
  }
}

std::optional<Value> find(const Values& values, std::string_view metric, const Tags& tags) {
  std::optional<Value> sum;
  for (auto at = values.lower_bound(Key{std::string(metric), {}}); at != values.end(); ++at) {
    if (at->first.metric != metric) break;
    if (!has_all(at->first.tags, tags)) continue;
    if (!sum) {
      sum = at->second;
    } else if (sum->kind == at->second.kind) {
      sum->merge(at->second);
    }
  }
  return sum;
}

void Timeline::add(Slice slice) {
  for (auto at = slice.values.begin(); at != slice.values.end();) {
    const bool room = known_.contains(at->first) || known_.size() < kMostSeries;
    if (room) {
      known_.emplace(at->first, true);
      ++at;
    } else {
      truncated_ = true;
      at = slice.values.erase(at);
    }
  }
  put(std::move(slice));
}

// Where its middle lies: a collection that comes some milliseconds early or late changes nothing then.
void Timeline::put(Slice slice) {
  const auto place = [&] { return static_cast<std::size_t>((slice.begin + slice.end) / 2 / width_); };
  while (place() >= kMostSlices) halve();
  const std::size_t index = place();
  while (slices_.size() <= index) {
    const auto begin = width_ * static_cast<std::int64_t>(slices_.size());
    slices_.push_back({begin, begin, {}});
  }
  auto& mine = slices_[index];
  if (mine.begin == mine.end) {
    mine.begin = slice.begin;
    mine.end = slice.end;
  } else {
    mine.begin = std::min(mine.begin, slice.begin);
    mine.end = std::max(mine.end, slice.end);
  }
  load::merge(mine.values, slice.values);
}

void Timeline::halve() {
  width_ *= 2;
  auto old = std::move(slices_);
  slices_.clear();
  for (auto& slice : old) {
    if (slice.begin != slice.end) put(std::move(slice));
  }
}

void Timeline::merge(const Timeline& other) {
  while (width_ < other.width_) halve();
  for (const auto& slice : other.slices_) {
    if (slice.begin != slice.end) add(slice);
  }
  truncated_ = truncated_ || other.truncated_;
}

std::optional<Value> Measured::find(std::string_view metric, const Tags& tags) const {
  return load::find(values, metric, tags);
}

double Measured::total(std::string_view metric, const Tags& tags) const {
  const auto found = find(metric, tags);
  return found ? found->sum : 0;
}

void Measured::merge(const Measured& other) {
  duration = std::max(duration, other.duration);
  load::merge(values, other.values);
  timeline.merge(other.timeline);
}

}  // namespace securebase::load
