// The door of real user monitoring: page loads as the browsers of visitors saw them (CloudWatch RUM).
//
//   browser --GET /_securebase/page.js--> Rum        a script of some hundred bytes, served beside the page
//           --POST /_securebase/page----> Rum        what it measured, once, when the page is left
//           --anything else-------------> Rum --> the handler behind it, the edge
//
// Rum stands in front of the edge because both paths belong to every host that the edge answers for: the same origin,
// so no policy of a page and no blocker of other people's trackers is in the way. To answers that the edge had to work
// for it adds Server-Timing: trace;desc="<trace id>", which a browser shows to scripts: that is how a page view knows
// the traces of its own API calls. Beacons hold no cookie, no user agent and no address, and are believed only within
// bounds (beacon.h). It is on where the stack has an aws_rum_app_monitor. docs/rum.md tells what is measured how.
//
// Threads: one Rum for all workers; everything may be called from any thread, answers are made on the worker that asks.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "net/http/message.h"
#include "stack/stack.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace securebase::aws {
class Operations;
}

namespace securebase::rum {

inline constexpr std::string_view kScriptPath = "/_securebase/page.js";
inline constexpr std::string_view kBeaconPath = "/_securebase/page";

// Adds aws_rum_app_monitor.
void declare(stack::Catalogue& catalogue);

struct Monitor {
  std::string name;                  // the dimension application_name
  std::vector<std::string> domains;  // "localhost", "www.example.com", "*.example.com", in lower case
  double sample_rate = 0.1;          // of page views, by chance; 0 to 1
  std::string log_group;             // "": page views are not logged
  std::string id = {};               // a UUID, by its name
  std::map<std::string, std::string> tags = {};
};
struct Config {
  std::vector<Monitor> monitors;
};
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

// One page load, from the browser's start of the navigation to the moment when the page was left. Times are
// milliseconds since that start. Empty: the browser does not measure it, or the page was left before.
struct Timings {
  std::optional<double> first_byte;          // TTFB
  std::optional<double> first_paint;         // FCP
  std::optional<double> largest_paint;       // LCP
  std::optional<double> dom_content_loaded;  // the document is parsed and its deferred scripts have run
  std::optional<double> load;                // the load event has ended
  std::optional<double> next_paint;          // INP: the slowest interaction, or nearly so of many
  std::optional<double> layout_shift;        // CLS: a score, not a time
  bool operator==(const Timings&) const = default;
};

struct View {
  base::TimePoint time;  // when the beacon came
  std::string application;
  std::string path;  // as the browser had it
  std::string page;  // of bounded number: "/invoices/{id}"
  Timings timings;
  std::uint32_t script_errors = 0;
  std::vector<std::string> traces;  // "1-5759e988-bd862e3fe1be46a994272793", the slowest call first
};

struct Statistics {
  std::uint64_t views = 0;
  std::uint64_t refused = 0;  // beacons that are none
  std::uint64_t dropped = 0;  // beyond kViewsPerSecond
};

struct Doors {  // all outlive the Rum
  http::Handler& next;
  telemetry::Registry& registry;
  telemetry::LogSink* logs = nullptr;  // null: page views are not logged
  const base::Clock& clock = base::system_clock();
  std::filesystem::path directory = {};  // of the newest page views; empty: they end with this process
};

class ViewJournal;

class Rum final : public http::Handler {
 public:
  // Anybody can send beacons: what they can make us hold and do is bounded.
  static constexpr std::size_t kKeptViews = 1000;      // the newest
  static constexpr std::size_t kViewsPerSecond = 500;  // further ones are answered 429 and counted
  static constexpr std::size_t kPages = 50;            // an application; further ones are one page, "(other)"

  explicit Rum(Doors doors);
  ~Rum() override;

  void apply(std::shared_ptr<const Config> config);

  bool answer_now(const http::Request& request, http::Response& response) override;
  net::Task<http::Response> answer(http::Request& request) override;

  std::shared_ptr<const Config> config() const;  // in force
  // The newest first.
  std::vector<View> views() const;
  Statistics statistics() const;

 private:
  struct Live;
  struct Recorders;
  http::Response take(const Live& live, const http::Request& request, std::string_view body);
  void record(const View& view);
  Recorders& recorders(const std::string& application, const std::string& page);

  const Doors doors_;
  base::Snapshot<Live> live_;

  mutable std::mutex mutex_;              // guards what follows; held for microseconds, and only for beacons
  std::deque<View> views_;                // the newest last
  std::unique_ptr<ViewJournal> journal_;  // null: none
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Recorders>> recorders_;  // by application and page
  Statistics statistics_;
  std::chrono::seconds second_{0};
  std::size_t in_second_ = 0;
};

// Answers the RUM API's reading operations (api.cc). `rum` outlives them.
void add_operations(aws::Operations& operations, const Rum& rum);

// `securebase rum`: each page with its page views, p75 of the vitals and p95 of the load; then single views with their
// traces, the slowest or the newest first. At most `most` views.
enum class Order { kNewest, kSlowest };
std::string render(const std::vector<View>& views, Order order, std::size_t most);
base::Json to_json(const std::vector<View>& views, Order order, std::size_t most);

}  // namespace securebase::rum
