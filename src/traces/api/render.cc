#include "traces/api/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <unordered_set>

namespace securebase::traces {

namespace {

constexpr std::size_t kBar = 24;

double seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

constexpr int kDeepest = 60;
constexpr std::size_t kMessageBytes = 200;

// Documents are foreign, and a terminal obeys control characters. Cut between characters.
std::string visible(std::string_view text, std::size_t most = 1000) {
  std::size_t size = std::min(text.size(), most);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  std::string out(text.substr(0, size));
  for (auto& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  // C1 controls, as UTF-8 has them.
  for (auto at = out.find('\xc2'); at != std::string::npos && at + 1 < out.size(); at = out.find('\xc2', at + 1)) {
    if (static_cast<unsigned char>(out[at + 1]) < 0xa0) out.replace(at, 2, "  ");
  }
  return out;
}

std::string status_text(const Segment& segment) {
  std::string text = segment.http.status != 0 ? std::to_string(segment.http.status) : "";
  const char* flag = segment.fault ? "fault" : segment.throttle ? "throttle" : segment.error ? "error" : "";
  if (*flag) text += text.empty() ? flag : fmt::format(" {}", flag);
  return text;
}

// Where in the trace it lies, as a line of so many characters.
std::string bar(double from, double length, double whole) {
  if (whole <= 0) whole = 1;
  const auto begin = std::min<std::size_t>(static_cast<std::size_t>(std::max(from, 0.0) / whole * kBar), kBar - 1);
  const auto size = std::clamp<std::size_t>(static_cast<std::size_t>(length / whole * kBar + 0.5), 1, kBar - begin);
  std::string text(kBar, '.');
  for (std::size_t i = 0; i < size; ++i) text[begin + i] = '#';
  return text;
}

std::string label(const Segment& segment) {
  std::string text = visible(segment.name);
  if (!segment.origin.empty()) text += fmt::format(" ({})", visible(segment.origin));
  return text;
}

// `shown`: each segment is shown once, whatever foreign documents say of their parents.
void render_segment(std::string& out, const Segment& segment, const TraceTimes& times, int level,
                    std::span<const Segment> tops, std::unordered_set<const Segment*>& shown) {
  if (level > kDeepest || !shown.insert(&segment).second) return;
  fmt::format_to(std::back_inserter(out), "{}  {:>9}  {}{}{}\n",
                 bar(segment.begin - times.begin, segment.duration(), times.duration),
                 duration_text(segment.duration()), std::string(static_cast<std::size_t>(level) * 2, ' '),
                 label(segment), status_text(segment).empty() ? "" : fmt::format("  [{}]", status_text(segment)));
  for (const auto& one : segment.exceptions) {
    fmt::format_to(std::back_inserter(out), "{:{}}{}: {}\n", "", kBar + 13 + static_cast<std::size_t>(level) * 2 + 2,
                   visible(one.type, kMessageBytes), visible(one.message, kMessageBytes));
  }
  for (const auto& link : segment.links) {
    fmt::format_to(std::back_inserter(out), "{:{}}linked to {}\n", "",
                   kBar + 13 + static_cast<std::size_t>(level) * 2 + 2, link.trace.text());
  }
  std::vector<const Segment*> inner;
  for (const auto& each : segment.subsegments) inner.push_back(&each);
  for (const auto& top : tops) {
    if (!top.subsegment && top.parent_id == segment.id) inner.push_back(&top);
  }
  std::ranges::stable_sort(inner, {}, &Segment::begin);
  for (const auto* each : inner) render_segment(out, *each, times, level + 1, tops, shown);
}

// Own time of every hop of a trace, by its way from the top.
void add_paths(const Segment& segment, const std::string& above, std::span<const Segment> tops, int level,
               std::map<std::string, double>& own, std::unordered_set<const Segment*>& visited) {
  if (!visited.insert(&segment).second) return;  // ids are foreign: one may be named by many
  const std::string name = visible(segment.name);
  const std::string path = above.empty() ? name : above + " > " + name;
  std::vector<std::pair<double, double>> covered;
  const auto cover = [&](const Segment& inner) {
    covered.emplace_back(std::max(inner.begin, segment.begin), std::min(inner.end, segment.end));
    if (level < kDeepest) add_paths(inner, path, tops, level + 1, own, visited);
  };
  for (const auto& inner : segment.subsegments) cover(inner);
  for (const auto& top : tops) {
    if (!top.subsegment && top.parent_id == segment.id) cover(top);
  }
  std::ranges::sort(covered);
  double left = segment.duration();
  double at = segment.begin;
  for (const auto& [from, to] : covered) {
    if (to <= at) continue;
    left -= to - std::max(from, at);
    at = to;
  }
  own[path] += std::max(left, 0.0);
}

}  // namespace

std::string duration_text(double seconds) {
  // By what they are rounded to: 999.7 us are a millisecond.
  if (seconds >= 0.999995) return fmt::format("{:.2f} s", seconds);
  if (seconds >= 0.0009995) return fmt::format("{:.2f} ms", seconds * 1e3);
  return fmt::format("{:.0f} us", seconds * 1e6);
}

std::string render_list(std::span<const Trace> traces) {
  std::string out = fmt::format("{:<35}  {:<23}  {:>9}  {:<14}  {:<28}  {}\n", "TRACE", "BEGAN", "TOOK", "STATUS",
                                "KEPT FOR", "REQUEST");
  for (const auto& trace : traces) {
    const auto times = times_of(trace);
    const auto begin = base::TimePoint{std::chrono::microseconds{static_cast<std::int64_t>(times.begin * 1e6)}};
    const auto* root = times.root;
    const std::string request = !root                    ? std::string("?")
                                : root->http.url.empty() ? visible(root->name)
                                                         : visible(root->http.method + " " + root->http.url);
    fmt::format_to(std::back_inserter(out), "{:<35}  {:<23}  {:>9}  {:<14}  {:<28}  {}\n", trace.id.text(),
                   base::iso8601_millis(begin).substr(0, 23), duration_text(times.duration),
                   root ? status_text(*root) : "", reasons_text(trace.reasons), request);
  }
  return out;
}

std::string render_trace(const Trace& trace) {
  const auto times = times_of(trace);
  const auto begin = base::TimePoint{std::chrono::microseconds{static_cast<std::int64_t>(times.begin * 1e6)}};
  std::string out =
      fmt::format("{}  {}  {}{}\n\n", trace.id.text(), base::iso8601_millis(begin), duration_text(times.duration),
                  trace.reasons == 0 ? "" : fmt::format("  kept for: {}", reasons_text(trace.reasons)));
  std::map<std::string, bool> ids;
  for (const auto& top : trace.segments) {
    for_each_segment(top, [&](const Segment& segment) { ids[segment.id] = true; });
  }
  std::unordered_set<const Segment*> shown;
  for (const auto& top : trace.segments) {
    // What another segment here called stands below that one.
    if (top.subsegment || !ids.contains(top.parent_id) || top.parent_id == top.id) {
      render_segment(out, top, times, 0, trace.segments, shown);
    }
  }
  // Those that call each other in a circle.
  for (const auto& top : trace.segments) render_segment(out, top, times, 0, trace.segments, shown);
  return out;
}

std::string render_routes(const Counts& counts) {
  std::vector<std::pair<std::string, const RouteCounts*>> routes;
  for (const auto& [name, route] : counts.routes) routes.emplace_back(name, &route);
  std::ranges::sort(routes, std::greater<>(), [](const auto& route) { return route.second->total.percentile(95); });
  std::string out = fmt::format("{:>10}  {:>9}  {:>9}  {:>6}  {:<44}  {}\n", "REQUESTS", "P50", "P95", "FAULTS",
                                "ROUTE", "WHERE THE P95 WENT");
  for (const auto& [name, route] : routes) {
    const auto shares = route->shares(92.5, 97.5);
    nanoseconds whole{0};
    std::vector<std::pair<nanoseconds, std::size_t>> order;
    for (std::size_t i = 0; i < kParts; ++i) {
      whole += shares[i];
      order.emplace_back(shares[i], i);
    }
    std::ranges::sort(order, std::greater<>());
    std::string went;
    for (std::size_t i = 0; i < 3 && order[i].first.count() * 20 > whole.count(); ++i) {
      went += fmt::format("{}{} {:.0f} %", went.empty() ? "" : ", ", to_string(static_cast<Part>(order[i].second)),
                          100.0 * static_cast<double>(order[i].first.count()) / static_cast<double>(whole.count()));
    }
    fmt::format_to(std::back_inserter(out), "{:>10}  {:>9}  {:>9}  {:>6}  {:<44}  {}\n", route->total.count(),
                   duration_text(seconds(route->total.percentile(50))),
                   duration_text(seconds(route->total.percentile(95))), route->faults, name, went);
  }
  return out;
}

std::string render_route(const std::string& name, const RouteCounts& route) {
  std::string out = fmt::format(
      "{}\n{} requests, {} faults, {} errors, {} throttled, {} cold starts; p50 {}, p95 {}, p99 {}\n\n", name,
      route.total.count(), route.faults, route.errors, route.throttles, route.cold_starts,
      duration_text(seconds(route.total.percentile(50))), duration_text(seconds(route.total.percentile(95))),
      duration_text(seconds(route.total.percentile(99))));
  const auto normal = route.shares(25, 75);
  const auto slow = route.shares(92.5, 97.5);
  nanoseconds whole{0};
  for (const auto share : slow) whole += share;
  fmt::format_to(std::back_inserter(out), "{:<26}  {:>12}  {:>12}  {:>8}  {:>12}  {:>10}\n", "PART", "AROUND P50",
                 "AROUND P95", "OF P95", "ITS OWN P95", "IN REQUESTS");
  for (std::size_t i = 0; i < kParts; ++i) {
    if (route.own[i].count() == 0) continue;
    const double share =
        whole.count() == 0 ? 0 : 100.0 * static_cast<double>(slow[i].count()) / static_cast<double>(whole.count());
    fmt::format_to(std::back_inserter(out), "{:<26}  {:>12}  {:>12}  {:>6.1f} %  {:>12}  {:>10}\n",
                   to_string(static_cast<Part>(i)), duration_text(seconds(normal[i])), duration_text(seconds(slow[i])),
                   share, duration_text(seconds(route.own[i].percentile(95))), route.own[i].count());
  }
  nanoseconds middle{0};
  for (const auto part : normal) middle += part;
  fmt::format_to(std::back_inserter(out), "{:<26}  {:>12}  {:>12}\n", "together", duration_text(seconds(middle)),
                 duration_text(seconds(whole)));
  return out;
}

std::vector<HopDifference> compare(std::span<const Trace> normal, std::span<const Trace> slow) {
  std::map<std::string, HopDifference> hops;
  const auto add = [&](std::span<const Trace> traces, double HopDifference::*sum, std::size_t HopDifference::*seen) {
    for (const auto& trace : traces) {
      std::map<std::string, double> own;
      const auto times = times_of(trace);
      std::unordered_set<const Segment*> visited;
      if (times.root) add_paths(*times.root, "", trace.segments, 0, own, visited);
      for (const auto& [path, time] : own) {
        hops[path].*sum += time / static_cast<double>(traces.size());
        ++(hops[path].*seen);
      }
    }
  };
  add(normal, &HopDifference::normal, &HopDifference::in_normal);
  add(slow, &HopDifference::slow, &HopDifference::in_slow);
  std::vector<HopDifference> list;
  for (auto& [path, hop] : hops) {
    hop.path = path;
    list.push_back(std::move(hop));
  }
  std::ranges::stable_sort(list, std::greater<>(), &HopDifference::difference);
  return list;
}

std::string render_comparison(std::span<const HopDifference> hops, std::size_t normal, std::size_t slow) {
  std::string out = fmt::format(
      "{} slow traces against {} normal ones; own time of each hop, the largest difference first\n\n", slow, normal);
  fmt::format_to(std::back_inserter(out), "{:>10}  {:>10}  {:>11}  {:<18}  {}\n", "NORMAL", "SLOW", "DIFFERENCE",
                 "IN NORMAL, SLOW", "HOP");
  for (const auto& hop : hops) {
    fmt::format_to(std::back_inserter(out), "{:>10}  {:>10}  {:>11}  {:<18}  {}\n", duration_text(hop.normal),
                   duration_text(hop.slow),
                   (hop.difference() < 0 ? "-" : "+") + duration_text(std::abs(hop.difference())),
                   fmt::format("{} of {}, {} of {}", hop.in_normal, normal, hop.in_slow, slow), hop.path);
  }
  return out;
}

}  // namespace securebase::traces
