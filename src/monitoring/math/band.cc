#include "monitoring/math/band.h"

#include <algorithm>
#include <cmath>

namespace securebase::monitoring::math {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLeastSamples = 12;  // of an hour at 5 minutes
constexpr double kNormal = 1.4826;         // MAD of a normal distribution is its standard deviation / 1.4826
constexpr double kLeastSpread = 1e-3;      // of the centre: a metric that never moved may move a little

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::optional<BandModel::Usual> usual_of(std::vector<double> values) {
  if (values.size() < kLeastSamples) return std::nullopt;
  const double centre = median(values);
  double mean_deviation = 0;
  for (auto& value : values) {
    value = std::abs(value - centre);
    mean_deviation += value;
  }
  mean_deviation /= static_cast<double>(values.size());
  double spread = median(values) * kNormal;
  // More than half are the same: the mean deviation still knows of the others.
  if (spread == 0) spread = mean_deviation * 1.2533;
  return BandModel::Usual{centre, std::max({spread, std::abs(centre) * kLeastSpread, 1e-9})};
}

std::size_t hour_of_week(base::TimePoint time) {
  const auto hours = std::chrono::floor<std::chrono::hours>(time.time_since_epoch()).count();
  return static_cast<std::size_t>(((hours % 168) + 168) % 168);
}

}  // namespace

BandModel::BandModel(const std::vector<Datum>& past, std::chrono::seconds period) {
  if (past.empty() || past.back().time - past.front().time + period < 1h) return;
  std::array<std::vector<double>, 168> by_week;
  std::array<std::vector<double>, 24> by_day;
  std::vector<double> all;
  all.reserve(past.size());
  for (const auto& datum : past) {
    const auto hour = hour_of_week(datum.time);
    by_week[hour].push_back(datum.value);
    by_day[hour % 24].push_back(datum.value);
    all.push_back(datum.value);
  }
  for (std::size_t i = 0; i < by_week.size(); ++i) hours_of_week_[i] = usual_of(std::move(by_week[i]));
  for (std::size_t i = 0; i < by_day.size(); ++i) hours_of_day_[i] = usual_of(std::move(by_day[i]));
  all_ = usual_of(std::move(all));
}

std::optional<BandModel::Usual> BandModel::usual(base::TimePoint time) const {
  const auto hour = hour_of_week(time);
  if (hours_of_week_[hour]) return hours_of_week_[hour];
  if (hours_of_day_[hour % 24]) return hours_of_day_[hour % 24];
  return all_;
}

std::shared_ptr<const BandModel> Bands::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto at = models_.find(key);
  if (at == models_.end()) return nullptr;
  order_.splice(order_.begin(), order_, at->second);
  return at->second->model;
}

void Bands::keep(const std::string& key, std::shared_ptr<const BandModel> model) {
  const std::lock_guard lock(mutex_);
  if (const auto at = models_.find(key); at != models_.end()) {
    at->second->model = std::move(model);
    return;
  }
  order_.push_front({key, std::move(model)});
  models_[key] = order_.begin();
  if (models_.size() <= kMost) return;
  models_.erase(order_.back().key);
  order_.pop_back();
}

void Bands::forget() {
  const std::lock_guard lock(mutex_);
  models_.clear();
  order_.clear();
}

std::vector<ExcludedRange> Bands::excluded(const MetricStat& metric) const {
  return exclusions_ ? exclusions_(metric) : std::vector<ExcludedRange>{};
}

}  // namespace securebase::monitoring::math
