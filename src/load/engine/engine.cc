#include "load/engine/engine.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <condition_variable>
#include <thread>

#include "base/descriptor.h"
#include "net/task_group.h"
#include "net/worker.h"

namespace securebase::load {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

// Arrivals beyond so many users at work are skipped even where a phase names no limit: they would fill the memory.
constexpr std::uint64_t kMostUsers = 200'000;
// After so many arrivals without a pause the sockets get their turn.
constexpr int kArrivalsInARow = 32;

std::chrono::nanoseconds cpu_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

// What the workers share.
struct Common {
  const EngineSettings& settings;
  std::shared_ptr<const net::TlsClient> tls;
  base::SteadyPoint begin;
  std::atomic<std::uint64_t> users = 0;  // at work, on all workers
  std::atomic<std::uint32_t> phase = 0;  // of the latest arrival

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t workers_done = 0;  // guarded by mutex
};

// One worker's part of the run. Made and used on its worker.
class Station {
 public:
  Station(Common& common, Recorder& recorder, Schedule schedule)
      : common_(common),
        context_(recorder, common.tls.get(), common.settings.limits),
        schedule_(std::move(schedule)),
        end_(common.begin + schedule_.duration()),
        grace_(net::Worker::current()) {
    context_.measured_from = common.begin + common.settings.warm_up;
    context_.phases_end = end_;
    if (common.settings.pool) shared_.emplace(context_, *common.settings.pool);
  }

  void begin(std::unique_ptr<Flow> flow) {
    flow_ = std::move(flow);
    net::Worker::current().tasks().spawn(run(*this));
  }
  WorkerContext& context() { return context_; }
  void stop() {
    if (!context_.stop.requested()) unfinished_ = users_.running();
    context_.stop.request();
  }
  // When it is done.
  void add_to(Generator& generator) const {
    Generator mine;
    mine.arrivals = arrivals_;
    mine.skipped = skipped_;
    mine.overflowed = overflowed_;
    mine.lateness_ms = lateness_.sketch();
    mine.lag_ms = lag_.sketch();
    mine.own_failures = context_.own_failures;
    mine.unfinished = unfinished_;
    const auto wall = cpu_until_ - cpu_from_;
    if (wall > wall.zero()) mine.busiest_worker = std::chrono::duration<double>(cpu_) / wall;
    generator.merge(mine);
  }

 private:
  static net::Task<void> run(Station& self) {
    const auto begin = self.common_.begin;
    if (begin > Clock::now()) static_cast<void>(co_await net::sleep_for(begin - Clock::now()));
    net::TaskGroup watch;
    watch.spawn(sweep(self));
    co_await pace(self).under(self.context_.stop);
    if (const auto grace = self.common_.settings.grace) {
      self.grace_.start(std::max(self.end_ + *grace - Clock::now(), Clock::duration{}), [&self] { self.stop(); });
    }
    co_await self.users_.drain();
    self.grace_.cancel();
    co_await watch.close();
    self.shared_.reset();
    self.flow_.reset();
    const std::lock_guard lock(self.common_.mutex);
    ++self.common_.workers_done;
    self.common_.changed.notify_all();
  }

  static net::Task<void> pace(Station& self) {
    int in_a_row = 0;
    Grouping grouping;
    while (auto arrival = self.schedule_.next()) {
      const auto intended = self.common_.begin + grouping.due(arrival->at);
      auto now = Clock::now();
      if (intended > now || ++in_a_row == kArrivalsInARow) {
        in_a_row = 0;
        auto slept = co_await net::sleep_for(std::max(intended - now, Clock::duration{}));
        if (!slept) co_return;
        now = Clock::now();
      }
      self.arrive(*arrival, intended, now);
    }
    // The run lasts as long as its phases, also the last pause.
    if (self.end_ > Clock::now()) static_cast<void>(co_await net::sleep_for(self.end_ - Clock::now()));
  }

  void arrive(const Arrival& arrival, base::SteadyPoint intended, base::SteadyPoint now) {
    const bool measured = intended >= context_.measured_from;
    common_.phase.store(arrival.phase, std::memory_order_relaxed);
    const auto asked = schedule_.phases()[arrival.phase].max_users.value_or(kMostUsers);
    if (measured) {
      ++arrivals_;
      lateness_.add(Milliseconds(now - intended).count());
    }
    const auto most = std::min(asked, kMostUsers);
    // Looked at and taken at once: workers that looked first would all find the last place.
    auto users = common_.users.load(std::memory_order_relaxed);
    while (users < most && !common_.users.compare_exchange_weak(users, users + 1, std::memory_order_relaxed)) continue;
    if (users >= most) {
      if (measured) ++(users < kMostUsers ? skipped_ : overflowed_);
      flow_->skipped(arrival);
      return;
    }
    users_.spawn(user(*this, arrival, intended));
  }

