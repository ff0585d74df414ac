#include "monitoring/exports/exporter.h"

#include <future>

#include "base/log.h"
#include "monitoring/exports/otlp_request.h"
#include "monitoring/exports/remote_write.h"

namespace securebase::monitoring::exports {

namespace {

using net::Task;
using std::chrono::milliseconds;

constexpr milliseconds kLastAttempt{2000};  // what an orderly end waits for the receivers
constexpr milliseconds kLook{20};

}  // namespace

Exporter::Exporter(const ExportSettings& settings, telemetry::Registry& registry, const Store& store,
                   const base::Clock& clock, net::Worker& worker, net::Pool& pool)
    : interval_(settings.interval),
      queues_(settings.queues),
      clock_(clock),
      worker_(worker),
      pool_(pool),
      snapshots_(registry, store, clock.now()) {}

Exporter::~Exporter() { stop(); }

Result<std::unique_ptr<Exporter>> Exporter::make(const ExportSettings& settings, telemetry::Registry& registry,
                                                 const Store& store, const base::Clock& clock, net::Worker& worker,
                                                 net::Pool& pool) {
  if (settings.interval < milliseconds{1}) return Error{Errc::kMalformed, "exports have an interval above 0"};
  auto tls = net::TlsClient::make({});
  if (!tls) return tls.error().within("TLS for exports");
  std::unique_ptr<Exporter> made(new Exporter(settings, registry, store, clock, worker, pool));
  if (auto added =
          made->add(Protocol::kRemoteWrite, settings.remote_write_url, settings.remote_write_headers, *tls, registry);
      !added) {
    return added.error();
  }
  if (auto added = made->add(Protocol::kOtlp, settings.otlp_url, settings.otlp_headers, *tls, registry); !added) {
    return added.error();
  }
  return made;
}

Result<Done> Exporter::add(Protocol protocol, const std::string& url, const std::filesystem::path& fields,
                           const std::shared_ptr<const net::TlsClient>& tls, telemetry::Registry& registry) {
  if (url.empty()) {
    if (fields.empty()) return Done{};
    return Error{Errc::kMalformed, fields.native() + ": header fields for exports to nowhere; give the URL too"};
  }
  Outlet::Settings settings;
  settings.protocol = protocol;
  auto target = parse_target(url);
  if (!target) return target.error();
  settings.target = std::move(*target);
  Destination destination{std::make_unique<Outlet>(std::move(settings), tls, registry, clock_), fields};
  if (!queues_.empty()) {
    const auto file = queues_ / (std::string(to_string(protocol)) + ".queue");
    if (auto kept = destination.outlet->keep_in(file); !kept) return kept.error().within("the queue of exports");
  }
  if (!fields.empty()) {
    auto read = read_fields(fields);
    if (!read) return read.error();
    destination.outlet->set_fields(std::move(*read));
  }
  destinations_.push_back(std::move(destination));
  return Done{};
}

void Exporter::push() {
  const auto snapshot = snapshots_.take(clock_.now());
  for (auto& destination : destinations_) {
    // Read each time, so that a token is changed by changing its file.
    if (!destination.fields_file.empty()) {
      if (auto fields = read_fields(destination.fields_file)) {
        destination.outlet->set_fields(std::move(*fields));
      } else {
        base::log(base::Level::kWarning, "monitoring", "{}; those read last are used", fields.error().message);
      }
    }
    destination.outlet->push(destination.outlet->settings().protocol == Protocol::kRemoteWrite
                                 ? remote_write_requests(snapshot)
                                 : otlp_requests(snapshot));
  }
}

void Exporter::start() {
  if (destinations_.empty() || std::exchange(started_, true)) return;
  worker_.post([this] {
    running_ = std::make_unique<Running>();
    for (auto& destination : destinations_) running_->sending.spawn(destination.outlet->run());
    running_->pushing.spawn(push_each_interval());
  });
}

void Exporter::stop() {
  if (!std::exchange(started_, false)) return;
  std::promise<void> closed;
  worker_.post([this, &closed] {
    worker_.tasks().spawn([](Exporter& self, std::promise<void>& done) -> Task<void> {
      co_await self.close();
      done.set_value();
    }(*this, closed));
  });
  closed.get_future().wait();
  for (auto& destination : destinations_) destination.outlet->save();
}

// At multiples of the interval, so that several platforms' samples lie at the same times.
Task<void> Exporter::push_each_interval() {
  for (;;) {
    const auto now = std::chrono::floor<milliseconds>(clock_.now().time_since_epoch());
    auto slept = co_await net::sleep_for(interval_ - now % interval_);
    if (!slept) co_return;
    // A pool that is full leaves a round out; the next one has all of it.
    auto pushed = co_await pool_.run([this] { return push(), true; });
    if (!pushed && pushed.error().code == Errc::kCancelled) co_return;
  }
}

Task<void> Exporter::close() {
  co_await running_->pushing.close();
  auto pushed = co_await pool_.run([this] { return push(), true; });
  const auto nothing_waits = [this] {
    return std::all_of(destinations_.begin(), destinations_.end(),
                       [](const Destination& destination) { return destination.outlet->empty(); });
  };
  const auto end = clock_.steady() + kLastAttempt;
  while (pushed && !nothing_waits() && clock_.steady() < end) {
    auto slept = co_await net::sleep_for(kLook);
    if (!slept) break;
  }
  co_await running_->sending.close();
  running_.reset();
}

}  // namespace securebase::monitoring::exports
