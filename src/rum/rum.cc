#include "rum/rum.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/log.h"
#include "rum/beacon.h"
#include "rum/metrics.h"
#include "rum/page.h"
#include "rum/view_journal.h"
#include "store/encodings.h"
#include "telemetry/span.h"

namespace securebase::rum {

namespace {

constexpr std::string_view kPrefix = "/_securebase/";
constexpr std::string_view kTraceRoot = "Root=";
constexpr double kSatisfiedBelow = 2000;  // ms
constexpr double kToleratedBelow = 8000;  // ms

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

// A beacon comes from a page of the host that it is sent to. Browsers say so; other clients may leave it out.
bool is_same_origin(const http::Request& request) {
  auto origin = request.headers.get("Origin");
  if (!origin) return true;
  const auto scheme = origin->find("://");
  return scheme != std::string_view::npos && http::equal_ignoring_case(origin->substr(scheme + 3), request.authority);
}

http::Response plain(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.headers.add_view("Content-Type", "text/plain; charset=utf-8");
  response.headers.add_view("Cache-Control", "no-store");
  response.body = std::move(text);
  return response;
}

struct Script {
  std::string etag;
  std::shared_ptr<const http::PreparedResponse> plain;
  std::shared_ptr<const http::PreparedResponse> gzip;
  std::shared_ptr<const http::PreparedResponse> brotli;
};

Script prepare_script(double sample_rate) {
  Script made;
  const auto text = script(sample_rate);
  made.etag = fmt::format("\"{}\"", base::hex(base::sha256(text)).substr(0, 16));
  const auto prepare = [&made](std::string body, std::string_view encoding) {
    http::Headers headers;
    headers.add("Content-Type", "text/javascript; charset=utf-8");
    if (!encoding.empty()) headers.add("Content-Encoding", encoding);
    // An hour, and then it is asked for behind the page's back.
    headers.add("Cache-Control", "public, max-age=3600, stale-while-revalidate=604800");
    headers.add("Vary", "Accept-Encoding");
    headers.add("ETag", made.etag);
    headers.add("X-Content-Type-Options", "nosniff");
    return http::prepare(200, std::move(headers), std::move(body));
  };
  made.plain = prepare(text, "");
  made.gzip = prepare(store::gzip(text), "gzip");
  made.brotli = prepare(store::brotli(text), "br");
  return made;
}

// "1-5759e988-bd862e3fe1be46a994272793"
std::string trace_id(const telemetry::TraceContext& trace) {
  const std::string header = telemetry::to_xray_header(trace);
  return header.substr(kTraceRoot.size(), header.find(';') - kTraceRoot.size());
}

base::Json as_log_line(const View& view) {
  auto line = base::Json::object({{"event_type", "com.securebase.page_view"},
                                  {"event_timestamp", base::iso8601(view.time)},
                                  {"application_name", view.application},
                                  {"page", view.page},
                                  {"path", view.path},
                                  {"js_errors", std::uint64_t{view.script_errors}}});
  const auto add = [&line](const Metric& metric, const std::optional<double>& value) {
    if (value) line.set(metric.name, *value);
  };
  add(kPageLoadTime, view.timings.load);
  add(kFirstByte, view.timings.first_byte);
  add(kDomContentLoaded, view.timings.dom_content_loaded);
  add(kFirstPaint, view.timings.first_paint);
  add(kLargestPaint, view.timings.largest_paint);
  add(kNextPaint, view.timings.next_paint);
  add(kLayoutShift, view.timings.layout_shift);
  auto traces = base::Json::array();
  for (const auto& trace : view.traces) traces.push_back(trace);
  line.set("trace_ids", std::move(traces));
  return line;
}

}  // namespace

// A configuration in force.
struct Rum::Live {
  std::shared_ptr<const Config> config;
  std::vector<Script> scripts;                                       // as config->monitors
  std::map<std::string, std::shared_ptr<Pages>, std::less<>> pages;  // by application; guarded by the Rum's mutex