  static net::Task<void> user(Station& self, Arrival arrival, base::SteadyPoint intended) {
    {
      Session session(self.context_, arrival, intended, self.shared_ ? &*self.shared_ : nullptr);
      co_await self.flow_->walk(session).under(self.context_.stop);
    }
    self.common_.users.fetch_sub(1, std::memory_order_relaxed);
  }

  // Ends what took too long, and watches how late this thread is itself.
  static net::Task<void> sweep(Station& self) {
    auto due = Clock::now() + kSweep;
    for (;;) {
      auto slept = co_await net::sleep_for(due - Clock::now());
      if (!slept) co_return;
      const auto now = Clock::now();
      self.context_.sweeper.sweep(now);
      if (now >= self.context_.measured_from && now <= self.end_ + kSweep) {
        self.lag_.add(Milliseconds(now - due).count());
        const auto cpu = cpu_of(CLOCK_THREAD_CPUTIME_ID);
        if (self.cpu_from_ == base::SteadyPoint{}) {
          self.cpu_from_ = now;
          self.cpu_before_ = cpu;
        }
        self.cpu_until_ = now;
        self.cpu_ = cpu - self.cpu_before_;
      }
      due = std::max(due + kSweep, now);
    }
  }

  Common& common_;
  WorkerContext context_;
  Schedule schedule_;
  const base::SteadyPoint end_;
  std::unique_ptr<Flow> flow_;
  std::optional<Connections> shared_;
  net::TaskGroup users_;
  net::Timer grace_;
  std::uint64_t arrivals_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t overflowed_ = 0;
  std::uint64_t unfinished_ = 0;
  Histogram lateness_;
  Histogram lag_;
  base::SteadyPoint cpu_from_;
  base::SteadyPoint cpu_until_;
  std::chrono::nanoseconds cpu_before_{};
  std::chrono::nanoseconds cpu_{};
};

}  // namespace

void Generator::merge(const Generator& other) {
  arrivals += other.arrivals;
  skipped += other.skipped;
  overflowed += other.overflowed;
  lateness_ms.merge(other.lateness_ms);
  lag_ms.merge(other.lag_ms);
  busiest_worker = std::max(busiest_worker, other.busiest_worker);
  cpu_seconds += other.cpu_seconds;
  wall_seconds = std::max(wall_seconds, other.wall_seconds);
  own_failures += other.own_failures;
  unfinished += other.unfinished;
}

std::vector<std::string> why_invalid(const Generator& generator, double tightest_ms) {
  constexpr double kShare = 0.1;             // of the tightest threshold
  constexpr double kWithoutThreshold = 100;  // ms
  constexpr double kBusy = 0.95;
  std::vector<std::string> reasons;
  const double allowed = kShare * (tightest_ms > 0 ? tightest_ms : kWithoutThreshold);
  const auto late = generator.lateness_ms.percentile(99);
  if (late && *late > allowed) {
    reasons.push_back(fmt::format(
        "arrivals were late: p99 of sending after the intended time is {:.1f} ms, and {:.1f} ms are allowed "
        "(a tenth of the tightest threshold)",
        *late, allowed));
  }
  const auto lag = generator.lag_ms.percentile(99);
  if (lag && *lag > allowed && !(late && *late > allowed)) {
    reasons.push_back(fmt::format(
        "the generator was late: p99 of its own timers is {:.1f} ms behind, and {:.1f} ms are allowed (a tenth of the "
        "tightest threshold)",
        *lag, allowed));
  }
  if (generator.busiest_worker > kBusy) {
    reasons.push_back(
        fmt::format("a thread of the generator was busy {:.0f} % of the time: it was the limit; give it "
                    "more threads (--threads) or machines (--worker), or a lower rate",
                    generator.busiest_worker * 100));
  }
  if (generator.own_failures > 0) {
    reasons.push_back(
        fmt::format("{} connections failed here, not at the target: out of descriptors (ulimit -n) or of "
                    "local ports",
                    generator.own_failures));
  }
  // What a phase's own bound skipped is what was asked for, and counted (Artillery's vusers.skipped).
  if (generator.overflowed > 0) {
    reasons.push_back(
        fmt::format("{} arrivals were skipped: {} users were at work, which is as many as one machine takes",
                    generator.overflowed, kMostUsers));
  }
  return reasons;
}

