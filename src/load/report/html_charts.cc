#include "load/report/html_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/markup.h"

namespace securebase::load {

Distribution Distribution::of(const telemetry::Sketch& sketch) {
  Distribution made;
  made.count = sketch.count();
  made.minimum = sketch.minimum().value_or(0);
  made.mean = sketch.average().value_or(0);
  made.maximum = sketch.maximum().value_or(0);
  for (const double percent : {50.0, 75.0, 90.0, 95.0, 99.0, 99.9}) {
    made.percentiles.emplace_back(percent, sketch.percentile(percent).value_or(0));
  }
  made.sketch = sketch;
  return made;
}

double Distribution::at(double percent) const {
  if (sketch) return sketch->percentile(percent).value_or(0);
  for (const auto& [known, value] : percentiles) {
    if (known >= percent) return value;
  }
  return maximum;
}

std::string time_text(double milliseconds) {
  const auto digits = [](double value, const char* unit) {
    return value >= 100  ? fmt::format("{:.0f} {}", value, unit)
           : value >= 10 ? fmt::format("{:.1f} {}", value, unit)
                         : fmt::format("{:.2f} {}", value, unit);
  };
  if (milliseconds <= 0) return "0 ms";
  if (milliseconds < 1) return digits(milliseconds * 1000, "µs");
  return milliseconds < 1000 ? digits(milliseconds, "ms") : digits(milliseconds / 1000, "s");
}

namespace {

// A drawing area with its axes; coordinates in pixels of the view box.
struct Frame {
  double width = 860;
  double height = 300;
  double left = 62;
  double right = 18;
  double top = 14;
  double bottom = 34;

  double inner_width() const { return width - left - right; }
  double inner_height() const { return height - top - bottom; }
  double x(double share) const { return left + share * inner_width(); }
  double y(double share) const { return top + (1 - share) * inner_height(); }

  std::string open(std::string_view label) const {
    return fmt::format("<div class=\"chart\"><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", width, height,
                       label);
  }
  static std::string close() { return "</svg></div>\n"; }
  std::string vertical(double share, std::string_view text) const {
    return fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
        "<text class=\"tick\" x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>",
        x(share), top, height - bottom, height - bottom + 19, text);
  }
  std::string horizontal(double share, std::string_view text) const {
    return fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"tick\" x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        left, width - right, y(share), left - 8, y(share) + 4, text);
  }
};

// Latency on a logarithmic scale, from a round value below the smallest to one above the largest.
struct LogScale {
  double low = 0.1;
  double high = 10;

  static LogScale around(double smallest, double largest) {
    LogScale scale;
    smallest = std::clamp(smallest, 1e-3, 1e7);
    largest = std::clamp(largest, smallest, 1e7);
    scale.low = round_down(smallest);
    scale.high = round_up(std::max(largest, scale.low * 3));
    return scale;
  }
  double share(double value) const {
    if (value <= low) return 0;
    return std::min(1.0, std::log(value / low) / std::log(high / low));
  }
  std::string axis(const Frame& frame) const {
    std::string out;
    const bool wide = high / low > 2000;
    for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high * 1.001; decade *= 10) {
      for (const double step : {1.0, 2.0, 5.0}) {
        const double value = decade * step;
        if (value < low * 0.999 || value > high * 1.001 || (wide && step != 1)) continue;
        out += frame.horizontal(share(value), round_text(value));
      }
    }
    return out;
  }

 private:
  static double round_down(double value) {
    const double decade = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {5.0, 2.0}) {
      if (decade * step <= value) return decade * step;
    }
    return decade;
  }
  static double round_up(double value) {
    const double decade = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {1.0, 2.0, 5.0}) {
      if (decade * step >= value) return decade * step;
    }
    return decade * 10;
  }
  static std::string round_text(double milliseconds) {
    if (milliseconds < 0.9995) return fmt::format("{:.0f} µs", milliseconds * 1000);
    return milliseconds < 999.5 ? fmt::format("{:.0f} ms", milliseconds) : fmt::format("{:.0f} s", milliseconds / 1000);
  }
};

