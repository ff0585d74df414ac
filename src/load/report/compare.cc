#include "load/report/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "load/report/terminal.h"
#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

constexpr std::size_t kFewestStretches = 8;  // of a side
constexpr std::size_t kMostStretches = 30;   // of a run: longer ones resemble their neighbours less

// What happened in a stretch of time, ready to be added up fast.
struct Stretch {
  std::vector<double> counts;  // of latency, by bucket from Side::lowest on
  double latency_sum = 0;
  double latency_count = 0;
  double requests = 0;
  double responses = 0;
  double errors = 0;
  double seconds = 0;

  void add(const Stretch& other) {
    for (std::size_t i = 0; i < other.counts.size(); ++i) counts[i] += other.counts[i];
    latency_sum += other.latency_sum;
    latency_count += other.latency_count;
    requests += other.requests;
    responses += other.responses;
    errors += other.errors;
    seconds += other.seconds;
  }
};

struct Range {
  int lowest = 0;
  std::size_t size = 0;
};

using Runs = std::vector<std::vector<Stretch>>;

std::vector<Slice> in_stretches(const Timeline& timeline) {
  std::vector<Slice> full;
  for (const auto& slice : timeline.slices()) {
    if (slice.begin != slice.end) full.push_back(slice);
  }
  // The last one may be a moment long.
  if (full.size() > 1 && full.back().end - full.back().begin < timeline.width() / 2) full.pop_back();
  const std::size_t count = std::min(kMostStretches, full.size());
  std::vector<Slice> stretches;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * full.size() / count;
    const std::size_t end = (i + 1) * full.size() / count;
    Slice joined = full[begin];
    for (std::size_t j = begin + 1; j < end; ++j) merge(joined.values, full[j].values);
    joined.end = full[end - 1].end;
    stretches.push_back(std::move(joined));
  }
  return stretches;
}

void widen(Range& range, const telemetry::Sketch& sketch) {
  if (sketch.buckets().empty()) return;
  const int first = sketch.buckets().front().index;
  const int last = sketch.buckets().back().index;
  const int end = range.size == 0 ? last + 1 : std::max(range.lowest + static_cast<int>(range.size), last + 1);
  range.lowest = range.size == 0 ? first : std::min(range.lowest, first);
  range.size = static_cast<std::size_t>(end - range.lowest);
}

Stretch stretch_of(const Slice& slice, bool open, const Range& range) {
  Stretch stretch;
  stretch.counts.resize(range.size);
  if (const auto latency = latency_of(slice.values, open)) {
    for (const auto& bucket : latency->sketch.buckets()) {
      stretch.counts[static_cast<std::size_t>(bucket.index - range.lowest)] += static_cast<double>(bucket.count);
    }
    stretch.latency_sum = latency->sketch.sum();
    stretch.latency_count = static_cast<double>(latency->sketch.count());
  }
  const auto summary = summarise(slice.values, slice.end - slice.begin);
  stretch.requests = static_cast<double>(summary.requests);
  stretch.responses = static_cast<double>(summary.responses);
  stretch.errors = static_cast<double>(summary.status_4xx + summary.status_5xx + summary.transport_errors);
  stretch.seconds = summary.seconds;
  return stretch;
}

// Between a bucket's bounds by the rank: the steps of the buckets would look like changes.
double percentile_of(const Stretch& sum, const Range& range, double percent) {
  const double rank = percent / 100 * sum.latency_count;
  double seen = 0;
  for (std::size_t i = 0; i < sum.counts.size(); ++i) {
    if (sum.counts[i] == 0) continue;
    if (seen + sum.counts[i] >= rank) {
      const int index = range.lowest + static_cast<int>(i);
      const double low = telemetry::Buckets::lower_bound(index);
      const double high = telemetry::Buckets::lower_bound(index + 1);
      return low + (high - low) * (rank - seen) / sum.counts[i];
    }
    seen += sum.counts[i];
  }
  return 0;
}