struct Engine::Impl {
  EngineSettings settings;
  Collector& collector;
  MakeFlow make_flow;
  std::shared_ptr<const net::TlsClient> tls;
  std::vector<Schedule> schedules;  // one to a worker

  Generator run(const std::function<void(const Progress&)>& each_second, const std::atomic<bool>& stop_wanted);
};

Result<std::unique_ptr<Engine>> Engine::make(EngineSettings settings, Collector& collector, MakeFlow make_flow) {
  check(settings.workers > 0, "an engine has a thread");
  std::vector<Schedule> schedules;
  for (std::size_t i = 0; i < settings.workers; ++i) {
    Schedule::Share share;
    share.of = settings.share.of * settings.workers;
    share.index = settings.share.index + settings.share.of * i;
    auto schedule = Schedule::make(settings.phases, share);
    if (!schedule) return schedule.error();
    schedules.push_back(std::move(*schedule));
  }
  auto tls = net::TlsClient::make(settings.tls);
  if (!tls) return tls.error();
  return std::unique_ptr<Engine>(new Engine(std::unique_ptr<Impl>(
      new Impl{std::move(settings), collector, std::move(make_flow), std::move(*tls), std::move(schedules)})));
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Generator Engine::run(const std::function<void(const Progress&)>& each_second) {
  return impl_->run(each_second, stop_wanted_);
}

Generator Engine::Impl::run(const std::function<void(const Progress&)>& each_second,
                            const std::atomic<bool>& stop_wanted) {
  constexpr std::chrono::milliseconds kStart{20};  // until all workers are ready
  constexpr std::chrono::milliseconds kLook{100};  // how often stop() is looked for
  base::raise_descriptor_limit();                  // every user has a socket
  Common common{settings, tls, Clock::now() + kStart, 0, 0, {}, {}, 0};
  const auto measured_from = common.begin + settings.warm_up;
  net::Workers workers(settings.workers);
  std::vector<std::unique_ptr<Station>> stations(settings.workers);
  // Before the first user, however late this thread gets the CPU afterwards: what is recorded before a start is
  // dropped, and flows record nothing before measured_from.
  collector.start(measured_from);
  workers.on_each([&](net::Worker& worker) {
    const auto i = worker.index();
    stations[i] = std::make_unique<Station>(common, collector.make_recorder(), std::move(schedules[i]));
    stations[i]->begin(make_flow(stations[i]->context(), i));
  });
  bool warm = settings.warm_up == settings.warm_up.zero();
  bool stopped = false;
  auto cpu_before = cpu_of(CLOCK_PROCESS_CPUTIME_ID);
  auto next = common.begin + std::chrono::seconds{1};
  std::unique_lock lock(common.mutex);
  while (common.workers_done < settings.workers) {
    common.changed.wait_until(lock, std::min(next, Clock::now() + kLook));
    lock.unlock();
    const auto now = Clock::now();
    if (stop_wanted.load(std::memory_order_relaxed) && !stopped) {
      stopped = true;
      workers.on_each([&](net::Worker& worker) { stations[worker.index()]->stop(); });
    }
    if (!warm && now >= measured_from) {
      warm = true;
      cpu_before = cpu_of(CLOCK_PROCESS_CPUTIME_ID);
      next = measured_from + std::chrono::seconds{1};
    }
    if (now >= next) {
      next += std::chrono::seconds{1} * ((now - next) / std::chrono::seconds{1} + 1);
      collector.collect();
      Progress progress;
      progress.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - common.begin);
      progress.phase = common.phase.load(std::memory_order_relaxed);
      progress.users = common.users.load(std::memory_order_relaxed);
      progress.warming_up = !warm;
      if (each_second) each_second(progress);
    }
    lock.lock();
  }
  lock.unlock();
  Generator generator;
  const auto measured_for = Clock::now() - measured_from;
  generator.wall_seconds = std::max(0.0, std::chrono::duration<double>(measured_for).count());
  generator.cpu_seconds = std::chrono::duration<double>(cpu_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_before).count();
  collector.finish();
  workers.on_each([&](net::Worker& worker) {
    stations[worker.index()]->add_to(generator);
    stations[worker.index()].reset();
  });
  workers.stop();
  return generator;
}

}  // namespace securebase::load
