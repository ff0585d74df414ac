// What stands behind the door.
#pragma once

#include "traces/collect/collector.h"
#include "traces/daemon/daemon.h"
#include "traces/otlp/export.h"
#include "traces/sampling/rules.h"
#include "traces/store/keeper.h"
#include "traces/store/store.h"
#include "traces/traces.h"

namespace securebase::traces {

struct Traces::Engine {
  Engine(Settings settings, telemetry::Spans& spans, const base::Clock& clock)
      : settings(std::move(settings)), spans(spans), clock(clock) {}

  const Settings settings;
  telemetry::Spans& spans;
  const base::Clock& clock;
  std::unique_ptr<Store> store;
  std::unique_ptr<Keeper> keeper;
  std::unique_ptr<SamplingRules> rules;
  std::unique_ptr<otlp::Exporter> exporter;  // null: nobody is told
  std::unique_ptr<Collector> collector;
  std::unique_ptr<Daemon> daemon;
  std::unique_ptr<DaemonQuestions> questions;
};

}  // namespace securebase::traces
