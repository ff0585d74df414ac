// The door of the edge: Amazon CloudFront's distributions, answering viewers from stored responses and origins.
//
//   viewer -> Edge -> Behaviour -> (origin's gate: who asks?) -> key -> stored response, or a flight to the origin
//
// Authorise, then look up: for an API origin the gateway's verdict comes before any lookup, and the caller is part of
// the key unless the route is public. One path: what is matched, keyed and forwarded is the same normalised text.
//
// Threads: one Edge for all workers. The configuration is an immutable snapshot; a request ends under the one with
// which it began. Everything is called on a worker unless it says "any thread". docs/edge.md says what is honoured.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/event.h"
#include "net/http/message.h"
#include "net/tls.h"
#include "stack/stack.h"
#include "telemetry/metrics.h"
#include "telemetry/span.h"

namespace securebase::aws {
class Operations;
}
namespace securebase::gateway {
class Gateway;
}
namespace securebase::objects {
class Objects;
}
namespace securebase::store {
class Tags;
}

namespace securebase::edge {

// Adds the resource types that this room owns: distributions, policies, access controls, and their data sources.
void declare(stack::Catalogue& catalogue);

// The distributions of a stack, ready to be applied. Opaque here.
struct Config;
// Everything that is wrong, each with its place in the files.
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

struct Settings {
  std::size_t store_bytes = std::size_t{256} << 20;  // stored responses, bookkeeping included; bodies in the air again
  std::size_t object_bytes = std::size_t{8} << 20;   // larger bodies are streamed through, not stored
  std::size_t window_bytes = std::size_t{1} << 20;   // of those, what lies between origin and slowest viewer
  std::size_t released_fetches = 64;                 // at a time, of those whom an unshareable answer released
  std::size_t background_fetches = 256;              // refreshes behind stale responses, over all keys
  std::chrono::milliseconds flight_time{60'000};     // from the start of a fetch to its head, all attempts together
  std::chrono::milliseconds stall_time{30'000};      // without progress of a body that somebody reads
  std::chrono::seconds uncacheable_time{10};         // how long requests do not wait for each other after "not stored"
  std::uint16_t http_port = 8080;                    // where redirects to HTTPS lead from and to
  std::uint16_t https_port = 8443;
  std::shared_ptr<const net::TlsClient> origin_tls;  // null: the system's authorities
  std::filesystem::path state;                       // keeps the invalidations that were created; empty: in memory only
};

struct Doors {  // all outlive the edge
  objects::Objects& objects;
  gateway::Gateway& gateway;
  store::Tags& tags;  // shared with the gateway: raised once, stale everywhere
  net::Pool& pool;    // for compressing large bodies
  telemetry::Registry& registry;
  telemetry::Spans& spans;
  const base::Clock& clock = base::system_clock();
};

enum class Strength {
  kSoft,  // stale: served while one refresh runs
  kHard,  // gone: not served again
};

struct Receipt {
  std::string id;                // "I2J0I21PCUYOIK": as CloudFront names invalidations
  std::uint64_t generation = 0;  // what was fetched before it is stale
  base::TimePoint at;
  std::size_t paths = 0;
  std::size_t tags = 0;
};

struct DistributionStatistics {
  std::string id;
  std::string domain_name;
  std::vector<std::string> aliases;
  std::uint64_t requests = 0;
  std::uint64_t hits = 0;  // refresh hits too
  std::uint64_t misses = 0;
  std::uint64_t errors = 0;
};

struct Statistics {
  std::uint64_t requests = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t errors = 0;
  std::size_t stored = 0;  // responses
  std::size_t stored_bytes = 0;
  std::size_t limit_bytes = 0;
  std::uint64_t evicted = 0;
  std::size_t flights = 0;
  std::vector<DistributionStatistics> distributions;
};

struct Engine;  // engine.h
class Edge;

// Answers CloudFront (api.cc). `raised` hears of the tags of an invalidation, for caches that this room does not know;
// it is called on the pool, and may block. `edge` outlives the operations.
using Raised = std::function<void(const std::vector<std::string>& tags)>;
void add_operations(aws::Operations& operations, Edge& edge, Raised raised = {});

class Edge final : public http::Handler {
 public:
  Edge(Settings settings, Doors doors);
  ~Edge() override;

  // Any thread. Requests from now on see the new configuration; stored responses of behaviours that did not change
  // stay.
  void apply(std::shared_ptr<const Config> config);

  bool answer_now(const http::Request& request, http::Response& response) override;
  net::Task<http::Response> answer(http::Request& request) override;

  // Any thread. `paths`: "/", "/img/a.png", "/img/*", "/*"; they hold at every distribution. `tags`: without '#';
  // raised in the Tags that the gateway shares. kMalformed names the first that is neither; then nothing was done.
  Result<Receipt> invalidate(const std::vector<std::string>& paths, const std::vector<std::string>& tags,
                             Strength strength);
  // The same for one distribution's paths, as CreateInvalidation. kNotFound: no such distribution.
  Result<Receipt> invalidate_at(std::string_view distribution, const std::vector<std::string>& paths,
                                const std::vector<std::string>& tags, Strength strength);

  // Any thread.
  Statistics statistics() const;

  // On every worker, before it stops: closes connections to custom origins.
  void close_on_worker();

 private:
  friend void add_operations(aws::Operations& operations, Edge& edge, Raised raised);
  std::unique_ptr<Engine> engine_;
};

}  // namespace securebase::edge
