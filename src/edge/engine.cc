#include "edge/engine.h"

#include <fmt/format.h>

#include "base/random.h"
#include "edge/describe.h"
#include "edge/path.h"
#include "net/worker.h"

namespace securebase::edge {

namespace {

std::shared_ptr<const Live> nothing() { return std::make_shared<const Live>(); }

store::Strength strength_of(Strength strength) {
  return strength == Strength::kHard ? store::Strength::kHard : store::Strength::kSoft;
}

}  // namespace

Engine::Engine(Settings settings, EngineDoors doors)
    : settings(std::move(settings)),
      doors(std::move(doors)),
      store({.bytes = this->settings.store_bytes}),
      flights({.keep_bytes = this->settings.object_bytes,
               .window_bytes = this->settings.window_bytes,
               .held_bytes = this->settings.store_bytes,
               .released = this->settings.released_fetches}),
      live(nothing()),
      invalidations(this->settings.state) {}

Engine::Mine& Engine::of_this_worker() {
  auto& found = mine[net::Worker::current().index()];
  if (!found) found = std::make_unique<Mine>(live);
  return *found;
}

std::shared_ptr<Origin> Engine::origin_for(const OriginConfig& config) {
  const auto name =
      fmt::format("{} {} {} {} {} {} {} {} {} {}", static_cast<int>(config.kind), config.domain_name, config.bucket,
                  static_cast<int>(config.protocol), config.http_port, config.https_port, config.attempts,
                  config.connect_time.count(), config.read_time.count(), config.keepalive_time.count());
  const std::lock_guard lock(mutex);
  auto& kept = origins[name];
  if (!kept) kept = doors.make_origin(config);
  return kept;
}

void Engine::apply(std::shared_ptr<const Config> config) {
  const auto before = live.get();
  auto next = std::make_shared<Live>();
  next->config = std::move(config);
  next->distributions.reserve(next->config->distributions.size());
  for (const auto& said : next->config->distributions) {
    std::shared_ptr<Tally> tally;
    {
      const std::lock_guard lock(mutex);
      auto& kept = tallies[said.id];
      if (!kept) kept = std::make_shared<Tally>();
      tally = kept;
    }
    std::vector<std::shared_ptr<Origin>> used;
    for (const auto& origin : said.origins) used.push_back(origin_for(origin));
    auto since = doors.clock.now();
    for (const auto& old : before->distributions) {
      if (old.config.id == said.id && etag_of(old.config) == etag_of(said)) since = old.since;
    }
    next->distributions.push_back({said, std::move(used), recorders(doors.registry, said.id), std::move(tally), since});
  }
  for (const auto& distribution : next->distributions) {
    next->hosts.emplace(distribution.config.domain_name, &distribution);
    for (const std::string_view alias : distribution.config.aliases) {
      if (alias.starts_with("*.")) {
        next->wildcards.emplace_back(alias.substr(1), &distribution);
      } else {
        next->hosts.emplace(alias, &distribution);
      }
    }
  }
  live.set(std::move(next));
}

bool Engine::answer_now(const http::Request& request, http::Response& response) {
  Mine& worker = of_this_worker();
  Visit& visit = worker.visit;
  visit.live = worker.view.shared();
  // Of the request before nothing is left: what arrive() does not come to would still point into that one.
  visit.distribution = nullptr;
  visit.behaviour = nullptr;
  visit.path = request.path;
  visit.caller.route = {};
  const auto begin = doors.clock.steady();
  if (!arrive(request, visit, response)) {
    record_alone(request, visit, begin, response.status);
    return true;
  }
  if (visit.origin->has_gate()) {
    visit.caller.refusal.reset();
    if (!visit.origin->admit_now(visit.gate, visit.caller)) return false;
    // A refusal may have a page of its own, which has to be fetched.
    if (visit.caller.verdict == Caller::Verdict::kRefused) {
      if (visit.caller.refusal->body.is_stream()) return false;
      const auto& errors = visit.distribution->config.errors;
      const auto found = errors.find(visit.caller.refusal->status);
      if (found != errors.end() && !found->second.page_path.empty()) return false;
      visit.cacheable = false;
      response = std::move(*visit.caller.refusal);
      visit.caller.refusal.reset();
      finalise(visit.distribution->config, *visit.behaviour, response);
      response.headers.add_view("X-Cache", response.status >= 400 ? "Error from cloudfront" : "Miss from cloudfront");
      response.headers.add_view("Cache-Status", "securebase; fwd=bypass; detail=refused");
      settle(request, visit, response.status, response.body.length().value_or(0), false);
      record_alone(request, visit, begin, response.status);
      return true;
    }
  }
  prepare(request, visit);
  if (!visit.cacheable) return false;
  const auto found = look(request, visit);
  if (found.state != Found::State::kFresh || !write(request, visit, *found.stored, Tone::kHit, true, response)) {
    return false;
  }
  record_alone(request, visit, begin, response.prepared ? response.prepared->status : response.status);
  return true;
}

// What was answered without asking anybody. A hop of its own, recorded whole: a guard that is opened for every request
// would record the misses twice.
void Engine::record_alone(const http::Request& request, const Visit& visit, base::SteadyPoint begin, int status) const {
  if (!doors.spans) return;
  telemetry::Span span;
  span.trace_high = request.trace.trace_high;
  span.trace_low = request.trace.trace_low;
  span.id = telemetry::new_span_id();
  span.parent = request.trace.parent_span;
  span.entry = !request.trace.inside;
  span.alone = true;
  span.subject.assign(request.path);
  describe(request, visit, span);
  span.begin = begin;
  span.end = doors.clock.steady();
  span.status = static_cast<std::uint16_t>(status);
  span.failed = status >= 500;
  doors.spans->record(span);
}

void Engine::describe(const http::Request& request, const Visit& visit, telemetry::Span& span) {
  if (visit.distribution) span.name.assign(visit.distribution->config.domain_name);
  // The route of an API says more than the pattern that leads to it.
  if (!visit.caller.route.empty()) {
    span.route.assign(visit.caller.route);
  } else if (visit.behaviour) {
    span.route.assign(visit.behaviour->pattern);
  }
  span.method = http::to_string(request.method);
  span.tls = !request.tls_version.empty();
}

net::Task<http::Response> Engine::answer(http::Request& request) {
  telemetry::SpanGuard span(doors.spans, doors.clock, request.trace, telemetry::Hop::kEdge, {}, request.path);
  if (doors.spans) {
    const auto live_now = live.get();
    const auto* distribution = live_now->find(request.authority);
    span.decide({.service = distribution ? std::string_view(distribution->config.domain_name) : std::string_view(),
                 .type = "AWS::CloudFront::Distribution",
                 .host = request.authority,
                 .method = request.method_name,
                 .path = request.path});
  }
  request.trace = span.trace();
  auto response = co_await answer_traced(request, span);
  span.status(response.prepared ? response.prepared->status : response.status);
  if (doors.spans) response.headers.set("X-Amzn-Trace-Id", telemetry::to_xray_header(request.trace));
  co_return response;
}

net::Task<http::Response> Engine::answer_traced(http::Request& request, telemetry::SpanGuard& span) {
  Visit visit;
  visit.live = live.get();
  http::Response response;
  const bool arrived = arrive(request, visit, response);
  describe(request, visit, span.span());
  if (!arrived) co_return response;
  if (visit.origin->has_gate() && !visit.origin->admit_now(visit.gate, visit.caller)) {
    visit.caller = co_await visit.origin->admit(visit.gate);
  }
  if (!visit.caller.route.empty()) span.span().route.assign(visit.caller.route);
  if (visit.caller.verdict == Caller::Verdict::kRefused) {
    response = std::move(*visit.caller.refusal);
    OriginRequest page;
    page.peer_address = request.peer_address;
    page.trace = request.trace;
    co_await replace_error(*visit.live, *visit.distribution, response, page);
    finalise(visit.distribution->config, *visit.behaviour, response);
    response.headers.add_view("X-Cache", response.status >= 400 ? "Error from cloudfront" : "Miss from cloudfront");
    response.headers.add_view("Cache-Status", "securebase; fwd=bypass; detail=refused");
    settle(request, visit, response.status, response.body.length().value_or(0), false);
    co_return response;
  }
  prepare(request, visit);
  if (visit.cacheable) co_return co_await answer_stored(request, visit);
  co_return co_await pass(request, visit, "securebase; fwd=bypass");
}

Result<Receipt> Engine::invalidate(std::string_view distribution, const std::vector<std::string>& paths,
                                   const std::vector<std::string>& tags, Strength strength) {
  const auto now = live.get();
  std::vector<std::string> normal;
  for (const auto& path : paths) {
    // A star may stand anywhere; the rest is brought into the form that keys have.
    const auto query = path.find('?');
    std::string scratch;
    const auto made = normal_path(std::string_view(path).substr(0, query), scratch);
    if (!made) {
      return Error{Errc::kMalformed,
                   fmt::format("\"{}\" is no path: expected one that begins with /, as /images/*", path)};
    }
    normal.push_back(std::string(*made) + (query == std::string::npos ? "" : path.substr(query)));
  }
  for (const auto& tag : tags) {
    if (tag.empty() || tag.size() > 256 || tag.find_first_of(", \t#") != std::string::npos) {
      return Error{Errc::kMalformed, fmt::format("\"{}\" is no tag: expected up to 256 characters without blanks, "
                                                 "commas and #",
                                                 tag)};
    }
  }
  Receipt receipt;
  bool found = distribution.empty();
  for (const auto& each : now->distributions) {
    if (!distribution.empty() && each.config.id != distribution) continue;
    found = true;
    for (const auto& path : normal) {
      // "/" is what the default root object is stored as.
      const auto& root = each.config.default_root_object;
      const auto& meant = path == "/" && !root.empty() ? root : path;
      receipt.generation = doors.tags.raise_path(each.config.id, meant, strength_of(strength));
    }
  }
  if (!found) return Error{Errc::kNotFound, fmt::format("there is no distribution {}", distribution)};
  for (const auto& tag : tags) receipt.generation = doors.tags.raise(tag, strength_of(strength));
  receipt.id = "I" + base::random_text(13, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  receipt.at = doors.clock.now();
  receipt.paths = paths.size();
  receipt.tags = tags.size();
  return receipt;
}

Statistics Engine::statistics() const {
  Statistics sum;
  const auto now = live.get();
  for (const auto& distribution : now->distributions) {
    const auto& tally = *distribution.tally;
    DistributionStatistics one{distribution.config.id,      distribution.config.domain_name,
                               distribution.config.aliases, tally.requests.total(),
                               tally.hits.total(),          tally.misses.total(),
                               tally.errors.total()};
    sum.requests += one.requests;
    sum.hits += one.hits;
    sum.misses += one.misses;
    sum.errors += one.errors;
    sum.distributions.push_back(std::move(one));
  }
  const auto stored = store.statistics();
  sum.stored = stored.entries;
  sum.stored_bytes = stored.bytes;
  sum.limit_bytes = stored.limit_bytes;
  sum.evicted = stored.evicted;
  sum.flights = flights.count();
  return sum;
}

void Engine::close_on_worker() {
  std::vector<std::shared_ptr<Origin>> all;
  {
    const std::lock_guard lock(mutex);
    for (const auto& [name, origin] : origins) all.push_back(origin);
  }
  for (const auto& origin : all) origin->close_on_worker();
  mine[net::Worker::current().index()].reset();
}

}  // namespace securebase::edge
