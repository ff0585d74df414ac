// What Logs is made of.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "logs/config.h"
#include "logs/logs.h"
#include "logs/metrics.h"
#include "logs/sink.h"
#include "logs/store/scan.h"
#include "logs/store/store.h"
#include "logs/store/troubles.h"
#include "logs/taps/metric_filters.h"
#include "logs/taps/subscription_queue.h"
#include "logs/taps/subscriptions.h"

namespace securebase::logs {

struct Logs::Engine {
  Engine(Settings given, telemetry::Registry& registry, const base::Clock& clock, std::unique_ptr<Store> store,
         std::unique_ptr<SubscriptionQueue> queue);
  ~Engine();

  // Stores events of one stream, which come from a room or a client, and lets the taps see them.
  Result<Done> put(std::string_view group, std::string_view stream, std::span<const Event> events);
  // The same, into a group that is there.
  Result<Done> put(Group& group, std::string_view stream, std::span<const Event> events);
  Result<Done> apply(const Config& config);
  std::string group_arn(std::string_view name) const;  // without ":*"

  const Settings settings;
  telemetry::Registry& registry;
  const base::Clock& clock;
  std::unique_ptr<Store> store;
  StoreSource source;
  Connections connections;
  std::unique_ptr<SubscriptionQueue> subscriptions;
  std::atomic<bool> connected{false};

  // What is done with the events of a group beside storing them, and what counts them.
  struct Taps {
    std::shared_ptr<const GroupSettings> made_of;
    std::shared_ptr<MetricFilters> metrics;
    std::shared_ptr<const SubscriptionFilters> subscriptions;
    telemetry::Counter* events = nullptr;
    telemetry::Counter* bytes = nullptr;
  };
  Taps taps_of(const std::shared_ptr<const GroupSettings>& settings);
  void tell(const Taps& taps, std::string_view stream, std::span<const Event> events, std::uint64_t first_sequence);

  std::mutex taps_mutex;
  std::map<std::string, Taps, std::less<>> taps;  // guarded by taps_mutex
  std::mutex applying;
  std::mutex lost_metrics_mutex;
  Troubles lost_metrics;     // guarded by lost_metrics_mutex
  Troubles lost_lines;       // the sink's thread
  std::optional<Sink> sink;  // last: ends first
};

}  // namespace securebase::logs
