// What is usual for a metric at an hour of the week, from its own past: median and spread (1.4826 x MAD, which for a
// normal distribution is the standard deviation), neither of which a few outliers move. An hour of the week that has
// too few samples is judged by its hour of the day, and that by everything, so a band exists after an hour of data.
#pragma once

#include <array>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "monitoring/math/value.h"
#include "monitoring/queries.h"

namespace securebase::monitoring::math {

class BandModel {
 public:
  // Oldest first. Fewer than kLeastSamples, or less than an hour of them: a model that knows nothing.
  explicit BandModel(const std::vector<Datum>& past, std::chrono::seconds period);

  struct Usual {
    double centre;
    double spread;  // never 0: at least a thousandth of the centre
  };
  std::optional<Usual> usual(base::TimePoint time) const;
  bool trained() const { return all_.has_value(); }

 private:
  std::array<std::optional<Usual>, 168> hours_of_week_;
  std::array<std::optional<Usual>, 24> hours_of_day_;
  std::optional<Usual> all_;
};

inline constexpr std::chrono::hours kBandPast{14 * 24};  // as CloudWatch trains on two weeks

// Times that a band is not trained on: a load test, a failure that is known. Any thread.
struct ExcludedRange {
  base::TimePoint from;
  base::TimePoint to;
};
using Exclusions = std::function<std::vector<ExcludedRange>(const MetricStat& metric)>;

// Models are kept for the hour that they were trained for: reading two weeks at each evaluation would be too much.
// At most kMost, the one not used for the longest time goes first. Any thread.
class Bands {
 public:
  explicit Bands(Exclusions exclusions = nullptr) : exclusions_(std::move(exclusions)) {}
  std::shared_ptr<const BandModel> find(const std::string& key);
  void keep(const std::string& key, std::shared_ptr<const BandModel> model);
  void forget();  // exclusions have changed
  std::vector<ExcludedRange> excluded(const MetricStat& metric) const;

 private:
  static constexpr std::size_t kMost = 4096;
  struct Kept {
    std::string key;
    std::shared_ptr<const BandModel> model;
  };
  const Exclusions exclusions_;
  std::mutex mutex_;
  std::list<Kept> order_;  // used last: first
  std::map<std::string, std::list<Kept>::iterator, std::less<>> models_;
};

}  // namespace securebase::monitoring::math
