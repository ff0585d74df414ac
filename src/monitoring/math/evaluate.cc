// Running a compiled set of queries over a window.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "monitoring/math/functions.h"
#include "monitoring/math/program.h"
#include "monitoring/math/search.h"

namespace securebase::monitoring::math {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostPoints = 1'000'000;  // of all series that one run makes: a graph shows far fewer

base::TimePoint align_down(base::TimePoint time, std::chrono::seconds period, std::chrono::seconds phase) {
  const auto since = time.time_since_epoch() - phase;
  auto past = since % std::chrono::microseconds(period);
  if (past.count() < 0) past += period;
  return time - past;
}

// Those dimensions in which the found metrics differ, after the name if that differs too.
void label(Array& series, const std::vector<MetricId>& metrics) {
  const bool names_differ = std::any_of(metrics.begin(), metrics.end(),
                                        [&](const MetricId& metric) { return metric.name != metrics[0].name; });
  std::map<std::string, std::string> first;
  std::map<std::string, bool> differs;
  for (const auto& metric : metrics) {
    for (const auto& [name, value] : metric.dimensions) {
      const auto [at, added] = first.try_emplace(name, value);
      if (!added && at->second != value) differs[name] = true;
    }
  }
  for (std::size_t i = 0; i < series.size(); ++i) {
    std::string text;
    for (const auto& [name, value] : metrics[i].dimensions) {
      if (differs[name]) text += (text.empty() ? "" : " ") + value;
    }
    if (names_differ || text.empty()) text = metrics[i].name + (text.empty() ? "" : " " + text);
    series[i].label = std::move(text);
  }
}

}  // namespace

class Evaluator {
 public:
  Evaluator(const Program& program, const Series& series, const Window& window, Bands& bands)
      : program_(program), series_(series), window_(window), bands_(bands), values_(program.queries_.size()) {}

  Result<Value> value(std::size_t query) {
    if (values_[query]) return *values_[query];
    auto made = compute(query);
    if (!made) return made;
    if (auto* series = std::get_if<TimeSeries>(&*made); series && series->label.empty()) {
      series->label = program_.queries_[query].id;
    }
    values_[query] = std::move(*made);
    return *values_[query];
  }

 private:
  Result<Value> compute(std::size_t query) {
    const auto& asked = program_.queries_[query];
    if (asked.metric_stat) {
      auto read_series =
          read(asked.metric_stat->metric, asked.metric_stat->stat, asked.metric_stat->period, asked.metric_stat->unit);
      if (!read_series) return read_series.error();
      read_series->label = asked.metric_stat->metric.name;
      return Value(std::move(*read_series));
    }
    const auto& expression = program_.expressions_[query];
    query_ = query;
    auto made = evaluate(expression, expression.root());
    if (!made) return made;
    if (auto done = count(*made); !done) return done.error();
    if (auto* series = std::get_if<TimeSeries>(&*made)) series->label = asked.id;
    return made;
  }

  Result<TimeSeries> read(const MetricId& metric, const std::string& stat, std::chrono::seconds period,
                          const std::optional<std::string>& unit) {
    if (window_.period.count() > 0) period = window_.period;
    MetricQuery asked;
    asked.metric = metric;
    asked.statistic = stat;
    asked.unit = unit;
    asked.period = period;
    asked.phase = window_.phase % period;
    asked.from = window_.from;
    asked.to = window_.to;
    auto points = series_.read(asked);
    if (!points) return points.error();
    if (auto done = count(points->size()); !done) return done.error();
    TimeSeries made{metric.name, period, {}};
    made.data.reserve(points->size());
    for (const auto& point : *points) made.data.push_back({point.start, point.value});
    return made;
  }

  // Expressions of expressions can grow without end.
  Result<Done> count(std::size_t points) {
    points_ += points;
    if (points_ <= kMostPoints) return Done{};
    return Error{Errc::kLimit, fmt::format("more than {} points; ask for a longer period or less time", kMostPoints)};
  }
  Result<Done> count(const Value& value) {
    if (const auto* series = std::get_if<TimeSeries>(&value)) return count(series->data.size());
    const auto* many = std::get_if<Array>(&value);
    std::size_t points = 0;
    if (many) {
      for (const auto& one : *many) points += one.data.size() + 1;
    }
    return count(points);
  }

