// The distribution of one group's values: exact while they are few, then counts in the buckets of telemetry::Sketch, of
// which any percentile is at most 0.79 % off, whatever was merged in which order. Unlike a sketch it has a negative
// side.
#pragma once

#include <cstdint>
#include <vector>

namespace securebase::logs::insights {

class Quantiles {
 public:
  void add(double value) {
    if (!counting_ && values_.size() < kExact) {
      values_.push_back(value);
    } else {
      count(value);
    }
  }
  void merge(const Quantiles& other);
  // The smallest value that `percent` of the values do not exceed; NaN: there are none.
  double percentile(double percent) const;
  std::size_t bytes() const {
    return (positive_.counts.capacity() + negative_.counts.capacity() + values_.capacity()) * sizeof(double);
  }

 private:
  static constexpr std::size_t kExact = 64;

  // Counts from the bucket `first` on.
  struct Side {
    int first = 0;
    std::vector<std::uint64_t> counts;
    void add(int bucket, std::uint64_t times);
  };
  void count(double value);
  void begin_counting();
  void add_bucketed(double value);

  std::vector<double> values_;
  bool counting_ = false;
  std::uint64_t total_ = 0;
  std::uint64_t zeros_ = 0;
  double minimum_ = 0;
  double maximum_ = 0;
  Side positive_;
  Side negative_;
};

}  // namespace securebase::logs::insights