  // The monitor of a host; the first where none names it, as a distribution answers for hosts that none names.
  std::size_t monitor_of(std::string_view authority) const {
    const auto host = host_of(authority);
    for (std::size_t i = 0; i < config->monitors.size(); ++i) {
      for (const std::string_view domain : config->monitors[i].domains) {
        if (host == domain || (domain.starts_with("*.") && host.ends_with(domain.substr(1)))) return i;
      }
    }
    return 0;
  }
};

struct Rum::Recorders {
  Recorders(telemetry::Registry& registry, const telemetry::Dimensions& of)
      : views(registry.counter(kPageViews, of)),
        script_errors(registry.counter(kScriptErrors, of)),
        satisfied(registry.counter(kSatisfied, of)),
        tolerated(registry.counter(kTolerated, of)),
        frustrated(registry.counter(kFrustrated, of)),
        load(registry.distribution(kPageLoadTime, of)),
        navigation(registry.distribution(kNavigationDuration, of)),
        first_byte(registry.distribution(kFirstByte, of)),
        dom_content_loaded(registry.distribution(kDomContentLoaded, of)),
        first_paint(registry.distribution(kFirstPaint, of)),
        largest_paint(registry.distribution(kLargestPaint, of)),
        next_paint(registry.distribution(kNextPaint, of)),
        layout_shift(registry.distribution(kLayoutShift, of)) {}

  void record(const View& view) {
    views.add();
    script_errors.add(view.script_errors);
    const auto take = [](telemetry::Distribution& into, const std::optional<double>& value) {
      if (value) into.record(*value);
    };
    const auto& timings = view.timings;
    take(load, timings.load);
    take(navigation, timings.load);
    take(first_byte, timings.first_byte);
    take(dom_content_loaded, timings.dom_content_loaded);
    take(first_paint, timings.first_paint);
    take(largest_paint, timings.largest_paint);
    take(next_paint, timings.next_paint);
    take(layout_shift, timings.layout_shift);
    if (timings.load) {
      (*timings.load < kSatisfiedBelow ? satisfied : *timings.load < kToleratedBelow ? tolerated : frustrated).add();
    }
  }