  Result<Value> evaluate(const Expression& expression, const Node& node) {
    switch (node.kind) {
      case Node::Kind::kNumber:
        return Value(node.number);
      case Node::Kind::kText:
        return Error{Errc::kMalformed, "a text is no value"};
      case Node::Kind::kName: {
        const auto outer = query_;
        auto made = value(program_.place(node.text));
        query_ = outer;
        return made;
      }
      case Node::Kind::kNegate: {
        auto inner = evaluate(expression, expression.child(node, 0));
        return inner ? Result<Value>(negate(*inner)) : inner;
      }
      case Node::Kind::kBinary: {
        auto left = evaluate(expression, expression.child(node, 0));
        if (!left) return left;
        auto right = evaluate(expression, expression.child(node, 1));
        if (!right) return right;
        return apply(node.op, *left, *right);
      }
      case Node::Kind::kList: {
        Array made;
        for (const auto i : node.children) {
          auto one = evaluate(expression, expression.nodes[i]);
          if (!one) return one;
          if (auto done = count(*one); !done) return done.error();
          if (auto* series = std::get_if<TimeSeries>(&*one)) made.push_back(std::move(*series));
          if (auto* many = std::get_if<Array>(&*one)) std::move(many->begin(), many->end(), std::back_inserter(made));
        }
        return Value(std::move(made));
      }
      case Node::Kind::kCall:
        break;
    }
    const std::string& name = node.text;
    if (name == "SEARCH") return search(expression, node);
    if (name == "METRICS") return metrics(node.children.empty() ? "" : expression.child(node, 0).text);
    if (name == "ANOMALY_DETECTION_BAND") return band(expression, node);
    std::vector<Value> arguments;
    for (const auto i : node.children) {
      const auto& child = expression.nodes[i];
      // Words such as DESC or REPEAT are no values.
      if (child.kind == Node::Kind::kName && program_.place(child.text) == program_.queries_.size()) {
        arguments.emplace_back(0.0);
        continue;
      }
      auto argument = evaluate(expression, child);
      if (!argument) return argument;
      arguments.push_back(std::move(*argument));
    }
    return call(expression, node, arguments);
  }

  Result<Value> call(const Expression& expression, const Node& node, std::vector<Value>& arguments) {
    const std::string& name = node.text;
    if (is_map(name)) return map(name, arguments[0]);
    if (is_aggregate(name)) return aggregate(name, arguments[0]);
    if (is_time(name)) return time_part(name, std::get<TimeSeries>(arguments[0]));
    if (name == "PERIOD") return Value(static_cast<double>(std::get<TimeSeries>(arguments[0]).period.count()));
    if (name == "IF") return choose(arguments[0], arguments[1], arguments.size() == 3 ? &arguments[2] : nullptr);
    if (name == "TIME_SERIES") {
      if (auto done = count(periods(own_period())); !done) return done.error();
      return Value(constant(std::get<double>(arguments[0])));
    }
    if (name == "FILL") return fill(expression.child(node, 1), arguments[0], arguments[1]);
    auto& array = std::get<Array>(arguments[0]);
    if (name == "METRIC_COUNT") return Value(static_cast<double>(array.size()));
    if (name == "FIRST") return Value(array.empty() ? TimeSeries{} : array.front());
    if (name == "LAST") return Value(array.empty() ? TimeSeries{} : array.back());
    if (name == "REMOVE_EMPTY") {
      std::erase_if(array, [](const TimeSeries& series) { return series.data.empty(); });
      return Value(std::move(array));
    }
    const auto whole = [&](std::size_t i, std::size_t fallback) {
      const double number = i < arguments.size() ? std::get<double>(arguments[i]) : static_cast<double>(fallback);
      return number > 0 ? static_cast<std::size_t>(std::min(number, 1e9)) : std::size_t{0};
    };
    if (name == "SORT") {
      const std::size_t most = whole(3, array.size());  // before the array moves
      return Value(
          sort(std::move(array), expression.child(node, 1).text, expression.child(node, 2).text == "ASC", most));
    }
    // SLICE(array, index) is one series; SLICE(array, from, to) leaves out `to`.
    const auto from = std::min(whole(1, 0), array.size());
    if (arguments.size() == 2) return Value(from < array.size() ? array[from] : TimeSeries{});
    const auto to = std::clamp(whole(2, 0), from, array.size());
    return Value(
        Array(array.begin() + static_cast<std::ptrdiff_t>(from), array.begin() + static_cast<std::ptrdiff_t>(to)));
  }

  // The period of what has none of its own.
  std::chrono::seconds own_period() const {
    if (window_.period.count() > 0) return window_.period;
    if (program_.queries_[query_].period) return *program_.queries_[query_].period;
    std::chrono::seconds longest{0};
    for (const auto& query : program_.queries_) {
      if (query.metric_stat) longest = std::max(longest, query.metric_stat->period);
    }
    return longest.count() > 0 ? longest : 300s;
  }

