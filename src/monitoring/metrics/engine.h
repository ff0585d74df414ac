// What stands behind the door of metrics.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "monitoring/exports/exporter.h"
#include "monitoring/metrics/collector.h"
#include "monitoring/monitoring.h"
#include "monitoring/otlp/intake.h"

namespace securebase::monitoring {

struct Metrics::Engine {
  Engine(telemetry::Registry& registry, const base::Clock& clock, std::unique_ptr<Store> opened)
      : clock(clock),
        registry(registry),
        store(std::move(opened)),
        collector(registry, *store),
        intake(*store, clock) {}

  void collect_each_second();

  const base::Clock& clock;
  telemetry::Registry& registry;
  const std::unique_ptr<Store> store;
  Collector collector;  // the thread's
  otlp::Intake intake;
  std::unique_ptr<exports::Exporter> exporter;  // null: nothing is pushed

  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::thread thread;
};

}  // namespace securebase::monitoring
