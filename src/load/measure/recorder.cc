#include "load/measure/recorder.h"

#include <algorithm>
#include <cmath>

namespace securebase::load {

using telemetry::Buckets;

void Histogram::add(double value, std::uint64_t times) {
  const int index = Buckets::index(value);
  if (index < 0) {
    zeros_ += times;
    value = 0;
  } else {
    auto& octave = octaves_[static_cast<std::size_t>(index / kPerOctave)];
    if (!octave) octave = std::make_unique<Octave>();
    octave->counts[static_cast<std::size_t>(index % kPerOctave)] += times;
    octave->total += times;
  }
  minimum_ = count_ == 0 ? value : std::min(minimum_, value);
  maximum_ = count_ == 0 ? value : std::max(maximum_, value);
  count_ += times;
  sum_ += value * static_cast<double>(times);
}

void Histogram::clear() {
  if (count_ == 0) return;
  for (auto& octave : octaves_) {
    if (octave && octave->total != 0) *octave = Octave{};
  }
  zeros_ = count_ = 0;
  sum_ = minimum_ = maximum_ = 0;
}

telemetry::Sketch Histogram::sketch() const {
  telemetry::Sketch sketch;
  if (count_ == 0) return sketch;
  sketch.add_bucket(-1, zeros_);
  for (std::size_t i = 0; i < octaves_.size(); ++i) {
    if (!octaves_[i] || octaves_[i]->total == 0) continue;
    for (std::size_t j = 0; j < kPerOctave; ++j) {
      sketch.add_bucket(static_cast<int>(i * kPerOctave + j), octaves_[i]->counts[j]);
    }
  }
  sketch.add_totals(sum_, minimum_, maximum_);
  return sketch;
}

void Cell::add(Kind kind, double value, std::uint64_t times) {
  if (std::isnan(value) || times == 0) return;
  switch (kind) {
    case Kind::kTrend:
      if (!histogram) histogram = std::make_unique<Histogram>();
      histogram->add(value, times);
      break;
    case Kind::kGauge:
      minimum = count == 0 ? value : std::min(minimum, value);
      maximum = count == 0 ? value : std::max(maximum, value);
      latest = value;
      break;
    case Kind::kRate:
      if (value != 0) sum += static_cast<double>(times);
      break;
    case Kind::kCounter:
      sum += value * static_cast<double>(times);
      break;
  }
  count += times;
}

void Cell::clear() {
  count = 0;
  sum = minimum = maximum = latest = 0;
  if (histogram) histogram->clear();
}

std::unique_ptr<Recorder::Slice> Recorder::exchange(std::unique_ptr<Slice> empty) {
  const std::lock_guard lock(mutex_);
  slice_.swap(empty);
  return empty;
}

}  // namespace securebase::load