  std::size_t periods(std::chrono::seconds period) const {
    return window_.to > window_.from ? static_cast<std::size_t>((window_.to - window_.from) / period) : 0;
  }
  template <class F>
  void each_period(std::chrono::seconds period, F take) const {
    auto time = align_down(window_.from, period, window_.phase % period);
    if (time < window_.from) time += period;
    for (; time < window_.to; time += period) take(time);
  }

  TimeSeries constant(double number) {
    TimeSeries made{"", own_period(), {}};
    if (!std::isfinite(number)) return made;
    each_period(made.period, [&](base::TimePoint time) { made.data.push_back({time, number}); });
    return made;
  }

  Result<Value> fill(const Node& filler, const Value& value, const Value& with) {
    if (const auto* many = std::get_if<Array>(&value)) {
      Array made;
      for (const auto& one : *many) {
        if (auto done = count(periods(one.period)); !done) return done.error();
        made.push_back(fill_one(filler, one, with));
      }
      return Value(std::move(made));
    }
    if (auto done = count(periods(std::get<TimeSeries>(value).period)); !done) return done.error();
    return Value(fill_one(filler, std::get<TimeSeries>(value), with));
  }

  TimeSeries fill_one(const Node& filler, const TimeSeries& series, const Value& with) {
    const bool repeats = filler.kind == Node::Kind::kName && filler.text == "REPEAT";
    const bool interpolates = filler.kind == Node::Kind::kName && filler.text == "LINEAR";
    TimeSeries made{series.label, series.period, {}};
    const auto* other = std::get_if<TimeSeries>(&with);
    std::map<base::TimePoint, double> others;
    if (other) {
      for (const auto& datum : other->data) others[datum.time] = datum.value;
    }
    std::size_t next = 0;  // the first point that is not before the time
    each_period(series.period, [&](base::TimePoint time) {
      while (next < series.data.size() && series.data[next].time < time) ++next;
      const Datum* after = next < series.data.size() ? &series.data[next] : nullptr;
      const Datum* before = next > 0 ? &series.data[next - 1] : nullptr;
      if (after && after->time == time) {
        made.data.push_back(*after);
      } else if (repeats) {
        if (before) made.data.push_back({time, before->value});
      } else if (interpolates) {
        if (!before || !after) return;
        const double share = std::chrono::duration<double>(time - before->time) / (after->time - before->time);
        made.data.push_back({time, before->value + (after->value - before->value) * share});
      } else if (other) {
        if (const auto at = others.find(time); at != others.end()) made.data.push_back({time, at->second});
      } else if (std::isfinite(std::get<double>(with))) {
        made.data.push_back({time, std::get<double>(with)});
      }
    });
    return made;
  }

  Result<Value> metrics(std::string_view held) {
    Array made;
    for (std::size_t i = 0; i < program_.queries_.size(); ++i) {
      const auto& query = program_.queries_[i];
      if (!query.metric_stat || query.id.find(held) == std::string::npos) continue;
      auto one = value(i);
      if (!one) return one;
      made.push_back(std::get<TimeSeries>(*one));
    }
    return Value(std::move(made));
  }

  Result<Value> search(const Expression& expression, const Node& node) {
    auto parsed = Search::parse(expression.child(node, 0).text);
    if (!parsed) return parsed.error();
    const auto period =
        node.children.size() == 3
            ? std::chrono::seconds(static_cast<std::int64_t>(expression.child(node, 2).number))
            : program_.queries_[query_].period.value_or(window_.period.count() > 0 ? window_.period : 300s);
    Array made;
    std::vector<MetricId> found;
    for (auto& metric : series_.list(parsed->filter())) {
      if (!parsed->finds(metric)) continue;
      auto one = read(metric, expression.child(node, 1).text, period, std::nullopt);
      if (!one) return one.error();
      made.push_back(std::move(*one));
      found.push_back(std::move(metric));
      if (made.size() == kSearchResults) break;
    }
    label(made, found);
    return Value(std::move(made));
  }