  telemetry::Counter& views;
  telemetry::Counter& script_errors;
  telemetry::Counter& satisfied;
  telemetry::Counter& tolerated;
  telemetry::Counter& frustrated;
  telemetry::Distribution& load;
  telemetry::Distribution& navigation;
  telemetry::Distribution& first_byte;
  telemetry::Distribution& dom_content_loaded;
  telemetry::Distribution& first_paint;
  telemetry::Distribution& largest_paint;
  telemetry::Distribution& next_paint;
  telemetry::Distribution& layout_shift;
};

Rum::Rum(Doors doors)
    : doors_(doors), live_([] {
        auto nothing = std::make_shared<Live>();
        nothing->config = std::make_shared<const Config>();
        return nothing;
      }()) {
  if (doors_.directory.empty()) return;
  std::vector<View> kept;
  auto opened = ViewJournal::open(doors_.directory, kKeptViews, kept);
  if (!opened) {
    base::log(base::Level::kError, "rum", "page views are in memory only: {}", opened.error().message);
    return;
  }
  journal_ = std::move(*opened);
  views_.assign(std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
}

Rum::~Rum() = default;

void Rum::apply(std::shared_ptr<const Config> config) {
  const auto before = live_.get();
  auto next = std::make_shared<Live>();
  next->config = std::move(config);
  for (const auto& monitor : next->config->monitors) {
    next->scripts.push_back(prepare_script(monitor.sample_rate));
    const auto kept = before->pages.find(monitor.name);
    next->pages[monitor.name] = kept == before->pages.end() ? std::make_shared<Pages>(kPages) : kept->second;
  }
  live_.set(std::move(next));
}

bool Rum::answer_now(const http::Request& request, http::Response& response) {
  if (!request.path.starts_with(kPrefix)) return doors_.next.answer_now(request, response);
  if (request.path != kScriptPath) return false;
  const auto live = live_.get();
  if (live->scripts.empty()) {
    response = plain(404, "Page loads are not measured here: the stack has no aws_rum_app_monitor.\n");
    return true;
  }
  if (request.method != http::Method::kGet && request.method != http::Method::kHead) {
    response = plain(405, "The script is read by GET.\n");
    response.headers.add_view("Allow", "GET, HEAD");
    return true;
  }
  const auto& script = live->scripts[live->monitor_of(request.authority)];
  if (const auto known = request.headers.get("If-None-Match"); known && known->find(script.etag) != known->npos) {
    response.status = 304;
    for (const auto name : {"ETag", "Cache-Control", "Vary"}) {  // RFC 9110 §15.4.5
      response.headers.add(name, script.plain->headers.get(name).value_or(""));
    }
    return true;
  }
  const auto encoding = store::preferred(request.headers.get("Accept-Encoding").value_or(""));
  response.prepared = encoding == store::Encoding::kBrotli ? script.brotli
                      : encoding == store::Encoding::kGzip ? script.gzip
                                                           : script.plain;
  return true;
}

net::Task<http::Response> Rum::answer(http::Request& request) {
  const auto live = live_.get();
  if (!request.path.starts_with(kPrefix)) {
    const auto trace = request.trace;
    auto response = co_await doors_.next.answer(request);
    if (!live->scripts.empty() && (trace.trace_high | trace.trace_low) != 0) {
      response.headers.add("Server-Timing", fmt::format("trace;desc=\"{}\"", trace_id(trace)));
    }
    co_return response;
  }
  if (request.path != kBeaconPath) co_return plain(404, "There is nothing at this address.\n");
  if (live->scripts.empty()) {
    co_return plain(404, "Page loads are not measured here: the stack has no aws_rum_app_monitor.\n");
  }
  if (request.method != http::Method::kPost) {
    auto refusal = plain(405, "Beacons come by POST.\n");
    refusal.headers.add_view("Allow", "POST");
    co_return refusal;
  }
  std::string body;
  if (request.body) {
    auto read = co_await http::read_all(*request.body, kBeaconBytes);
    if (!read && read.error().code != Errc::kLimit) co_return plain(400, "The beacon did not come whole.\n");
    if (!read) {
      const std::lock_guard lock(mutex_);
      ++statistics_.refused;
      co_return plain(413, fmt::format("A beacon has at most {} bytes.\n", kBeaconBytes));
    }
    body = std::move(*read);
  }
  co_return take(*live, request, body);
}

http::Response Rum::take(const Live& live, const http::Request& request, std::string_view body) {
  const auto now = doors_.clock.now();
  auto beacon = parse_beacon(body);
  const bool own = is_same_origin(request);
  const auto& monitor = live.config->monitors[live.monitor_of(request.authority)];
  const std::lock_guard lock(mutex_);
  if (!own || !beacon) {
    ++statistics_.refused;
    return own ? plain(400, beacon.error().message + "\n")
               : plain(403, "A page reports to the host that it came from.\n");
  }
  if (const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()); second != second_) {
    second_ = second;
    in_second_ = 0;
  }
  if (++in_second_ > kViewsPerSecond) {
    ++statistics_.dropped;
    return plain(429, "More page views come than are kept.\n");
  }
  View view;
  view.time = now;
  view.application = monitor.name;
  view.path = std::move(beacon->path);
  view.page = live.pages.find(monitor.name)->second->admit(page_of(view.path), now);
  view.timings = beacon->timings;
  view.script_errors = beacon->script_errors;
  view.traces = std::move(beacon->traces);
  if (doors_.logs && !monitor.log_group.empty()) {
    const std::string line = as_log_line(view).dump();
    const std::string stream = base::iso8601(now).substr(0, 10);
    doors_.logs->write({monitor.log_group, stream, now, line});
  }
  record(view);
  http::Response response;
  response.status = 204;
  response.headers.add_view("Cache-Control", "no-store");
  return response;
}

void Rum::record(const View& view) {
  recorders(view.application, "").record(view);
  recorders(view.application, view.page).record(view);
  ++statistics_.views;
  views_.push_back(view);
  if (journal_) journal_->add(view);
  if (views_.size() > kKeptViews) views_.pop_front();
}

Rum::Recorders& Rum::recorders(const std::string& application, const std::string& page) {
  auto& kept = recorders_[{application, page}];
  if (!kept) {
    telemetry::Dimensions dimensions{{"application_name", application}};
    if (!page.empty()) dimensions.emplace_back("PageId", page);
    kept = std::make_unique<Recorders>(doors_.registry, dimensions);
  }
  return *kept;
}

std::shared_ptr<const Config> Rum::config() const { return live_.get()->config; }

std::vector<View> Rum::views() const {
  const std::lock_guard lock(mutex_);
  return {views_.rbegin(), views_.rend()};
}

Statistics Rum::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace securebase::rum
