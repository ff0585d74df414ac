// What the users of one run share. Made by run.cc, in order; constant while users run, but for what says otherwise.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "k6/console.h"
#include "k6/endpoints.h"
#include "k6/groups.h"
#include "k6/http_client.h"
#include "k6/interruption.h"
#include "k6/metrics.h"
#include "k6/modules.h"
#include "k6/options.h"
#include "k6/system_tags.h"

namespace securebase::k6 {

// Arrays of k6/data: elements as JSON, once for all users. Any thread.
class SharedArrays {
 public:
  std::optional<std::size_t> find(std::string_view name) const;
  // The first that comes with a name decides.
  std::size_t put(std::string_view name, std::vector<std::string> elements);
  std::size_t length(std::size_t array) const;
  const std::string* element(std::size_t array, std::size_t index) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> ids_;
  std::deque<std::vector<std::string>> arrays_;  // elements never change
};

// A scenario while it runs.
struct ScenarioRun {
  const Scenario* scenario = nullptr;
  Steady::time_point start{};
  std::int64_t start_ms = 0;              // wall time
  TagList tags;                           // scenario's own, "scenario" and the run's
  std::atomic<std::uint64_t> started{0};  // iterations: numbers for exec.scenario.iterationInTest
  std::atomic<std::uint64_t> completed{0};
};

struct Shared {
  Shared(Modules& modules_in, Metrics& metrics_in, Console& console_in)
      : modules(modules_in), metrics(metrics_in), console(console_in) {}

  Modules& modules;
  Metrics& metrics;
  Console& console;
  Groups groups;
  SharedArrays arrays;
  StopAll stop;
  std::map<std::string, std::string> environment;  // __ENV
  Options options;
  std::vector<Scenario> scenarios;
  std::string options_json;
  HttpShared* http = nullptr;            // none in the init context
  std::unique_ptr<Endpoints> endpoints;  // when somebody will look at them
  TagList run_tags;
  SystemTags system_tags;
  std::string user_agent;
  std::string setup_data = "";  // JSON; empty: none
  Steady::time_point start{};

  // Any thread.
  std::atomic<std::int64_t> users_active{0};
  std::atomic<std::int64_t> users_initialised{0};
  std::atomic<std::uint64_t> iterations_completed{0};
  std::atomic<std::uint64_t> iterations_interrupted{0};
  std::atomic<std::uint64_t> iterations_dropped{0};
  std::atomic<std::uint64_t> script_errors{0};
  std::atomic<bool> aborted_by_script{false};
  std::atomic<bool> marked_failed{false};
  std::atomic<std::int64_t> next_request{0};  // with options.rps: when the next request may begin
  // Sets of statuses that http.expectedStatuses() made; 0 is 200 to 399.
  struct Statuses {
    std::mutex mutex;
    std::deque<std::vector<std::pair<int, int>>> sets;
    std::map<std::string, int> ids;
  } statuses;
};

}  // namespace securebase::k6