  // Lower and upper bound, of the points of the window's periods.
  Result<Value> band(const Expression& expression, const Node& node) {
    const Node& about = expression.child(node, 0);
    const double width = node.children.size() == 2 ? expression.child(node, 1).number : 2;
    auto now = evaluate(expression, about);
    if (!now) return now;
    const auto& series = std::get<TimeSeries>(*now);
    if (auto done = count(2 * periods(series.period)); !done) return done.error();
    auto model = trained(expression, about, series.period);
    if (!model) return model.error();
    Array made{{series.label + " Lower", series.period, {}}, {series.label + " Upper", series.period, {}}};
    each_period(series.period, [&](base::TimePoint time) {
      const auto usual = (*model)->usual(time);
      if (!usual) return;
      made[0].data.push_back({time, usual->centre - width * usual->spread});
      made[1].data.push_back({time, usual->centre + width * usual->spread});
    });
    return Value(std::move(made));
  }

  // By the two weeks before the hour in which the window ends; while there is less than an hour of data, by all of it.
  Result<std::shared_ptr<const BandModel>> trained(const Expression& expression, const Node& about,
                                                   std::chrono::seconds period) {
    const auto hour = std::chrono::floor<std::chrono::hours>(window_.to);
    const std::string key =
        fmt::format("{}/{}/{}", hour.time_since_epoch().count(), period.count(), key_of(expression, about));
    if (auto kept = bands_.find(key)) return kept;
    auto model = train(expression, about, period, hour);
    if (!model) return model;
    if (!(*model)->trained()) return train(expression, about, period, window_.to);
    bands_.keep(key, *model);
    return model;
  }

  Result<std::shared_ptr<const BandModel>> train(const Expression& expression, const Node& about,
                                                 std::chrono::seconds period, base::TimePoint to) {
    Window past = window_;
    past.from = to - kBandPast;
    past.to = to;
    past.phase = 0s;
    Evaluator evaluator(program_, series_, past, bands_);
    evaluator.query_ = query_;
    auto value = evaluator.evaluate(expression, about);
    if (!value) return value.error();
    auto& data = std::get<TimeSeries>(*value).data;
    if (about.kind == Node::Kind::kName) {
      const auto& query = program_.queries_[program_.place(about.text)];
      if (query.metric_stat) {
        for (const auto& [from, until] : bands_.excluded(*query.metric_stat)) {
          std::erase_if(data, [&](const Datum& datum) { return datum.time >= from && datum.time < until; });
        }
      }
    }
    return std::make_shared<const BandModel>(data, period);
  }

  // The same text for the same numbers: the node itself, and what all ids that it reaches stand for.
  std::string key_of(const Expression& expression, const Node& node) const {
    std::string key;
    std::vector<bool> reached(program_.queries_.size());
    std::vector<std::size_t> open;
    write_key(expression, node, key, reached, open);
    while (!open.empty()) {
      const auto place = open.back();
      open.pop_back();
      const auto& query = program_.queries_[place];
      key += fmt::format(";{}=", query.id);
      if (const auto& stat = query.metric_stat) {
        key +=
            fmt::format("{}|{}|{}|{}", stat->metric.name_space, stat->metric.name, stat->stat, stat->unit.value_or(""));
        for (const auto& [name, value] : stat->metric.dimensions) key += fmt::format("|{}={}", name, value);
      } else {
        write_key(program_.expressions_[place], program_.expressions_[place].root(), key, reached, open);
      }
    }
    return key;
  }

  void write_key(const Expression& expression, const Node& node, std::string& key, std::vector<bool>& reached,
                 std::vector<std::size_t>& open) const {
    key += fmt::format("{}:{}:{}:{}[", static_cast<int>(node.kind), static_cast<int>(node.op), node.number, node.text);
    if (const auto place = program_.place(node.text);
        node.kind == Node::Kind::kName && place < reached.size() && !reached[place]) {
      reached[place] = true;
      open.push_back(place);
    }
    for (const auto i : node.children) write_key(expression, expression.nodes[i], key, reached, open);
    key += "]";
  }

  const Program& program_;
  const Series& series_;
  const Window window_;
  Bands& bands_;
  std::vector<std::optional<Value>> values_;
  std::size_t query_ = 0;  // whose expression is under way
  std::size_t points_ = 0;
};

Result<Value> Program::run(std::size_t query, const Series& series, const Window& window, Bands& bands) const {
  return Evaluator(*this, series, window, bands).value(query);
}

Result<std::vector<Value>> Program::run(const std::vector<std::size_t>& queries, const Series& series,
                                        const Window& window, Bands& bands) const {
  Evaluator evaluator(*this, series, window, bands);
  std::vector<Value> made;
  for (const auto query : queries) {
    auto value = evaluator.value(query);
    if (!value) return value.error();
    made.push_back(std::move(*value));
  }
  return made;
}

}  // namespace securebase::monitoring::math
