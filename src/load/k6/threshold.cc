#include "k6/threshold.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/check.h"

namespace securebase::k6 {

namespace {

class ThresholdParser {
 public:
  explicit ThresholdParser(std::string_view text) : text_(text) {}

  Result<Threshold> run() {
    Threshold threshold;
    threshold.source = std::string(text_);
    if (text_.size() > 1000) return Error{Errc::kLimit, "a threshold is longer than 1000 characters"};
    skip();
    if (auto taken = take_statistic(threshold); !taken) return taken.error();
    skip();
    if (auto taken = take_comparison(threshold); !taken) return taken.error();
    skip();
    auto bound = take_number("a number");
    if (!bound) return bound.error();
    threshold.bound = *bound;
    skip();
    if (at_ != text_.size()) return expected("the end of the threshold");
    return threshold;
  }

 private:
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  Error expected(std::string_view what) const {
    return Error{Errc::kMalformed,
                 fmt::format("threshold '{}': at character {}: expected {}, found {}", text_, at_ + 1, what,
                             at_ < text_.size() ? fmt::format("'{}'", text_.substr(at_, 20)) : "the end")};
  }

  Result<double> take_number(std::string_view what) {
    double value = 0;
    const auto [end, failure] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (failure != std::errc{} || !std::isfinite(value)) return expected(what);
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  Result<Done> take_statistic(Threshold& threshold) {
    struct Word {
      std::string_view name;
      Statistic statistic;
    };
    static constexpr Word kWords[] = {{"avg", Statistic::kAverage}, {"min", Statistic::kMinimum},
                                      {"max", Statistic::kMaximum}, {"med", Statistic::kMedian},
                                      {"rate", Statistic::kRate},   {"count", Statistic::kCount},
                                      {"value", Statistic::kValue}};
    for (const auto& word : kWords) {
      if (!take(word.name)) continue;
      threshold.statistic = word.statistic;
      return Done{};
    }
    if (!take("p(")) return expected("avg, min, max, med, p(N), rate, count or value");
    skip();
    auto percentile = take_number("a percentile from 0 to 100");
    if (!percentile) return percentile.error();
    if (*percentile < 0 || *percentile > 100) return expected("a percentile from 0 to 100 in front of this");
    skip();
    if (!take(")")) return expected("')'");
    threshold.statistic = Statistic::kPercentile;
    threshold.percentile = *percentile;
    return Done{};
  }

  Result<Done> take_comparison(Threshold& threshold) {
    struct Word {
      std::string_view sign;
      Comparison comparison;
    };
    static constexpr Word kWords[] = {{">=", Comparison::kAtLeast},  {"<=", Comparison::kAtMost},
                                      {"===", Comparison::kEqual},   {"==", Comparison::kEqual},
                                      {"!=", Comparison::kNotEqual}, {">", Comparison::kMore},
                                      {"<", Comparison::kLess}};
    for (const auto& word : kWords) {
      if (!take(word.sign)) continue;
      threshold.comparison = word.comparison;
      return Done{};
    }
    return expected("one of < <= > >= == === !=");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Threshold> parse_threshold(std::string_view text) { return ThresholdParser(text).run(); }

Result<Done> fits(const Threshold& threshold, load::Kind kind) {
  const Statistic s = threshold.statistic;
  bool good = false;
  std::string_view has;
  switch (kind) {
    case load::Kind::kCounter:
      good = s == Statistic::kCount || s == Statistic::kRate;
      has = "a counter has count and rate";
      break;
    case load::Kind::kGauge:
      good = s == Statistic::kValue;
      has = "a gauge has value";
      break;
    case load::Kind::kRate:
      good = s == Statistic::kRate;
      has = "a rate has rate";
      break;
    case load::Kind::kTrend:
      good = s != Statistic::kRate && s != Statistic::kValue;
      has = "a trend has avg, min, max, med, count and p(N)";
      break;
  }
  if (good) return Done{};
  return Error{Errc::kMalformed,
               fmt::format("threshold '{}' asks for what its metric does not have: {}", threshold.source, has)};
}

std::optional<double> Threshold::observed(const load::Value& value, Nanoseconds elapsed) const {
  const double count = static_cast<double>(value.count);
  switch (statistic) {
    case Statistic::kAverage:
      return value.sketch.average();
    case Statistic::kMinimum:
      return value.sketch.minimum();
    case Statistic::kMaximum:
      return value.sketch.maximum();
    case Statistic::kMedian:
      return value.sketch.percentile(50);
    case Statistic::kPercentile:
      return value.sketch.percentile(percentile);
    case Statistic::kRate:
      if (value.kind == load::Kind::kRate) return value.count ? std::optional(value.sum / count) : std::nullopt;
      return elapsed.count() > 0 ? std::optional(value.sum / seconds_of(elapsed)) : std::nullopt;
    case Statistic::kCount:
      return value.kind == load::Kind::kTrend ? count : value.sum;
    case Statistic::kValue:
      return value.count ? std::optional(value.latest) : std::nullopt;
  }
  return std::nullopt;
}

bool Threshold::holds(double observed) const {
  switch (comparison) {
    case Comparison::kLess:
      return observed < bound;
    case Comparison::kAtMost:
      return observed <= bound;
    case Comparison::kMore:
      return observed > bound;
    case Comparison::kAtLeast:
      return observed >= bound;
    case Comparison::kEqual:
      return observed == bound;
    case Comparison::kNotEqual:
      return observed != bound;
  }
  return false;
}

Result<MetricSelector> parse_selector(std::string_view text) {
  MetricSelector selector;
  const auto brace = text.find('{');
  selector.metric = std::string(text.substr(0, brace));
  if (selector.metric.empty()) {
    return Error{
        Errc::kMalformed,
        fmt::format("'{}' names no metric: expected one, as in http_req_duration{{status:200}}", text.substr(0, 100))};
  }
  if (brace == std::string_view::npos) return selector;
  if (text.back() != '}') {
    return Error{Errc::kMalformed,
                 fmt::format("'{}' does not end its tags: expected }} at the end", text.substr(0, 200))};
  }
  auto rest = text.substr(brace + 1, text.size() - brace - 2);
  const auto trim = [](std::string_view part) {
    while (!part.empty() && (part.front() == ' ' || part.front() == '"' || part.front() == '\'')) part.remove_prefix(1);
    while (!part.empty() && (part.back() == ' ' || part.back() == '"' || part.back() == '\'')) part.remove_suffix(1);
    return part;
  };
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto pair = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (trim(pair).empty()) continue;
    const auto colon = pair.find(':');
    if (colon == std::string_view::npos) {
      return Error{Errc::kMalformed, fmt::format("'{}': the tag '{}' has no value: expected name:value",
                                                 text.substr(0, 200), trim(pair).substr(0, 60))};
    }
    selector.tags.emplace_back(trim(pair.substr(0, colon)), trim(pair.substr(colon + 1)));
  }
  selector.tags = load::make_tags(std::move(selector.tags));
  return selector;
}

Result<double> trend_statistic(const load::Value& value, std::string_view name) {
  const auto& sketch = value.sketch;
  if (name == "avg") return sketch.average().value_or(0);
  if (name == "min") return sketch.minimum().value_or(0);
  if (name == "max") return sketch.maximum().value_or(0);
  if (name == "med") return sketch.percentile(50).value_or(0);
  if (name == "count") return static_cast<double>(value.count);
  if (name.starts_with("p(") && name.ends_with(")")) {
    const auto inner = name.substr(2, name.size() - 3);
    double percentile = -1;
    const auto [end, failure] = std::from_chars(inner.data(), inner.data() + inner.size(), percentile);
    if (failure == std::errc{} && end == inner.data() + inner.size() && percentile >= 0 && percentile <= 100) {
      return sketch.percentile(percentile).value_or(0);
    }
  }
  return Error{Errc::kMalformed,
               fmt::format("'{}' is not a statistic of a trend: expected avg, min, med, max, count or "
                           "p(N) with N from 0 to 100",
                           name.substr(0, 60))};
}

}  // namespace securebase::k6