std::string moment_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// Times on the horizontal axis, at a distance that people count in.
std::string time_axis(const Frame& frame, double seconds) {
  static constexpr std::array<double, 17> kSteps = {1,   2,    5,    10,     15,     30,     60,      120,    300,
                                                    600, 1800, 3600, 14'400, 43'200, 86'400, 259'200, 864'000};
  double step = 2'592'000;
  for (const double candidate : kSteps) {
    if (seconds / candidate <= 9) {
      step = candidate;
      break;
    }
  }
  std::string out;
  for (double at = 0; at <= seconds * 1.0001; at += step)
    out += frame.vertical(seconds > 0 ? at / seconds : 0, moment_text(at));
  return out;
}

double end_of(const ReportView& view) {
  return std::max(view.timeline.empty() ? 0.0 : view.timeline.back().end_s, 0.001);
}

// Of summaries without histograms a percentile of both cannot be known: the worse one is shown.
void take_worse(Distribution& into, const Distribution& other) {
  if (other.count == 0) return;
  if (into.count == 0) {
    into = other;
    return;
  }
  into.mean = (into.mean * static_cast<double>(into.count) + other.mean * static_cast<double>(other.count)) /
              static_cast<double>(into.count + other.count);
  into.count += other.count;
  into.minimum = std::min(into.minimum, other.minimum);
  into.maximum = std::max(into.maximum, other.maximum);
  for (auto& [percent, value] : into.percentiles) value = std::max(value, other.at(percent));
}

// Neighbours brought together, so that a picture has at most `most` columns.
std::vector<ReportView::Moment> thinned(const std::vector<ReportView::Moment>& timeline, std::size_t most) {
  const std::size_t each = (timeline.size() + most - 1) / most;
  if (each <= 1) return timeline;
  std::vector<ReportView::Moment> out;
  for (std::size_t i = 0; i < timeline.size(); i += each) {
    ReportView::Moment merged = timeline[i];
    telemetry::Sketch sketch;
    bool known = true;
    for (std::size_t k = i; k < std::min(i + each, timeline.size()); ++k) {
      const auto& one = timeline[k];
      if (k > i) {
        merged.end_s = one.end_s;
        merged.requests += one.requests;
        merged.errors += one.errors;
        merged.users += one.users;
        take_worse(merged.latency, one.latency);
      }
      known = known && (one.latency.sketch || one.latency.count == 0);
      if (one.latency.sketch) sketch.merge(*one.latency.sketch);
    }
    if (known && sketch.count() > 0) {
      merged.latency = Distribution::of(sketch);
    } else {
      merged.latency.sketch.reset();  // of a part of it
    }
    out.push_back(std::move(merged));
  }
  return out;
}

std::string heat(const Frame& frame, const LogScale& scale, const std::vector<ReportView::Moment>& moments,
                 double seconds) {
  constexpr int kRows = 34;
  std::vector<std::array<double, kRows>> cells(moments.size());
  double most = 0;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    cells[i].fill(0);
    if (!moments[i].latency.sketch) continue;
    const double width = std::max(moments[i].end_s - moments[i].begin_s, 0.001);
    for (const auto& bucket : moments[i].latency.sketch->buckets()) {
      const double value = bucket.index < 0 ? 0 : telemetry::Buckets::middle(bucket.index);
      const int row = std::clamp(static_cast<int>(scale.share(value) * kRows), 0, kRows - 1);
      cells[i][static_cast<std::size_t>(row)] += static_cast<double>(bucket.count) / width;
    }
    most = std::max(most, *std::max_element(cells[i].begin(), cells[i].end()));
  }
  std::string out = "<g class=\"heat\">";
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const double x0 = frame.x(moments[i].begin_s / seconds);
    const double x1 = frame.x(std::min(1.0, moments[i].end_s / seconds));
    for (int row = 0; row < kRows; ++row) {
      const double count = cells[i][static_cast<std::size_t>(row)];
      if (count <= 0) continue;
      const double share = std::log1p(count * 20) / std::log1p(most * 20);
      const double y1 = frame.y(static_cast<double>(row) / kRows);
      const double y0 = frame.y(static_cast<double>(row + 1) / kRows);
      fmt::format_to(std::back_inserter(out),
                     "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill-opacity=\"{:.2f}\"/>", x0,
                     y0, std::max(x1 - x0 - 0.3, 0.6), y1 - y0 - 0.3, 0.10 + 0.85 * share);
    }
  }
  return out + "</g>";
}