struct Quantity {
  std::string name;
  std::string unit;
  bool more_is_worse = true;
  bool is_share = false;
  std::function<double(const Stretch&)> of;
};

std::vector<Quantity> quantities(const Range& range) {
  std::vector<Quantity> list;
  for (const auto& [name, percent] : {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p95", 95.0}, {"p99", 99.0}}) {
    list.push_back({name, "ms", true, false,
                    [&range, percent = percent](const Stretch& sum) { return percentile_of(sum, range, percent); }});
  }
  list.push_back({"mean", "ms", true, false,
                  [](const Stretch& sum) { return sum.latency_count ? sum.latency_sum / sum.latency_count : 0; }});
  list.push_back({"answers a second", "", false, false,
                  [](const Stretch& sum) { return sum.seconds ? sum.responses / sum.seconds : 0; }});
  list.push_back({"errors", "%", true, true,
                  [](const Stretch& sum) { return sum.requests ? 100 * sum.errors / sum.requests : 0; }});
  return list;
}

// Always the same draws, so that a comparison says the same each time.
class Dice {
 public:
  std::size_t below(std::size_t limit) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>((state_ >> 33) % limit);
  }

 private:
  std::uint64_t state_ = 42;
};

Stretch empty_sum(const Range& range) {
  Stretch sum;
  sum.counts.resize(range.size);
  return sum;
}

Stretch all_of(const Runs& runs, const Range& range) {
  Stretch sum = empty_sum(range);
  for (const auto& run : runs) {
    for (const auto& stretch : run) sum.add(stretch);
  }
  return sum;
}

Stretch drawn_from(const Runs& runs, const Range& range, Dice& dice) {
  Stretch sum = empty_sum(range);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto& run = runs[dice.below(runs.size())];
    for (std::size_t j = 0; j < run.size(); ++j) sum.add(run[dice.below(run.size())]);
  }
  return sum;
}

double change_between(const Quantity& quantity, double a, double b) {
  if (quantity.is_share) return b - a;
  return a > 0 ? b / a - 1 : (b > 0 ? 1 : 0);
}

Difference::Verdict judge_change(const Quantity& quantity, const Difference& difference, double margin) {
  using Verdict = Difference::Verdict;
  if (difference.low > margin) return quantity.more_is_worse ? Verdict::kWorse : Verdict::kBetter;
  if (difference.high < -margin) return quantity.more_is_worse ? Verdict::kBetter : Verdict::kWorse;
  if (difference.low >= -margin && difference.high <= margin) return Verdict::kSame;
  return Verdict::kUnclear;
}

std::size_t stretches_in(const Runs& runs) {
  std::size_t count = 0;
  for (const auto& run : runs) count += run.size();
  return count;
}

