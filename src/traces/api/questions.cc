// What `securebase traces` asks.
#include <fmt/format.h>

#include <algorithm>

#include "traces/api/render.h"
#include "traces/api/xray_json.h"
#include "traces/engine.h"

namespace securebase::traces {

using base::Json;

namespace {

constexpr std::size_t kCompared = 200;

double in_seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

Json shares_json(const Shares& shares) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kParts; ++i) json.set(to_string(static_cast<Part>(i)), in_seconds(shares[i]));
  return json;
}

Json route_json(const std::string& name, const RouteCounts& route) {
  return Json::object({{"route", name},
                       {"requests", route.total.count()},
                       {"faults", route.faults},
                       {"errors", route.errors},
                       {"throttles", route.throttles},
                       {"cold_starts", route.cold_starts},
                       {"p50_seconds", in_seconds(route.total.percentile(50))},
                       {"p95_seconds", in_seconds(route.total.percentile(95))},
                       {"p99_seconds", in_seconds(route.total.percentile(99))},
                       {"around_p50", shares_json(route.shares(25, 75))},
                       {"around_p95", shares_json(route.shares(92.5, 97.5))}});
}

// Of this route: the gateway's annotation, else the edge's, with its method; or a function's name.
bool is_of_route(const Trace& trace, std::string_view route) {
  std::string of;
  for (const auto& top : trace.segments) {
    const bool gateway = top.origin == "AWS::ApiGateway::Stage";
    if (!gateway && !of.empty()) continue;
    for (const auto& [key, value] : top.annotations) {
      const auto* text = std::get_if<std::string>(&value);
      if (key == "route" && text) of = top.http.method + " " + *text;
    }
  }
  if (of.empty()) {
    if (const auto times = times_of(trace); times.root) of = "function " + times.root->name;
  }
  return of == route;
}

}  // namespace

Result<Json> Traces::list(std::chrono::seconds window, std::string_view expression, std::size_t most) {
  auto filter = Filter::parse(expression);
  if (!filter) return filter.error();
  engine_->collector->refresh();
  const WallTime to = engine_->clock.now();
  std::vector<Trace> last;
  for (Search search{to - window, to};;) {
    auto found = find_traces(*engine_->store, search, *filter);
    std::ranges::move(found.traces, std::back_inserter(last));
    if (last.size() > most) last.erase(last.begin(), last.end() - static_cast<std::ptrdiff_t>(most));
    if (!found.next) break;
    search.from = *found.next;
  }
  Json report = Json::array();
  for (const auto& trace : last) {
    auto summary = summary_json(trace, engine_->settings.account);
    summary.set("KeptFor", reasons_text(trace.reasons));
    report.push_back(std::move(summary));
  }
  return Json::object({{"text", render_list(last)}, {"report", std::move(report)}});
}

Result<Json> Traces::show(std::string_view text) {
  const auto id = TraceId::parse(text);
  if (!id) {
    return Error{Errc::kMalformed,
                 fmt::format("a trace's id reads 1-<8 hex digits>-<24 hex digits>, not \"{}\"", text)};
  }
  engine_->collector->refresh();
  const auto trace = find_trace(*engine_->store, *id);
  if (!trace) {
    return Error{Errc::kNotFound,
                 fmt::format("nothing is kept of the trace {}: it was none of those that are worth it, "
                             "or it is older than what is stored",
                             text)};
  }
  return Json::object({{"text", render_trace(*trace)}, {"report", whole_json(*trace)}});
}

Result<Json> Traces::routes(std::chrono::seconds window) {
  engine_->collector->refresh();
  const WallTime to = engine_->clock.now();
  const auto counts = engine_->collector->counts(to - window, to);
  Json report = Json::array();
  for (const auto& [name, route] : counts.routes) report.push_back(route_json(name, route));
  return Json::object({{"text", render_routes(counts)}, {"report", std::move(report)}});
}

Result<Json> Traces::slow(std::string_view wanted, std::chrono::seconds window) {
  engine_->collector->refresh();
  const WallTime to = engine_->clock.now();
  const auto counts = engine_->collector->counts(to - window, to);
  const auto found = counts.routes.find(std::string(wanted));
  if (found == counts.routes.end()) {
    std::string known;
    for (const auto& [name, route] : counts.routes) known += "\n  " + name;
    return Error{Errc::kNotFound, fmt::format("no request of \"{}\" in that time; there were:{}", wanted,
                                              known.empty() ? " none" : known)};
  }
  const auto& route = found->second;
  const double limit = in_seconds(route.total.percentile(95));
  const double middle = in_seconds(route.total.percentile(75));
  std::vector<Trace> slow;
  std::vector<Trace> normal;
  for (Search search{to - window, to};;) {
    auto page = find_traces(*engine_->store, search, Filter());
    for (auto& trace : page.traces) {
      if (!is_of_route(trace, wanted)) continue;
      const auto times = times_of(trace);
      const double took = times.root ? times.root->duration() : times.duration;
      auto& into = took >= limit ? slow : normal;
      if (took >= limit || (took <= middle && !(trace.reasons & kFailed))) into.push_back(std::move(trace));
      if (into.size() > kCompared) into.erase(into.begin());
    }
    if (!page.next) break;
    search.from = *page.next;
  }
  const auto hops = compare(normal, slow);
  std::string text = render_route(found->first, route);
  Json differences = Json::array();
  for (const auto& hop : hops) {
    differences.push_back(Json::object({{"hop", hop.path},
                                        {"normal_seconds", hop.normal},
                                        {"slow_seconds", hop.slow},
                                        {"in_normal", hop.in_normal},
                                        {"in_slow", hop.in_slow}}));
  }
  if (slow.empty() || normal.empty()) {
    text += fmt::format("\n{} slow and {} normal traces are kept of it: not enough to compare.\n", slow.size(),
                        normal.size());
  } else {
    text += "\n" + render_comparison(hops, normal.size(), slow.size());
    const auto& slowest =
        *std::ranges::max_element(slow, {}, [](const Trace& trace) { return times_of(trace).duration; });
    text += fmt::format("\nThe slowest: securebase traces {}\n", slowest.id.text());
  }
  Json report = route_json(found->first, route);
  report.set("slow_traces", slow.size());
  report.set("normal_traces", normal.size());
  report.set("differences", std::move(differences));
  return Json::object({{"text", std::move(text)}, {"report", std::move(report)}});
}

}  // namespace securebase::traces
