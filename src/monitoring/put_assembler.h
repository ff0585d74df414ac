// What the quick readers of PutMetricData have in common: one datum after the other becomes a batch for the store, and
// everything that PutMetricData asks of it is checked.
//
//   begin(); value(3.5); unit("Count"); ...; end(name, dimensions, read_dimensions)
//
// After the first thing that is not plain and valid, failed() holds, and the batch is none.
#pragma once

#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "monitoring/api_metrics.h"
#include "monitoring/metrics/known_series.h"
#include "monitoring/metrics/put_batch.h"

namespace securebase::monitoring {

class PutAssembler {
 public:
  // Names and values of the dimensions of one metric.
  struct Dimensions {
    std::array<std::pair<std::string_view, std::string_view>, kMostDimensions> all;
    std::size_t count = 0;
  };

  // `known` outlives it, and so does what the views point to that it is given.
  PutAssembler(base::TimePoint now, const KnownSeries& known) : now_(now), known_(known) {}

  // false: none that clients may put to. Once, before the first datum.
  bool name_space(std::string_view name);
  bool has_name_space() const { return !name_space_.empty(); }
  void reserve(std::size_t data);

  void begin() {
    made_ = {};
    made_.time = now_;
    first_value_ = batch_.values.size();
    counts_.clear();
    single_ = listed_ = false;
  }
  // Value, and one of Values: only one of the two kinds in a datum.
  void value(double value) {
    single_ = true;
    add_value(value);
  }
  void listed_value(double value) {
    listed_ = true;
    add_value(value);
    if (batch_.values.size() - first_value_ > kMostValues) fail();
  }
  void count(double count) {
    counts_.push_back(count);
    if (counts_.size() > kMostValues) fail();
  }
  void unit(std::string_view name) {
    if (name != unit_name_) look_up_unit(name);
    made_.unit = unit_;
  }
  void resolution(double seconds) {
    if (seconds != 1 && seconds != 60) return fail();
    made_.resolution = seconds == 1 ? Resolution::kSecond : Resolution::kMinute;
  }
  void time(base::TimePoint time) {
    made_.time = time;
    if (time < now_ - kOldestSample || time > now_ + kNewestSample) fail();
  }

  // How the dimensions are spelled that are likely to come, in whatever protocol: where these very bytes come, they
  // need not be read. "": nothing is likely.
  std::string_view expected_dimensions() const { return known_.dimensions_of(expected_); }

  // `spelled` are the bytes that stand for the dimensions in this protocol, and in no other; where they are not known
  // yet, read(Dimensions&) fills in what they say. false: they say nothing that is valid.
  template <class Read>
  void end(std::string_view name, std::string_view spelled, Read read) {
    if (failed_ || batch_.values.size() == first_value_ || (single_ && listed_) || !give_counts()) return fail();
    KnownSeries::Spelling spelling{name_space_, name, spelled, made_.unit, 0};
    std::size_t number = expected_;
    if (!known_.is_number(number, spelling)) {
      spelling.hash = known_.hash_of(spelling, name_space_hash_);
      number = known_.number_of(spelling);
    }
    if (number != KnownSeries::kUnknown) {
      made_.series = known_.series_of(number);
      expected_ = number + 1;
    } else {
      Dimensions dimensions;
      if (!is_name(name, kLongestName) || !read(dimensions) || !append_key(name, dimensions)) return fail();
      batch_.spellings.emplace_back(static_cast<std::uint32_t>(batch_.data.size()), spelling);
    }
    made_.key_end = static_cast<std::uint32_t>(batch_.keys.size());
    made_.values_end = static_cast<std::uint32_t>(batch_.values.size());
    batch_.data.push_back(made_);
  }

  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  std::size_t data() const { return batch_.data.size(); }
  PutBatch take() { return std::move(batch_); }

 private:
  void add_value(double value) {
    if (!(std::abs(value) <= kLargestValue)) fail();
    batch_.values.emplace_back(value, 1);
  }
  bool give_counts();
  void look_up_unit(std::string_view name);
  bool append_key(std::string_view name, Dimensions& dimensions);

  const base::TimePoint now_;
  const KnownSeries& known_;
  std::string_view name_space_ = "";
  std::uint64_t name_space_hash_ = 0;
  PutBatch batch_;
  bool failed_ = false;
  std::size_t expected_ = KnownSeries::kUnknown;  // the number of the spelling that is likely to come
  // Most requests have one unit throughout.
  std::string_view unit_name_ = unit_name(0);
  UnitNumber unit_ = 0;
  // Of the datum that is made.
  PutBatch::Datum made_;
  std::size_t first_value_ = 0;
  std::vector<double> counts_;
  bool single_ = false;
  bool listed_ = false;
};

}  // namespace securebase::monitoring
