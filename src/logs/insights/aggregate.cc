#include "logs/insights/aggregate.h"

#include <cmath>
#include <limits>

#include "logs/insights/distinct.h"
#include "logs/insights/quantiles.h"

namespace securebase::logs::insights {

namespace {

// Visits the numbers of a column with their groups; what is none is skipped.
template <class Visit>
void each_number(const Vector* values, const Selection& rows, std::span<const std::uint32_t> groups, Visit visit) {
  if (values->kind == Vector::Kind::kMissing) return;
  if (values->kind == Vector::Kind::kNumbers) {
    const auto* const numbers = values->numbers.data();
    return rows.each([&](std::size_t row) {
      if (!std::isnan(numbers[row])) visit(groups[row], numbers[row]);
    });
  }
  rows.each([&](std::size_t row) {
    const double number = number_of(values->at(row));
    if (!std::isnan(number)) visit(groups[row], number);
  });
}

// The state of a group has add(number), merge(state) and result().
template <class State>
class Numeric final : public Aggregate {
 public:
  explicit Numeric(State empty) : empty_(empty) {}
  void grow(std::size_t groups) override { states_.resize(groups, empty_); }
  void take(const Vector* values, const Vector*, const Selection& rows,
            std::span<const std::uint32_t> groups) override {
    auto* const states = states_.data();
    each_number(values, rows, groups, [states](std::uint32_t group, double number) { states[group].add(number); });
  }
  void merge(const Aggregate& other, std::span<const std::uint32_t> places) override {
    const auto& from = static_cast<const Numeric&>(other);
    for (std::size_t i = 0; i < places.size(); ++i) states_[places[i]].merge(from.states_[i]);
  }
  Cell result(std::size_t group) const override {
    const double number = states_[group].result();
    return std::isfinite(number) ? Cell::of(number) : Cell{};
  }
  std::size_t bytes() const override {
    std::size_t total = states_.capacity() * sizeof(State);
    if constexpr (requires(const State& state) { state.bytes(); }) {
      for (const auto& state : states_) total += state.bytes();
    }
    return total;
  }

 private:
  const State empty_;
  std::vector<State> states_;
};

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

struct SumState {
  double sum = 0;
  bool any = false;
  void add(double number) {
    sum += number;
    any = true;
  }
  void merge(const SumState& other) {
    sum += other.sum;
    any = any || other.any;
  }
  double result() const { return any ? sum : kNoValue; }
};

struct AverageState {
  double sum = 0;
  double count = 0;
  void add(double number) {
    sum += number;
    ++count;
  }
  void merge(const AverageState& other) {
    sum += other.sum;
    count += other.count;
  }
  double result() const { return count == 0 ? kNoValue : sum / count; }
};

template <bool kLargest>
struct ExtremeState {
  double best = kNoValue;
  void add(double number) {
    if (std::isnan(best) || (kLargest ? number > best : number < best)) best = number;
  }
  void merge(const ExtremeState& other) {
    if (!std::isnan(other.best)) add(other.best);
  }
  double result() const { return best; }
};

// Of the population. Welford's update and Chan's merge: no difference of large squares.
struct DeviationState {
  double count = 0;
  double mean = 0;
  double squares = 0;
  void add(double number) {
    ++count;
    const double away = number - mean;
    mean += away / count;
    squares += away * (number - mean);
  }
  void merge(const DeviationState& other) {
    if (other.count == 0) return;
    const double both = count + other.count;
    const double away = other.mean - mean;
    squares += other.squares + away * away * count * other.count / both;
    mean += away * other.count / both;
    count = both;
  }
  double result() const { return count == 0 ? kNoValue : std::sqrt(squares / count); }
};

struct PercentileState {
  double percent = 0;
  Quantiles values;
  void add(double number) { values.add(number); }
  void merge(const PercentileState& other) { values.merge(other.values); }
  double result() const { return values.percentile(percent); }
  std::size_t bytes() const { return values.bytes(); }
};

class Count final : public Aggregate {
 public:
  void grow(std::size_t groups) override { counts_.resize(groups); }
  void take(const Vector* values, const Vector*, const Selection& rows,
            std::span<const std::uint32_t> groups) override {
    auto* const counts = counts_.data();
    if (values == nullptr) {
      rows.each([&](std::size_t row) { ++counts[groups[row]]; });
    } else if (values->kind == Vector::Kind::kNumbers) {
      rows.each([&](std::size_t row) { counts[groups[row]] += std::isnan(values->numbers[row]) ? 0 : 1; });
    } else if (values->kind != Vector::Kind::kMissing) {
      rows.each([&](std::size_t row) { counts[groups[row]] += values->at(row).missing() ? 0 : 1; });
    }
  }
  void merge(const Aggregate& other, std::span<const std::uint32_t> places) override {
    const auto& from = static_cast<const Count&>(other);
    for (std::size_t i = 0; i < places.size(); ++i) counts_[places[i]] += from.counts_[i];
  }
  Cell result(std::size_t group) const override { return Cell::of(static_cast<double>(counts_[group])); }
  std::size_t bytes() const override { return counts_.capacity() * sizeof(std::uint64_t); }

