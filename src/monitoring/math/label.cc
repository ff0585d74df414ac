#include "monitoring/math/label.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "monitoring/math/functions.h"

namespace securebase::monitoring::math {

namespace {

constexpr std::string_view kNothing = "--";

// As CloudWatch shows numbers in labels: three decimals at most.
std::string number(double value) {
  std::string text = fmt::format("{:.3f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

class Renderer {
 public:
  Renderer(std::string_view own, const TimeSeries& series, const std::optional<MetricStat>& metric,
           const LabelContext& context)
      : own_(own), series_(series), metric_(metric), context_(context) {
    for (const auto& datum : series.data) {
      if (!least_ || datum.value < least_->value) least_ = &datum;
      if (!most_ || datum.value > most_->value) most_ = &datum;
    }
  }

  std::optional<std::string> value_of(std::string_view name) const {
    if (name == "LABEL") return std::string(own_);
    if (name.starts_with("PROP('") && name.ends_with("')")) return property(name.substr(6, name.size() - 8));
    if (name == "DATAPOINT_COUNT") return fmt::format("{}", series_.data.size());
    if (name == "SUM" || name == "AVG") {
      if (series_.data.empty()) return std::string(kNothing);
      return number(aggregate_of(name, series_.data));
    }
    for (const auto& [prefix, datum] :
         {std::pair{"FIRST", first()}, {"LAST", last()}, {"MIN", least_}, {"MAX", most_}}) {
      if (!name.starts_with(prefix)) continue;
      if (auto text = of_point(name.substr(std::string_view(prefix).size()), datum)) return text;
    }
    if (name == "FIRST_LAST_RANGE") return range(first(), last());
    if (name == "MIN_MAX_RANGE") return range(least_, most_);
    if (name == "FIRST_LAST_TIME_RANGE") return time_range(first(), last());
    if (name == "MIN_MAX_TIME_RANGE") return time_range(least_, most_);
    return std::nullopt;
  }

 private:
  const Datum* first() const { return series_.data.empty() ? nullptr : &series_.data.front(); }
  const Datum* last() const { return series_.data.empty() ? nullptr : &series_.data.back(); }

  std::optional<std::string> of_point(std::string_view part, const Datum* datum) const {
    if (part != "" && part != "_TIME" && part != "_TIME_RELATIVE") return std::nullopt;
    if (!datum) return std::string(kNothing);
    if (part.empty()) return number(datum->value);
    return part == "_TIME" ? time(*datum) : relative(*datum);
  }
  std::string time(const Datum& datum) const {
    std::string text = base::iso8601(datum.time + context_.timezone);
    text[10] = ' ';
    text.pop_back();
    return text;
  }
  std::string relative(const Datum& datum) const {
    const auto minutes = std::chrono::floor<std::chrono::minutes>(context_.now - datum.time).count();
    if (minutes < 1) return "now";
    const auto hours = minutes / 60;
    if (hours == 0) return fmt::format("{}m ago", minutes);
    return hours < 24 ? fmt::format("{}h {}m ago", hours, minutes % 60)
                      : fmt::format("{}d {}h ago", hours / 24, hours % 24);
  }
  std::string range(const Datum* a, const Datum* b) const {
    return a && b ? number(a->value) + " - " + number(b->value) : std::string(kNothing);
  }
  std::string time_range(const Datum* a, const Datum* b) const {
    if (!a || !b) return std::string(kNothing);
    if (b->time < a->time) std::swap(a, b);
    return time(*a) + " - " + time(*b);
  }

  std::optional<std::string> property(std::string_view name) const {
    if (name == "Region") return context_.region;
    if (name == "AccountId") return context_.account;
    if (name == "Period") return fmt::format("{}", series_.period.count());
    if (!metric_) return std::nullopt;
    if (name == "MetricName") return metric_->metric.name;
    if (name == "Namespace") return metric_->metric.name_space;
    if (name == "Stat") return metric_->stat;
    if (!name.starts_with("Dim.")) return std::nullopt;
    for (const auto& [dimension, value] : metric_->metric.dimensions) {
      if (dimension == name.substr(4)) return value;
    }
    return std::nullopt;
  }

  std::string_view own_;
  const TimeSeries& series_;
  const std::optional<MetricStat>& metric_;
  const LabelContext& context_;
  const Datum* least_ = nullptr;
  const Datum* most_ = nullptr;
};

}  // namespace

std::string render_label(std::string_view label, std::string_view own, const TimeSeries& series,
                         const std::optional<MetricStat>& metric, const LabelContext& context) {
  const Renderer renderer(own, series, metric, context);
  std::string made;
  while (!label.empty()) {
    const auto start = label.find("${");
    made += label.substr(0, start);
    if (start == std::string_view::npos) break;
    const auto end = label.find('}', start);
    if (end == std::string_view::npos) {
      made += label.substr(start);
      break;
    }
    const auto whole = label.substr(start, end - start + 1);
    made += renderer.value_of(whole.substr(2, whole.size() - 3)).value_or(std::string(whole));
    label.remove_prefix(end + 1);
  }
  return made;
}

std::optional<std::chrono::minutes> parse_timezone(std::string_view text) {
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  int digits[4];
  for (std::size_t i = 0; i < 4; ++i) {
    if (text[i + 1] < '0' || text[i + 1] > '9') return std::nullopt;
    digits[i] = text[i + 1] - '0';
  }
  const int hours = digits[0] * 10 + digits[1];
  const int minutes = digits[2] * 10 + digits[3];
  if (hours > 23 || minutes > 59) return std::nullopt;
  return std::chrono::minutes((text[0] == '-' ? -1 : 1) * (hours * 60 + minutes));
}

}  // namespace securebase::monitoring::math
