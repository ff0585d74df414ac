#include "logs/insights/quantiles.h"

#include <algorithm>
#include <cmath>

#include "telemetry/sketch.h"

namespace securebase::logs::insights {

namespace {

std::uint64_t rank_of(double percent, std::uint64_t count) {
  const auto rank = static_cast<std::uint64_t>(std::ceil(percent / 100 * static_cast<double>(count)));
  return std::clamp<std::uint64_t>(rank, 1, count);
}

}  // namespace

void Quantiles::Side::add(int bucket, std::uint64_t times) {
  // A margin on both sides, so that a range that widens slowly does not move its counts each time.
  constexpr int kMargin = 16;
  if (counts.empty()) {
    first = bucket - kMargin;
    counts.assign(2 * kMargin, 0);
  } else if (bucket < first) {
    const int lower = bucket - kMargin;
    counts.insert(counts.begin(), static_cast<std::size_t>(first - lower), 0);
    first = lower;
  } else if (bucket >= first + static_cast<int>(counts.size())) {
    counts.resize(static_cast<std::size_t>(bucket - first + kMargin), 0);
  }
  counts[static_cast<std::size_t>(bucket - first)] += times;
}

void Quantiles::add_bucketed(double value) {
  const int bucket = telemetry::Buckets::index(std::abs(value));
  if (bucket < 0) {
    ++zeros_;
  } else {
    (value < 0 ? negative_ : positive_).add(bucket, 1);
  }
  minimum_ = total_ == 0 ? value : std::min(minimum_, value);
  maximum_ = total_ == 0 ? value : std::max(maximum_, value);
  ++total_;
}

void Quantiles::begin_counting() {
  if (counting_) return;
  counting_ = true;
  for (const double value : values_) add_bucketed(value);
  values_ = {};
}

void Quantiles::count(double value) {
  begin_counting();
  add_bucketed(value);
}

void Quantiles::merge(const Quantiles& other) {
  if (!other.counting_) {
    for (const double value : other.values_) add(value);
    return;
  }
  begin_counting();
  for (const auto side : {&Quantiles::positive_, &Quantiles::negative_}) {
    const auto& theirs = other.*side;
    for (std::size_t i = 0; i < theirs.counts.size(); ++i) {
      if (theirs.counts[i] != 0) (this->*side).add(theirs.first + static_cast<int>(i), theirs.counts[i]);
    }
  }
  zeros_ += other.zeros_;
  minimum_ = total_ == 0 ? other.minimum_ : std::min(minimum_, other.minimum_);
  maximum_ = total_ == 0 ? other.maximum_ : std::max(maximum_, other.maximum_);
  total_ += other.total_;
}

double Quantiles::percentile(double percent) const {
  if (!counting_) {
    if (values_.empty()) return std::nan("");
    auto sorted = values_;
    const auto rank = rank_of(percent, sorted.size());
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank - 1), sorted.end());
    return sorted[rank - 1];
  }
  const auto rank = rank_of(percent, total_);
  if (rank == total_) return maximum_;
  if (rank == 1) return minimum_;
  const auto clamped = [this](double value) { return std::clamp(value, minimum_, maximum_); };
  std::uint64_t seen = 0;
  for (std::size_t i = negative_.counts.size(); i-- > 0;) {
    seen += negative_.counts[i];
    if (seen >= rank) return clamped(-telemetry::Buckets::middle(negative_.first + static_cast<int>(i)));
  }
  seen += zeros_;
  if (seen >= rank) return clamped(0);
  for (std::size_t i = 0; i < positive_.counts.size(); ++i) {
    seen += positive_.counts[i];
    if (seen >= rank) return clamped(telemetry::Buckets::middle(positive_.first + static_cast<int>(i)));
  }
  return maximum_;
}

}  // namespace securebase::logs::insights
