#include "monitoring/metrics/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aws/gzip.h"
#include "base/log.h"
#include "monitoring/metrics/exposition.h"

namespace securebase::monitoring {

using namespace std::chrono_literals;

namespace {

// Of an OTLP request: eight MiB that compress well, as series with long names do.
constexpr std::size_t kUnpackedBytes = std::size_t{64} << 20;

}  // namespace

// At the beginning of each second, what happened in the one before.
void Metrics::Engine::collect_each_second() {
  std::unique_lock lock(mutex);
  for (;;) {
    const auto now = clock.now();
    const auto next = std::chrono::floor<std::chrono::seconds>(now) + 1s;
    if (wake.wait_for(lock, next - now, [this] { return stopping; })) break;
    lock.unlock();
    collector.collect(std::chrono::floor<std::chrono::seconds>(clock.now()) - 1s);
    // At once, so that what happened a second ago is on disk, not what was collected a second ago.
    if (auto written = store->tick(); !written) {
      base::log(base::Level::kError, "monitoring", "{}", written.error().message);
    }
    lock.lock();
  }
  collector.collect(clock.now());
}

Result<std::unique_ptr<Metrics>> Metrics::open(MetricsSettings settings, telemetry::Registry& registry,
                                               const base::Clock& clock) {
  Store::Settings of_store;
  of_store.directory = std::move(settings.directory);
  of_store.series_limit = settings.series_limit;
  of_store.head_bytes = settings.memory_bytes;
  auto store = Store::open(std::move(of_store), clock);
  if (!store) return store.error();
  auto engine = std::make_unique<Engine>(registry, clock, std::move(*store));
  Engine& started = *engine;
  started.thread = std::thread([&started] { started.collect_each_second(); });
  return std::unique_ptr<Metrics>(new Metrics(std::move(engine)));
}

Metrics::Metrics(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

Metrics::~Metrics() {
  {
    const std::lock_guard lock(engine_->mutex);
    engine_->stopping = true;
  }
  engine_->wake.notify_all();
  engine_->thread.join();
}

const Series& Metrics::series() const { return *engine_->store; }

Result<Done> Metrics::write() { return engine_->store->tick(); }

Result<Done> Metrics::put(std::span<const MetricSamples> samples) {
  std::vector<Datum> data;
  data.reserve(samples.size());
  for (const auto& one : samples) {
    const auto unit = unit_number(one.unit);
    if (!unit) return Error{Errc::kMalformed, "\"" + one.unit + "\" is no unit of CloudWatch's"};
    if (one.metric.name_space.empty() || one.metric.name.empty()) {
      return Error{Errc::kMalformed, "a metric has a namespace and a name; one of them is empty"};
    }
    Datum datum{one.metric, *unit, one.high_resolution ? Resolution::kSecond : Resolution::kMinute, one.time, {}};
    std::ranges::sort(datum.metric.dimensions);
    for (const auto& [value, times] : one.values) {
      if (!std::isfinite(value)) {
        return Error{Errc::kMalformed, "a value of metric " + one.metric.name + " is not a finite number"};
      }
      datum.samples.add(value, times);
    }
    data.push_back(std::move(datum));
  }
  return engine_->store->put(data);
}

Result<std::string> Metrics::take_otlp(std::string_view body, std::string_view content_type,
                                       std::string_view encoding) {
  if (encoding.empty() || encoding == "identity") return engine_->intake.take(body, content_type);
  if (encoding != "gzip") {
    return Error{Errc::kUnsupported,
                 fmt::format("the body is encoded in \"{}\"; send it in gzip, or as it is", encoding.substr(0, 40))};
  }
  auto unpacked = aws::gunzip(body, kUnpackedBytes);
  if (!unpacked) return unpacked.error();
  return engine_->intake.take(*unpacked, content_type);
}

Result<Done> Metrics::start_exports(const ExportSettings& settings, net::Worker& worker, net::Pool& pool) {
  auto made = exports::Exporter::make(settings, engine_->registry, *engine_->store, engine_->clock, worker, pool);
  if (!made) return made.error();
  engine_->exporter = std::move(*made);
  engine_->exporter->start();
  return Done{};
}

void Metrics::stop_exports() {
  if (engine_->exporter) engine_->exporter->stop();
}

std::string Metrics::exposition(std::string_view accept, std::string& content_type) const {
  const auto format = exposition_format(accept);
  content_type = content_type_of(format);
  return expose(engine_->registry, *engine_->store, format, engine_->clock.now());
}

}  // namespace securebase::monitoring
