#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/lighthouse.h"

namespace securebase::cli {

namespace {

// What a run measures besides its score: as a line names it, as the table shows it.
struct Measure {
  std::string_view key;
  std::string_view title;
  int digits;
  std::optional<double> LighthouseRun::*member;
};
constexpr std::array<Measure, 6> kMeasures{{
    {"first_contentful_paint", "first contentful paint, ms", 0, &LighthouseRun::first_contentful_paint},
    {"largest_contentful_paint", "largest contentful paint, ms", 0, &LighthouseRun::largest_contentful_paint},
    {"speed_index", "speed index, ms", 0, &LighthouseRun::speed_index},
    {"total_blocking_time", "total blocking time, ms", 0, &LighthouseRun::total_blocking_time},
    {"cumulative_layout_shift", "cumulative layout shift", 3, &LighthouseRun::cumulative_layout_shift},
    {"benchmark_index", "CPU benchmark index", 0, &LighthouseRun::benchmark_index},
}};

std::vector<double> values_of(const std::vector<LighthouseRun>& runs, const Measure& measure) {
  std::vector<double> values;
  for (const auto& run : runs) {
    if (const auto& value = run.*measure.member) values.push_back(*value);
  }
  return values;
}

std::optional<Spread> scores_of(const std::vector<LighthouseRun>& runs) {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(run.score);
  return spread_of(std::move(values));
}

base::Json spread_json(const std::optional<Spread>& spread) {
  if (!spread) return {};
  return base::Json::object({{"median", spread->median}, {"min", spread->least}, {"max", spread->most}});
}

}  // namespace

Result<LighthouseRun> lighthouse_run(std::string_view line) {
  const auto json = base::Json::parse(line);
  const double score = json ? (*json)["score"].number_or(-1) : -1;
  if (!(score >= 0 && score <= 100)) {
    return Error{Errc::kMalformed,
                 fmt::format("expected a run of Lighthouse as JSON, got \"{}\"", line.substr(0, 200))};
  }
  LighthouseRun run;
  run.score = score;
  for (const auto& measure : kMeasures) {
    const auto& value = (*json)[measure.key];
    if (value.is_number() && value.number_or(-1) >= 0) run.*measure.member = value.number_or(0);
  }
  return run;
}

std::optional<Spread> spread_of(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return Spread{median, values.front(), values.back()};
}

std::string lighthouse_verdict(const Spread& score, double min_score) {
  const std::string_view side = score.median >= min_score ? "pass" : "fail";
  if (score.least < min_score && score.most >= min_score) {
    return fmt::format("uncertain, by the median a {}: runs lie on both sides of {}", side, min_score);
  }
  return std::string(side);
}

std::string render_lighthouse(const std::string& url, const std::vector<LighthouseRun>& runs,
                              std::optional<double> min_score) {
  const auto score = scores_of(runs);
  if (!score) return "";
  std::string text =
      fmt::format("{}, {} runs\n{:<30} {:>8} {:>8} {:>8}\n", url, runs.size(), "", "median", "min", "max");
  const auto row = [&text](std::string_view title, const Spread& spread, int digits) {
    text += fmt::format("{:<30} {:>8.{}f} {:>8.{}f} {:>8.{}f}\n", title, spread.median, digits, spread.least, digits,
                        spread.most, digits);
  };
  row("performance score", *score, 0);
  for (const auto& measure : kMeasures) {
    if (const auto spread = spread_of(values_of(runs, measure))) row(measure.title, *spread, measure.digits);
  }
  if (min_score) text += fmt::format("at least {}: {}\n", *min_score, lighthouse_verdict(*score, *min_score));
  return text;
}

base::Json lighthouse_json(const std::string& url, const std::vector<LighthouseRun>& runs,
                           std::optional<double> min_score) {
  const auto score = scores_of(runs);
  auto report = base::Json::object({{"url", url}, {"runs", std::uint64_t{runs.size()}}, {"score", spread_json(score)}});
  for (const auto& measure : kMeasures) report.set(measure.key, spread_json(spread_of(values_of(runs, measure))));
  auto scores = base::Json::array();
  for (const auto& run : runs) scores.push_back(run.score);
  report.set("scores", std::move(scores));
  if (min_score && score) {
    report.set("min_score", *min_score);
    report.set("verdict", lighthouse_verdict(*score, *min_score));
    report.set("pass", score->median >= *min_score);
  }
  return report;
}

}  // namespace securebase::cli
