#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "rum/rum.h"
#include "telemetry/sketch.h"

namespace securebase::rum {

namespace {

// The vitals are judged at their 75th percentile (web.dev/articles/vitals), the load by the guide at its 95th.
struct Page {
  std::uint64_t views = 0;
  std::uint64_t script_errors = 0;
  telemetry::Sketch first_byte, first_paint, largest_paint, next_paint, layout_shift, load;
};

std::map<std::string, Page> by_page(const std::vector<View>& views) {
  std::map<std::string, Page> pages;
  for (const auto& view : views) {
    auto& page = pages[fmt::format("{} {}", view.application, view.page)];
    ++page.views;
    page.script_errors += view.script_errors;
    const auto take = [](telemetry::Sketch& into, const std::optional<double>& value) {
      if (value) into.add(*value);
    };
    take(page.first_byte, view.timings.first_byte);
    take(page.first_paint, view.timings.first_paint);
    take(page.largest_paint, view.timings.largest_paint);
    take(page.next_paint, view.timings.next_paint);
    take(page.layout_shift, view.timings.layout_shift);
    take(page.load, view.timings.load);
  }
  return pages;
}

std::string milliseconds_or_dash(const std::optional<double>& value) {
  return value ? fmt::format("{:.0f}", *value) : "-";
}
std::string score_or_dash(const std::optional<double>& value) { return value ? fmt::format("{:.3f}", *value) : "-"; }

std::vector<View> chosen(const std::vector<View>& views, Order order, std::size_t most) {
  std::vector<View> some = views;
  if (order == Order::kSlowest) {
    std::stable_sort(some.begin(), some.end(), [](const View& a, const View& b) {
      return a.timings.load.value_or(0) > b.timings.load.value_or(0);
    });
  }
  if (some.size() > most) some.resize(most);
  return some;
}

base::Json number_or_null(const std::optional<double>& value) { return value ? base::Json(*value) : base::Json(); }

base::Json timings_json(const Timings& timings) {
  return base::Json::object({{"ttfb_ms", number_or_null(timings.first_byte)},
                             {"fcp_ms", number_or_null(timings.first_paint)},
                             {"lcp_ms", number_or_null(timings.largest_paint)},
                             {"dom_content_loaded_ms", number_or_null(timings.dom_content_loaded)},
                             {"load_ms", number_or_null(timings.load)},
                             {"inp_ms", number_or_null(timings.next_paint)},
                             {"cls", number_or_null(timings.layout_shift)}});
}

}  // namespace

std::string render(const std::vector<View>& views, Order order, std::size_t most) {
  if (views.empty()) {
    return "No page view has been reported since the start. Pages report themselves where they have\n"
           "  <script async src=\"/_securebase/page.js\"></script>\nand the stack has an aws_rum_app_monitor.\n";
  }
  std::string text = fmt::format("{:<40} {:>6} {:>9} {:>9} {:>9} {:>9} {:>7} {:>9} {:>7}\n", "page, milliseconds",
                                 "views", "TTFB p75", "FCP p75", "LCP p75", "INP p75", "CLS p75", "load p95", "errors");
  for (const auto& [name, page] : by_page(views)) {
    text += fmt::format(
        "{:<40} {:>6} {:>9} {:>9} {:>9} {:>9} {:>7} {:>9} {:>7}\n", name, page.views,
        milliseconds_or_dash(page.first_byte.percentile(75)), milliseconds_or_dash(page.first_paint.percentile(75)),
        milliseconds_or_dash(page.largest_paint.percentile(75)), milliseconds_or_dash(page.next_paint.percentile(75)),
        score_or_dash(page.layout_shift.percentile(75)), milliseconds_or_dash(page.load.percentile(95)),
        page.script_errors);
  }
  text += order == Order::kSlowest ? "\nthe slowest page views\n" : "\nthe newest page views\n";
  for (const auto& view : chosen(views, order, most)) {
    text += fmt::format("{}  load {:>6} ms  TTFB {:>5} ms  LCP {:>6} ms  {}\n", base::iso8601(view.time),
                        milliseconds_or_dash(view.timings.load), milliseconds_or_dash(view.timings.first_byte),
                        milliseconds_or_dash(view.timings.largest_paint), view.path);
    for (const auto& trace : view.traces) text += fmt::format("    trace {}\n", trace);
  }
  return text;
}

base::Json to_json(const std::vector<View>& views, Order order, std::size_t most) {
  auto pages = base::Json::array();
  for (const auto& [name, page] : by_page(views)) {
    const auto blank = name.find(' ');
    pages.push_back(base::Json::object({{"application_name", name.substr(0, blank)},
                                        {"page", name.substr(blank + 1)},
                                        {"views", page.views},
                                        {"js_errors", page.script_errors},
                                        {"ttfb_p75_ms", number_or_null(page.first_byte.percentile(75))},
                                        {"fcp_p75_ms", number_or_null(page.first_paint.percentile(75))},
                                        {"lcp_p75_ms", number_or_null(page.largest_paint.percentile(75))},
                                        {"inp_p75_ms", number_or_null(page.next_paint.percentile(75))},
                                        {"cls_p75", number_or_null(page.layout_shift.percentile(75))},
                                        {"load_p95_ms", number_or_null(page.load.percentile(95))}}));
  }
  auto list = base::Json::array();
  for (const auto& view : chosen(views, order, most)) {
    auto one = base::Json::object({{"time", base::iso8601(view.time)},
                                   {"application_name", view.application},
                                   {"page", view.page},
                                   {"path", view.path},
                                   {"js_errors", std::uint64_t{view.script_errors}}});
    one.set("timings", timings_json(view.timings));
    auto traces = base::Json::array();
    for (const auto& trace : view.traces) traces.push_back(trace);
    one.set("trace_ids", std::move(traces));
    list.push_back(std::move(one));
  }
  return base::Json::object({{"pages", std::move(pages)}, {"views", std::move(list)}});
}

}  // namespace securebase::rum
