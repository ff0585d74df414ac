// Uptime as an error budget: how much of the time that an objective allows to be down is gone, and how fast it goes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "advisor/advisor.h"

namespace securebase::advisor {

namespace {

std::optional<monitoring::Point> success_of(const monitoring::Series& series, const monitoring::MetricId& metric,
                                            base::TimePoint now, std::chrono::seconds window) {
  monitoring::MetricQuery query;
  query.metric = metric;
  query.statistic = "Average";
  // Outwards to whole minutes, as older samples are kept by the minute.
  query.from = std::chrono::floor<std::chrono::minutes>(now - window);
  query.to = std::chrono::ceil<std::chrono::minutes>(now);
  auto point = series.whole(query);
  if (!point || !*point || (*point)->samples == 0) return std::nullopt;
  return **point;
}

std::uint64_t failed_of(const monitoring::Point& point) {
  const double failed = (100 - point.value) / 100 * static_cast<double>(point.samples);
  return static_cast<std::uint64_t>(std::llround(std::max(0.0, failed)));
}

std::optional<double> burn_of(const std::optional<monitoring::Point>& point, double objective) {
  if (!point) return std::nullopt;
  return (100 - point->value) / (100 - objective);
}

std::string duration_text(std::chrono::duration<double> time) {
  const double seconds = time.count();
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.1f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string burn_text(const std::optional<double>& burn) { return burn ? fmt::format("{:.1f}", *burn) : "-"; }

}  // namespace

std::vector<Budget> uptime(const monitoring::Series& series,
                           const std::map<std::string, std::chrono::seconds>& intervals, base::TimePoint now,
                           std::chrono::seconds window, double objective) {
  monitoring::MetricFilter filter;
  filter.name_space = "CloudWatchSynthetics";
  filter.name = "SuccessPercent";
  filter.dimensions.emplace_back("CanaryName", std::nullopt);
  std::vector<Budget> budgets;
  for (const auto& metric : series.list(filter)) {
    if (metric.dimensions.size() != 1) continue;  // of a step
    const auto point = success_of(series, metric, now, window);
    if (!point) continue;
    Budget budget;
    budget.canary = metric.dimensions.front().second;
    const auto known = intervals.find(budget.canary);
    const auto interval = known == intervals.end() ? std::chrono::seconds{1} : known->second;
    budget.samples = point->samples;
    budget.failed = failed_of(*point);
    budget.availability = point->value;
    budget.down = interval * static_cast<std::int64_t>(budget.failed);
    budget.allowed = std::chrono::duration<double>(window) * ((100 - objective) / 100);
    budget.remaining = 100 * (1 - std::chrono::duration<double>(budget.down) / budget.allowed);
    budget.burn_1h = burn_of(success_of(series, metric, now, std::chrono::hours{1}), objective);
    budget.burn_6h = burn_of(success_of(series, metric, now, std::chrono::hours{6}), objective);
    budgets.push_back(std::move(budget));
  }
  std::sort(budgets.begin(), budgets.end(), [](const Budget& a, const Budget& b) { return a.canary < b.canary; });
  return budgets;
}

std::string render(const std::vector<Budget>& budgets, std::chrono::seconds window, double objective) {
  if (budgets.empty()) return "No canary has been tried in this window.\n";
  const auto allowed = budgets.front().allowed;
  std::string text =
      fmt::format("objective {} % of {}: {} may be down\n\n{:<24} {:>9} {:>7} {:>12} {:>10} {:>12} {:>9} {:>9}\n",
                  objective, duration_text(window), duration_text(allowed), "canary", "tried", "failed", "availability",
                  "down", "budget left", "burn 1 h", "burn 6 h");
  for (const auto& budget : budgets) {
    text += fmt::format("{:<24} {:>9} {:>7} {:>10.3f} % {:>10} {:>10.1f} % {:>9} {:>9}\n", budget.canary,
                        budget.samples, budget.failed, budget.availability, duration_text(budget.down),
                        budget.remaining, burn_text(budget.burn_1h), burn_text(budget.burn_6h));
  }
  return text;
}

base::Json to_json(const std::vector<Budget>& budgets, base::TimePoint now, std::chrono::seconds window,
                   double objective) {
  const auto number = [](const std::optional<double>& value) { return value ? base::Json(*value) : base::Json(); };
  auto list = base::Json::array();
  bool pass = !budgets.empty();
  for (const auto& budget : budgets) {
    pass = pass && budget.remaining >= 0;
    list.push_back(base::Json::object({{"canary", budget.canary},
                                       {"samples", budget.samples},
                                       {"failed", budget.failed},
                                       {"availability", budget.availability},
                                       {"down_seconds", std::int64_t{budget.down.count()}},
                                       {"budget_seconds", budget.allowed.count()},
                                       {"budget_remaining_percent", budget.remaining},
                                       {"burn_rate_1h", number(budget.burn_1h)},
                                       {"burn_rate_6h", number(budget.burn_6h)}}));
  }
  return base::Json::object({{"from", base::iso8601(now - window)},
                             {"to", base::iso8601(now)},
                             {"window_seconds", std::int64_t{window.count()}},
                             {"objective", objective},
                             {"pass", pass},
                             {"canaries", std::move(list)}});
}

}  // namespace securebase::advisor