template <class Value>
std::string line_over_time(const Frame& frame, const std::vector<ReportView::Moment>& moments, double seconds,
                           std::string_view name, const Value& share_of) {
  std::string points;
  for (const auto& moment : moments) {
    const auto share = share_of(moment);
    if (share < 0) continue;
    fmt::format_to(std::back_inserter(points), "{}{:.1f},{:.1f}", points.empty() ? "" : " ",
                   frame.x((moment.begin_s + moment.end_s) / 2 / seconds), frame.y(share));
  }
  return fmt::format("<polyline class=\"{}\" points=\"{}\"/>", name, points);
}

}  // namespace

std::string percentile_chart(const std::vector<ReportView::Curve>& curves) {
  Frame frame;
  double smallest = 1e9;
  double largest = 0;
  std::uint64_t count = 0;
  for (const auto& curve : curves) {
    if (curve.distribution.count == 0) continue;
    smallest = std::min(smallest, std::max(curve.distribution.minimum, 0.001));
    largest = std::max(largest, curve.distribution.maximum);
    count = std::max(count, curve.distribution.count);
  }
  if (count == 0) return "<p class=\"none\">No answer was measured.</p>\n";
  const LogScale scale = LogScale::around(smallest, largest);
  // As many nines as there are samples for: p99.99 of a hundred samples is their maximum.
  const double nines = std::clamp(std::log10(static_cast<double>(count)), 1.0, 5.0);
  const auto place = [&](double percent) {
    return -std::log10(std::max(1 - percent / 100, std::pow(10, -nines))) / nines;
  };
  std::string out = frame.open("Latency by percentile") + scale.axis(frame);
  for (const auto& [percent, label] : std::initializer_list<std::pair<double, const char*>>{{0, "min"},
                                                                                            {50, "p50"},
                                                                                            {90, "p90"},
                                                                                            {99, "p99"},
                                                                                            {99.9, "p99.9"},
                                                                                            {99.99, "p99.99"},
                                                                                            {99.999, "p99.999"}}) {
    if (percent == 0 || -std::log10(1 - percent / 100) <= nines + 0.001) out += frame.vertical(place(percent), label);
  }
  int number = 0;
  std::string legend;
  for (const auto& curve : curves) {
    if (curve.distribution.count == 0) continue;
    ++number;
    std::string points;
    const auto add = [&](double percent, double value) {
      fmt::format_to(std::back_inserter(points), "{}{:.1f},{:.1f}", points.empty() ? "" : " ", frame.x(place(percent)),
                     frame.y(scale.share(value)));
    };
    if (curve.distribution.sketch) {
      for (int i = 0; i <= 160; ++i) {
        const double percent = 100 * (1 - std::pow(10, -nines * i / 160));
        add(percent, curve.distribution.at(percent));
      }
    } else {
      add(0, curve.distribution.minimum);
      for (const auto& [percent, value] : curve.distribution.percentiles) add(percent, value);
      add(100, curve.distribution.maximum);
    }
    out += fmt::format("<polyline class=\"line c{}\" points=\"{}\"/>", number, points);
    legend +=
        fmt::format("<span class=\"key\"><i class=\"c{}\"></i>{}</span>", number, base::markup_escaped(curve.label));
  }
  return out + Frame::close() + fmt::format("<p class=\"legend\">{}</p>\n", legend);
}