std::optional<Error> why_not(const std::vector<RunResult>& a, const std::vector<RunResult>& b) {
  for (const auto* side : {&a, &b}) {
    for (const auto& run : *side) {
      if (!run.valid()) {
        return Error{Errc::kConflict, fmt::format("the run of {} against {} is invalid: {}", base::iso8601(run.started),
                                                  run.target, run.invalid_because.front())};
      }
      if (run.open != a.front().open) {
        return Error{Errc::kConflict,
                     "an open and a closed run do not compare: one counts latency from the schedule, the "
                     "other is service time"};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Difference::Verdict verdict) {
  switch (verdict) {
    case Difference::Verdict::kBetter:
      return "better";
    case Difference::Verdict::kWorse:
      return "worse";
    case Difference::Verdict::kSame:
      return "no difference that matters";
    case Difference::Verdict::kUnclear:
      return "unclear: may be noise";
    case Difference::Verdict::kInsufficient:
      return "insufficient evidence";
  }
  return "insufficient evidence";
}

Result<std::vector<Difference>> compare(const std::vector<RunResult>& a, const std::vector<RunResult>& b,
                                        const CompareSettings& settings) {
  check(!a.empty() && !b.empty(), "there is a run on either side");
  if (auto reason = why_not(a, b)) return *reason;
  const bool open = a.front().open;
  Range range;
  std::vector<std::vector<Slice>> slices;
  for (const auto* side : {&a, &b}) {
    for (const auto& run : *side) {
      slices.push_back(in_stretches(run.measured.timeline));
      for (const auto& slice : slices.back()) {
        if (const auto latency = latency_of(slice.values, open)) widen(range, latency->sketch);
      }
    }
  }
  Runs runs_a;
  Runs runs_b;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    auto& side = i < a.size() ? runs_a : runs_b;
    side.emplace_back();
    for (const auto& slice : slices[i]) side.back().push_back(stretch_of(slice, open, range));
  }
  const bool enough = stretches_in(runs_a) >= kFewestStretches && stretches_in(runs_b) >= kFewestStretches;
  const auto wanted = quantities(range);
  std::vector<std::vector<double>> changes(wanted.size());
  Dice dice;
  for (std::size_t i = 0; enough && i < settings.draws; ++i) {
    const auto drawn_a = drawn_from(runs_a, range, dice);
    const auto drawn_b = drawn_from(runs_b, range, dice);
    for (std::size_t j = 0; j < wanted.size(); ++j) {
      changes[j].push_back(change_between(wanted[j], wanted[j].of(drawn_a), wanted[j].of(drawn_b)));
    }
  }
  const auto whole_a = all_of(runs_a, range);
  const auto whole_b = all_of(runs_b, range);
  std::vector<Difference> differences;
  for (std::size_t j = 0; j < wanted.size(); ++j) {
    Difference difference;
    difference.name = wanted[j].name;
    difference.unit = wanted[j].unit;
    difference.a = wanted[j].of(whole_a);
    difference.b = wanted[j].of(whole_b);
    difference.change = change_between(wanted[j], difference.a, difference.b);
    if (enough) {
      auto& drawn = changes[j];
      std::sort(drawn.begin(), drawn.end());
      difference.low = drawn[drawn.size() / 200];
      difference.high = drawn[drawn.size() - 1 - drawn.size() / 200];
      difference.verdict =
          judge_change(wanted[j], difference, wanted[j].is_share ? settings.share_margin : settings.margin);
    }
    differences.push_back(std::move(difference));
  }
  return differences;
}

std::string as_text(const std::vector<Difference>& differences, const CompareSettings& settings) {
  std::string text =
      fmt::format("  {:<18}{:>12}{:>12}{:>10}  {:<22}\n", "", "before", "after", "change", "99 % interval");
  for (const auto& one : differences) {
    const auto value = [&](double number) {
      return one.unit == "ms" ? duration_text(number)
                              : fmt::format("{:.{}f}{}", number, one.unit == "%" ? 2 : 1, one.unit);
    };
    const double scale = one.unit == "%" ? 1 : 100;
    text += fmt::format("  {:<18}{:>12}{:>12}{:>+9.1f}%  {:<22}{}\n", one.name, value(one.a), value(one.b),
                        scale * one.change,
                        one.verdict == Difference::Verdict::kInsufficient
                            ? "-"
                            : fmt::format("{:+.1f} to {:+.1f} %", scale * one.low, scale * one.high),
                        to_string(one.verdict));
  }
  return text + fmt::format("  changes within {:.0f} % (errors: {:.1f} points) do not count as differences\n",
                            100 * settings.margin, settings.share_margin);
}

base::Json to_json(const std::vector<Difference>& differences) {
  auto list = base::Json::array();
  for (const auto& one : differences) {
    list.push_back(base::Json::object({{"name", one.name},
                                       {"unit", one.unit},
                                       {"before", one.a},
                                       {"after", one.b},
                                       {"change", one.change},
                                       {"low", one.low},
                                       {"high", one.high},
                                       {"verdict", to_string(one.verdict)}}));
  }
  return list;
}

bool any_worse(const std::vector<Difference>& differences) {
  return std::any_of(differences.begin(), differences.end(),
                     [](const Difference& one) { return one.verdict == Difference::Verdict::kWorse; });
}

}  // namespace securebase::load
