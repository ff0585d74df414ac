#include "platform/uptime.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/log.h"

namespace securebase::platform {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSynthetics = "CloudWatchSynthetics";
constexpr std::string_view kPerformance = "SecureBase/Performance";
constexpr std::size_t kAtOnce = 4096;  // probes

double milliseconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000; }

}  // namespace

std::vector<UptimeSample> samples_of(const prober::Probe& probe) {
  const auto sample = [&probe](std::string_view name_space, std::string_view metric, std::string_view unit,
                               double value) {
    return UptimeSample{name_space, metric, unit, probe.target, probe.begin, value, 1};
  };
  std::vector<UptimeSample> samples{
      sample(kSynthetics, "SuccessPercent", "Percent", probe.succeeded() ? 100 : 0),
      sample(kSynthetics, "Duration", "Milliseconds", milliseconds(probe.total)),
  };
  if (probe.status != 0) {
    samples.push_back(sample(kPerformance, "TimeToFirstByte", "Milliseconds", milliseconds(probe.first_byte)));
  }
  return samples;
}

std::vector<UptimeSample> samples_of(const prober::Outage& outage, const std::string& canary,
                                     std::chrono::milliseconds interval) {
  std::vector<UptimeSample> samples;
  for (auto at = outage.from + interval; at < outage.to;) {
    const auto minute = std::chrono::floor<std::chrono::minutes>(at) + std::chrono::minutes{1};
    const auto end = std::min<base::TimePoint>(minute, outage.to);
    const auto count = static_cast<std::uint64_t>((end - at + interval - base::TimePoint::duration{1}) / interval);
    samples.push_back({kSynthetics, "SuccessPercent", "Percent", canary, at, 0, count});
    at += interval * static_cast<std::int64_t>(count);
  }
  return samples;
}

Uptime::Uptime(fs::path directory, prober::Heartbeat heartbeat, const base::Clock& clock, Record record,
               Persist persist, std::function<Result<Done>()> canaries)
    : directory_(std::move(directory)),
      clock_(clock),
      record_(std::move(record)),
      persist_(std::move(persist)),
      canaries_(std::move(canaries)),
      heartbeat_(std::move(heartbeat)) {}

Result<std::unique_ptr<Uptime>> Uptime::start(fs::path directory, fs::path log, std::vector<prober::Target> targets,
                                              Canaries canaries, process::Supervisor& supervisor,
                                              const base::Clock& clock, Record record, Persist persist) {
  auto heartbeat = prober::Heartbeat::begin(directory / "heartbeat", clock.now());
  if (!heartbeat) return heartbeat.error().within("the heartbeat");
  std::unique_ptr<Uptime> made(new Uptime(directory, std::move(*heartbeat), clock, std::move(record),
                                          std::move(persist), std::move(canaries.catch_up)));
  prober::Settings settings;
  settings.directory = directory;
  settings.targets = std::move(targets);
  settings.canaries = std::move(canaries.file);
  if (const auto& outage = made->heartbeat_.outage()) {
    base::log(base::Level::kWarning, "uptime", "the last run ended without a stop; down from {} to {}",
              base::iso8601(outage->from), base::iso8601(outage->to));
    for (const auto& target : settings.targets) {
      auto samples = samples_of(*outage, target.name, settings.interval);
      made->outage_.insert(made->outage_.end(), samples.begin(), samples.end());
    }
    for (const auto& [name, every] : canaries.every) {
      auto samples = samples_of(*outage, name, every);
      made->outage_.insert(made->outage_.end(), samples.begin(), samples.end());
    }
  }
  made->outage_kept_ = !made->heartbeat_.outage();
  made->kept_ = prober::read_position(directory / "position");
  made->journal_.emplace(directory, made->kept_);

  std::error_code failure;
  const std::string self = fs::read_symlink("/proc/self/exe", failure).native();
  process::ChildSpec spec;
  spec.name = "prober";
  spec.command.argv = prober::arguments(settings);
  spec.command.argv.insert(spec.command.argv.begin(), self);
  spec.command.environment = {{"LANG", "C.UTF-8"}};
  spec.log = std::move(log);
  spec.grace = std::chrono::milliseconds{1000};
  made->child_ = supervisor.add(std::move(spec));
  made->thread_ = std::thread([uptime = made.get()] { uptime->run(); });
  return made;
}

Uptime::~Uptime() { stop(); }

void Uptime::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
  }
  ending_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (child_) child_->stop();
  if (auto done = keep_outage(); !done) base::log(base::Level::kWarning, "uptime", "{}", done.error().message);
  if (auto done = catch_up(); !done) base::log(base::Level::kWarning, "uptime", "{}", done.error().message);
  if (auto done = heartbeat_.stop(clock_.now()); !done) {
    base::log(base::Level::kWarning, "uptime", "{}", done.error().message);
  }
}

void Uptime::run() {
  std::string trouble;  // told once, not each second
  std::unique_lock lock(mutex_);
  while (!ending_.wait_for(lock, std::chrono::seconds{1}, [this] { return stopped_; })) {
    lock.unlock();
    auto done = once();
    const std::string now = done ? "" : done.error().message;
    if (now != trouble && !now.empty()) base::log(base::Level::kWarning, "uptime", "{}", now);
    trouble = now;
    lock.lock();
  }
}

Result<Done> Uptime::once() {
  if (auto kept = keep_outage(); !kept) return kept;
  if (auto beaten = heartbeat_.beat(clock_.now()); !beaten) return beaten;
  return catch_up();
}

// Before the first beat, which is the end of what the heartbeat knows of it.
Result<Done> Uptime::keep_outage() {
  if (outage_kept_) return Done{};
  if (!outage_.empty()) {
    if (auto recorded = record_(outage_); !recorded) return recorded.error().within("the outage before this start");
    outage_.clear();
  }
  if (auto persisted = persist_(); !persisted) return persisted.error().within("the outage before this start");
  outage_kept_ = true;
  return Done{};
}

Result<Done> Uptime::catch_up() {
  if (auto done = probes_catch_up(); !done) return done;
  return canaries_ ? canaries_() : Done{};
}

Result<Done> Uptime::probes_catch_up() {
  for (;;) {
    if (waiting_.empty()) {
      auto probes = journal_->read(kAtOnce);
      if (!probes) return probes.error();
      if (probes->empty()) break;
      for (const auto& probe : *probes) {
        auto samples = samples_of(probe);
        waiting_.insert(waiting_.end(), samples.begin(), samples.end());
      }
    }
    if (auto recorded = record_(waiting_); !recorded) return recorded.error().within("what the prober saw");
    waiting_.clear();
  }
  const auto position = journal_->position();
  if (position == kept_) return Done{};
  if (auto persisted = persist_(); !persisted) return persisted.error().within("what the prober saw");
  if (auto written = prober::write_position(directory_ / "position", position); !written) return written;
  kept_ = position;
  return Done{};
}

}  // namespace securebase::platform