std::string latency_chart(const ReportView& view) {
  Frame frame;
  const auto moments = thinned(view.timeline, 120);
  const double seconds = end_of(view);
  double smallest = 1e9;
  double largest = 0;
  bool histograms = false;
  for (const auto& moment : moments) {
    if (moment.latency.count == 0) continue;
    smallest = std::min(smallest, std::max(moment.latency.minimum, 0.001));
    largest = std::max(largest, moment.latency.maximum);
    histograms = histograms || moment.latency.sketch.has_value();
  }
  if (largest == 0) return "<p class=\"none\">No answer was measured.</p>\n";
  const LogScale scale = LogScale::around(smallest, largest);
  std::string out = frame.open("Latency over time") + scale.axis(frame) + time_axis(frame, seconds);
  if (histograms) out += heat(frame, scale, moments, seconds);
  for (const auto& [percent, name] :
       std::initializer_list<std::pair<double, const char*>>{{50, "line p50"}, {95, "line p95"}, {99, "line p99"}}) {
    out += line_over_time(frame, moments, seconds, name, [&](const ReportView::Moment& moment) {
      return moment.latency.count == 0 ? -1.0 : scale.share(moment.latency.at(percent));
    });
  }
  return out + Frame::close() +
         fmt::format(
             "<p class=\"legend\"><span class=\"key\"><i class=\"p50\"></i>p50</span><span class=\"key\"><i "
             "class=\"p95\">"
             "</i>p95</span><span class=\"key\"><i class=\"p99\"></i>p99</span>{}</p>\n",
             histograms ? "<span class=\"key\"><i class=\"heat\"></i>the darker, the more answers</span>" : "");
}

std::string rate_chart(const ReportView& view) {
  Frame frame;
  frame.height = 210;
  auto moments = thinned(view.timeline, 240);
  // The last stretch may be an instant, in which an answer or two would be a rate of thousands.
  if (moments.size() > 1) {
    auto& last = moments[moments.size() - 1];
    auto& before = moments[moments.size() - 2];
    if (last.end_s - last.begin_s < (before.end_s - before.begin_s) / 2) {
      before.end_s = last.end_s;
      before.requests += last.requests;
      before.errors += last.errors;
      moments.pop_back();
    }
  }
  const double seconds = end_of(view);
  const auto rate = [](const ReportView::Moment& moment, double count) {
    return count / std::max(moment.end_s - moment.begin_s, 0.001);
  };
  double most = 0;
  for (const auto& moment : moments)
    most = std::max({most, rate(moment, moment.requests), rate(moment, moment.errors)});
  if (most == 0) return "<p class=\"none\">Nothing was sent.</p>\n";
  const double decade = std::pow(10, std::floor(std::log10(most)));
  const double step = most / decade > 5 ? decade * 2 : most / decade > 2 ? decade : decade / 2;
  const double top = std::ceil(most / step) * step;
  std::string out = frame.open("Requests a second over time") + time_axis(frame, seconds);
  for (double value = 0; value <= top * 1.001; value += step) {
    out += frame.horizontal(value / top, fmt::format("{:g}/s", std::round(value * 1000) / 1000));
  }
  std::string area = fmt::format("{:.1f},{:.1f}", frame.x(0), frame.y(0));
  for (const auto& moment : moments) {
    area += fmt::format(" {:.1f},{:.1f} {:.1f},{:.1f}", frame.x(moment.begin_s / seconds),
                        frame.y(rate(moment, moment.requests) / top), frame.x(moment.end_s / seconds),
                        frame.y(rate(moment, moment.requests) / top));
  }
  area += fmt::format(" {:.1f},{:.1f}", frame.x(1), frame.y(0));
  out += fmt::format("<polygon class=\"area\" points=\"{}\"/>", area);
  out += line_over_time(frame, moments, seconds, "line bad", [&](const ReportView::Moment& moment) {
    return moment.errors > 0 ? rate(moment, moment.errors) / top : 0.0;
  });
  return out + Frame::close() +
         "<p class=\"legend\"><span class=\"key\"><i class=\"area\"></i>requests</span><span class=\"key\"><i "
         "class=\"bad\"></i>"
         "errors</span></p>\n";
}

}  // namespace securebase::load
