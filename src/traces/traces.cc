#include "traces/traces.h"

#include <fmt/format.h>

#include "traces/engine.h"

namespace securebase::traces {

using base::Json;

Traces::Traces(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Traces::~Traces() { stop(); }

Result<std::unique_ptr<Traces>> Traces::open(Settings settings, telemetry::Spans& spans, const base::Clock& clock) {
  auto engine = std::make_unique<Engine>(std::move(settings), spans, clock);
  const auto& said = engine->settings;
  auto store = Store::open({.directory = said.directory, .retention = said.retention, .bytes = said.bytes}, clock);
  if (!store) return store.error();
  engine->store = std::move(*store);
  engine->keeper = std::make_unique<Keeper>(*engine->store);
  auto rules = SamplingRules::open(said.directory / "sampling-rules.json", clock,
                                   fmt::format("arn:aws:xray:{}:{}", said.region, said.account));
  if (!rules) return rules.error();
  engine->rules = std::move(*rules);
  engine->questions = std::make_unique<DaemonQuestions>(*engine->rules);
  Collector::Kept kept;
  if (said.post_otlp) {
    engine->exporter = std::make_unique<otlp::Exporter>(otlp::Exporter::Limits{}, said.post_otlp);
    kept = [exporter = engine->exporter.get()](const Records& records) { exporter->add(records); };
  }
  engine->collector = std::make_unique<Collector>(spans, *engine->store, clock, std::move(kept));
  spans.set_sampler(engine->rules.get());
  return std::unique_ptr<Traces>(new Traces(std::move(engine)));
}

Result<Done> Traces::start_daemon(const std::string& host, std::uint16_t port) {
  auto daemon = Daemon::start(host, port, *engine_->collector, engine_->clock);
  if (!daemon) return daemon.error();
  engine_->daemon = std::move(*daemon);
  return Done{};
}

http::Handler& Traces::daemon_questions() { return *engine_->questions; }

void Traces::stop_export() {
  if (engine_->exporter) engine_->exporter->end();
}

void Traces::stop() {
  stop_export();
  engine_->spans.set_sampler(nullptr);
  engine_->daemon.reset();
  engine_->collector->stop();
}

Json Traces::status() const {
  const auto collected = engine_->collector->statistics();
  const auto stored = engine_->store->statistics();
  Json json = Json::object({{"requests", collected.traces},
                            {"kept", collected.kept},
                            {"over_budget", collected.over_budget},
                            {"spans_lost", collected.spans_lost},
                            {"documents", collected.documents},
                            {"documents_lost", collected.documents_lost},
                            {"stored_traces", stored.traces},
                            {"stored_bytes", stored.bytes}});
  if (engine_->exporter) {
    const auto told = engine_->exporter->statistics();
    json.set("otlp_sent", told.sent);
    json.set("otlp_lost", told.lost);
    json.set("otlp_failures", told.failures);
    json.set("otlp_rejected_spans", told.rejected_spans);
  }
  if (engine_->daemon) {
    const auto daemon = engine_->daemon->statistics();
    json.set("datagrams", daemon.datagrams);
    json.set("datagrams_refused", daemon.refused);
  }
  return json;
}

}  // namespace securebase::traces