 private:
  std::vector<std::uint64_t> counts_;
};

class CountDistinct final : public Aggregate {
 public:
  void grow(std::size_t groups) override { sets_.resize(groups); }
  void take(const Vector* values, const Vector*, const Selection& rows,
            std::span<const std::uint32_t> groups) override {
    if (values->kind == Vector::Kind::kMissing) return;
    if (values->kind == Vector::Kind::kDictionary) return take_words(*values, rows, groups);
    rows.each([&](std::size_t row) {
      const Cell cell = values->at(row);
      if (!cell.missing()) sets_[groups[row]].add(Distinct::hash_of(cell));
    });
  }
  void merge(const Aggregate& other, std::span<const std::uint32_t> places) override {
    const auto& from = static_cast<const CountDistinct&>(other);
    for (std::size_t i = 0; i < places.size(); ++i) sets_[places[i]].merge(from.sets_[i]);
  }
  Cell result(std::size_t group) const override { return Cell::of(sets_[group].count()); }
  std::size_t bytes() const override {
    std::size_t total = sets_.capacity() * sizeof(Distinct);
    for (const auto& set : sets_) total += set.bytes();
    return total;
  }

 private:
  // A word is hashed once; in one group, it is added once.
  void take_words(const Vector& values, const Selection& rows, std::span<const std::uint32_t> groups) {
    std::vector<std::uint64_t> hashes(values.words.size());
    std::vector<std::uint32_t> last(values.words.size(), ~std::uint32_t{0});
    rows.each([&](std::size_t row) {
      const auto code = values.codes[row];
      if (code >= hashes.size() || values.words[code].data() == nullptr || last[code] == groups[row]) return;
      if (last[code] == ~std::uint32_t{0}) hashes[code] = Distinct::hash_of(Cell::of(values.words[code]));
      last[code] = groups[row];
      sets_[groups[row]].add(hashes[code]);
    });
  }

  std::vector<Distinct> sets_;
};

// One value of each group: the first or last by time, or by the order of sort.
class Chosen final : public Aggregate {
 public:
  explicit Chosen(Function function) : function_(function) {}
  void grow(std::size_t groups) override { held_.resize(groups); }
  void take(const Vector* values, const Vector* times, const Selection& rows,
            std::span<const std::uint32_t> groups) override {
    if (values->kind == Vector::Kind::kMissing) return;
    rows.each([&](std::size_t row) {
      const Cell cell = values->at(row);
      if (!cell.missing()) offer(held_[groups[row]], cell, times == nullptr ? 0 : number_of(times->at(row)));
    });
  }
  void merge(const Aggregate& other, std::span<const std::uint32_t> places) override {
    const auto& from = static_cast<const Chosen&>(other);
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (!from.held_[i].cell.missing()) offer(held_[places[i]], from.result(i), from.held_[i].time);
    }
  }
  Cell result(std::size_t group) const override {
    Cell cell = held_[group].cell;
    if (cell.kind == Cell::Kind::kText) cell.text = held_[group].text;
    return cell;
  }
  std::size_t bytes() const override { return held_.capacity() * sizeof(Held) + text_bytes_; }

 private:
  struct Held {
    Cell cell;  // without its text
    std::string text;
    double time = 0;
  };
  bool is_better(const Held& held, const Cell& cell, double time) const {
    if (held.cell.missing()) return true;
    Cell other = held.cell;
    if (other.kind == Cell::Kind::kText) other.text = held.text;
    switch (function_) {
      case Function::kEarliest:
        return time < held.time;
      case Function::kLatest:
        return time > held.time;
      case Function::kSortsFirst:
        return natural_order(cell, other) < 0;
      default:
        return natural_order(cell, other) > 0;
    }
  }
  void offer(Held& held, const Cell& cell, double time) {
    if (!is_better(held, cell, time)) return;
    text_bytes_ += cell.text.size();
    text_bytes_ -= held.text.size();
    held = {cell, std::string(cell.text), time};
    held.cell.text = {};
  }

  const Function function_;
  std::vector<Held> held_;
  std::size_t text_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Aggregate> make_aggregate(const AggregateSpec& spec) {
  switch (spec.function) {
    case Function::kCount:
      return std::make_unique<Count>();
    case Function::kSum:
      return std::make_unique<Numeric<SumState>>(SumState{});
    case Function::kAvg:
      return std::make_unique<Numeric<AverageState>>(AverageState{});
    case Function::kMin:
      return std::make_unique<Numeric<ExtremeState<false>>>(ExtremeState<false>{});
    case Function::kMax:
      return std::make_unique<Numeric<ExtremeState<true>>>(ExtremeState<true>{});
    case Function::kStddev:
      return std::make_unique<Numeric<DeviationState>>(DeviationState{});
    case Function::kPct:
      return std::make_unique<Numeric<PercentileState>>(PercentileState{spec.percent, {}});
    case Function::kCountDistinct:
      return std::make_unique<CountDistinct>();
    default:
      return std::make_unique<Chosen>(spec.function);
  }
}

}  // namespace securebase::logs::insights
