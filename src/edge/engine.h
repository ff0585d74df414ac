// The inside of the edge. A visit is one request on its way: arrive (distribution, path, behaviour), admit (who asks),
// look (what is stored), and then an answer from the store, from a flight, or straight from the origin.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/snapshot.h"
#include "edge/config.h"
#include "edge/edge.h"
#include "edge/forward.h"
#include "edge/invalidations.h"
#include "edge/metrics.h"
#include "edge/origin.h"
#include "store/encodings.h"
#include "store/flight.h"
#include "store/store.h"

namespace securebase::edge {

// What a distribution counts; outlives configurations.
struct Tally {
  telemetry::Counter requests;
  telemetry::Counter hits;
  telemetry::Counter misses;
  telemetry::Counter errors;
};

// A distribution in force.
struct Distribution {
  const DistributionConfig& config;
  std::vector<std::shared_ptr<Origin>> origins;  // as config.origins
  Recorders recorders;
  std::shared_ptr<Tally> tally;
  base::TimePoint since;  // this configuration of it is in force
};

// A configuration in force.
struct Live {
  std::shared_ptr<const Config> config;
  std::vector<Distribution> distributions;
  std::unordered_map<std::string_view, const Distribution*> hosts;
  std::vector<std::pair<std::string_view, const Distribution*>> wildcards;  // ".example.com"

  const Distribution* find(std::string_view host) const;
};

struct Visit {
  std::shared_ptr<const Live> live;
  const Distribution* distribution = nullptr;
  const Behaviour* behaviour = nullptr;
  Origin* origin = nullptr;
  std::string scratch;
  std::string_view path;  // normal; the default root object in place of "/"
  http::Request gate;     // what the gate sees
  std::string gate_path;
  Caller caller;
  bool cacheable = false;  // looked up, and stored
  bool credentials = false;
  std::string key;
};

// How a stored response came to the viewer.
enum class Tone { kHit, kStale, kMiss, kCollapsed, kRefreshHit };

struct Found {
  enum class State { kNone, kFresh, kStale, kUncacheable };
  State state = State::kNone;
  std::shared_ptr<const store::StoredResponse> stored;
  std::string key;           // under which it lies, when it differs by Vary; else empty
  bool serve_stale = false;  // while a refresh runs
};

struct Fetch;  // fetch.cc

using OriginMaker = std::function<std::unique_ptr<Origin>(const OriginConfig&)>;

struct EngineDoors {
  store::Tags& tags;
  net::Pool& pool;
  telemetry::Registry& registry;
  telemetry::Spans* spans;  // null: none
  const base::Clock& clock;
  OriginMaker make_origin;
  // Tags that a response invalidated, after they were raised.
  std::function<void(const std::vector<std::string>&)> invalidated;
};

struct Engine {
  Engine(Settings settings, EngineDoors doors);

  void apply(std::shared_ptr<const Config> config);
  bool answer_now(const http::Request& request, http::Response& response);
  net::Task<http::Response> answer(http::Request& request);
  Result<Receipt> invalidate(std::string_view distribution, const std::vector<std::string>& paths,
                             const std::vector<std::string>& tags, Strength strength);
  Statistics statistics() const;
  void close_on_worker();

  net::Task<http::Response> answer_traced(http::Request& request, telemetry::SpanGuard& span);
  static void describe(const http::Request& request, const Visit& visit, telemetry::Span& span);
  void record_alone(const http::Request& request, const Visit& visit, base::SteadyPoint begin, int status) const;

  // ---- visit.cc
  // False: `response` is the answer already.
  bool arrive(const http::Request& request, Visit& visit, http::Response& response) const;
  // Once the caller is known: may it be looked up, and under which key.
  void prepare(const http::Request& request, Visit& visit) const;
  Found look(const http::Request& request, const Visit& visit);

  // ---- send.cc
  store::Encoding wanted(const http::Request& request, const Behaviour& behaviour,
                         const store::StoredResponse& stored) const;
  // Fills `response` from what is stored; false: the encoding that is wanted has to be made first.
  bool write(const http::Request& request, const Visit& visit, const store::StoredResponse& stored, Tone tone,
             bool may_encode, http::Response& response) const;
  net::Task<http::Response> send(const http::Request& request, const Visit& visit, const std::string& key,
                                 std::shared_ptr<const store::StoredResponse> stored, Tone tone);
  void settle(const http::Request& request, const Visit& visit, int status, std::uint64_t bytes, bool hit) const;

  // ---- fetch.cc
  net::Task<http::Response> answer_stored(http::Request& request, Visit& visit);
  net::Task<http::Response> pass(http::Request& request, Visit& visit, std::string_view cache_status);
  std::shared_ptr<Origin> origin_for(const OriginConfig& config);
  std::shared_ptr<Fetch> make_fetch(const http::Request& request, Visit& visit,
                                    std::shared_ptr<const store::StoredResponse> stale, bool revalidate) const;
  void refresh(const http::Request& request, Visit& visit, const Found& found);
  net::Task<http::Response> follow(const http::Request& request, const Visit& visit,
                                   std::shared_ptr<store::Flight> flight, std::unique_ptr<http::BodyReader> reader,
                                   bool first);
  net::Task<void> fly(std::shared_ptr<store::Flight> flight, std::shared_ptr<Fetch> fetch);
  // A refresh, counted while it flies.
  net::Task<void> fly_behind(std::shared_ptr<store::Flight> flight, std::shared_ptr<Fetch> fetch);
  net::Task<Result<Done>> fly_inside(std::shared_ptr<store::Flight> flight, std::shared_ptr<Fetch> fetch);
  net::Task<Result<http::Response>> ask(Fetch& fetch);
  // Invalidations that the origin asks for, fields of the policy, Via.
  void finalise(const DistributionConfig& distribution, const Behaviour& behaviour, http::Response& response) const;
  net::Task<void> replace_error(const Live& live, const Distribution& distribution, http::Response& response,
                                OriginRequest& request);
  void raise_by_header(http::Headers& headers) const;

  const Settings settings;
  const EngineDoors doors;
  store::Store store;
  store::Flights flights;
  base::Snapshot<Live> live;
  std::atomic<std::size_t> refreshing{0};

  mutable std::mutex mutex;
  // Guarded by mutex. Origins stay as long as the engine: their connections belong to workers, and a configuration may
  // end on any.
  std::map<std::string, std::shared_ptr<Tally>> tallies;
  std::map<std::string, std::shared_ptr<Origin>> origins;

  Invalidations invalidations;  // any thread

  // Of one worker: what a request needs again and again.
  struct Mine {
    explicit Mine(const base::Snapshot<Live>& live) : view(live) {}
    base::Snapshot<Live>::View view;
    Visit visit;
  };
  std::array<std::unique_ptr<Mine>, 256> mine;  // by the worker's index, each touched by its worker only
  Mine& of_this_worker();
};

// api.cc.
void add_operations(aws::Operations& operations, Engine& engine, Raised raised);

// The answers that are the edge's own.
http::Response own_answer(int status, std::string_view text);
int status_of(const Error& error);

}  // namespace securebase::edge
