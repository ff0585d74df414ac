// Adds up the summaries of one period, quickly: a counter for every bucket there is, and one bit for each that is not
// empty. Made once for a query, and cleared for each of its periods.
#pragma once

#include <cstdint>
#include <vector>

#include "monitoring/metrics/summary.h"

namespace securebase::monitoring {

class Accumulator {
 public:
  Accumulator();

  void add(const Summary& summary);
  void clear();

  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  double minimum() const { return minimum_; }
  double maximum() const { return maximum_; }
  // Whether it is known where the samples lie: all came as values, or all are the same.
  bool distributed() const { return !undistributed_; }

  // f(value, count) for every bucket that holds samples, in rising order of value. What lies outside of the minimum
  // and the maximum is moved there, so that a single sample is exact. f returns false to stop.
  template <class F>
  void each_rising(F f) const {
    if (count_ == 0 || undistributed_) return;
    for (std::size_t word = place_of(minimum_) / 64, last = place_of(maximum_) / 64; word <= last; ++word) {
      for (std::uint64_t bits = used_[word]; bits != 0; bits &= bits - 1) {
        const std::size_t place = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
        if (!f(value_at(place), counts_[place])) return;
      }
    }
  }
  template <class F>
  void each_falling(F f) const {
    if (count_ == 0 || undistributed_) return;
    for (std::size_t first = place_of(minimum_) / 64, word = place_of(maximum_) / 64 + 1; word-- > first;) {
      for (std::uint64_t bits = used_[word]; bits != 0;) {
        const int bit = 63 - __builtin_clzll(bits);
        bits &= ~(std::uint64_t{1} << bit);
        const std::size_t place = word * 64 + static_cast<std::size_t>(bit);
        if (!f(value_at(place), counts_[place])) return;
      }
    }
  }

 private:
  static constexpr std::size_t kPlaces = 2 * static_cast<std::size_t>(kHighestKey) + 1;
  static std::size_t place_of(double value) { return static_cast<std::size_t>(bucket_key(value) + kHighestKey); }
  double value_at(std::size_t place) const;

  std::vector<std::uint64_t> counts_;  // by key, from -kHighestKey
  std::vector<std::uint64_t> used_;    // a bit for each of them
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double minimum_ = 0;
  double maximum_ = 0;
  bool undistributed_ = false;
};

}  // namespace securebase::monitoring
