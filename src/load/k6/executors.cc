#include "k6/executors.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <deque>
#include <semaphore>

#include "k6/arrivals.h"
#include "k6/user_schedule.h"

namespace securebase::k6 {

namespace {

// How many users are still at it.
class Countdown {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void done() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) ended_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  int count_ = 0;
};

// Lends `users` users, each with its place, and waits until all have come back.
void with_users(Crew& crew, std::int64_t users, const std::function<void(User&, std::int64_t place)>& work) {
  Countdown busy;
  for (std::int64_t place = 0; place < users; ++place) {
    busy.add();
    const bool lent = crew.lend([&busy, &work, place](User& user) {
      work(user, place);
      busy.done();
    });
    if (lent) continue;
    busy.done();
    break;
  }
  busy.wait();
}

class Active {
 public:
  explicit Active(Shared& shared) : shared_(shared) { ++shared_.users_active; }
  ~Active() { --shared_.users_active; }
  Active(const Active&) = delete;
  Active& operator=(const Active&) = delete;

 private:
  Shared& shared_;
};

void share_iterations(ScenarioRun& run, Shared& shared, Crew& crew) {
  const Scenario& scenario = *run.scenario;
  const auto end = run.start + scenario.duration;
  std::atomic<std::int64_t> left{scenario.iterations};
  with_users(crew, scenario.vus, [&](User& user, std::int64_t) {
    const Active active(shared);
    while (!shared.stop.stopped() && Steady::now() < end && left.fetch_sub(1) > 0) {
      user.iterate(run, std::nullopt, end + scenario.graceful_stop);
    }
  });
  const auto undone = scenario.iterations - static_cast<std::int64_t>(run.started.load());
  if (undone > 0 && !shared.stop.stopped()) shared.iterations_dropped += static_cast<std::uint64_t>(undone);
}

void iterate_each(ScenarioRun& run, Shared& shared, Crew& crew) {
  const Scenario& scenario = *run.scenario;
  const auto end = run.start + scenario.duration;
  with_users(crew, scenario.vus, [&](User& user, std::int64_t) {
    const Active active(shared);
    for (std::int64_t i = 0; i < scenario.iterations && !shared.stop.stopped() && Steady::now() < end; ++i) {
      user.iterate(run, std::nullopt, end + scenario.graceful_stop);
    }
  });
}

void keep_users(ScenarioRun& run, Shared& shared, Crew& crew) {
  const Scenario& scenario = *run.scenario;
  const auto end = run.start + scenario.duration;
  with_users(crew, scenario.vus, [&](User& user, std::int64_t) {
    const Active active(shared);
    while (!shared.stop.stopped() && Steady::now() < end) user.iterate(run, std::nullopt, end + scenario.graceful_stop);
  });
}

void ramp_users(ScenarioRun& run, Shared& shared, Crew& crew) {
  const Scenario& scenario = *run.scenario;
  const auto end = run.start + scenario.regular_duration();
  with_users(crew, scenario.users_at_most(), [&](User& user, std::int64_t place) {
    for (const auto& stretch : stretches_of(scenario, place)) {
      if (!shared.stop.sleep_until(run.start + stretch.begin)) return;
      const auto until = run.start + stretch.end;
      const auto deadline = until >= end ? end + scenario.graceful_stop
                                         : std::min(until + scenario.graceful_ramp_down, end + scenario.graceful_stop);
      const Active active(shared);
      while (!shared.stop.stopped() && Steady::now() < until) user.iterate(run, std::nullopt, deadline);
    }
  });
}

// Iterations begin when they are due, whoever does them. Users wait in a queue; the controller wakes the first.
class OpenScenario {
 public:
  OpenScenario(ScenarioRun& run, Shared& shared, Crew& crew, load::Recorder& recorder)
      : run_(run),
        scenario_(*run.scenario),
        shared_(shared),
        crew_(crew),
        recorder_(recorder),
        deadline_(run.start + scenario_.regular_duration() + scenario_.graceful_stop) {}

  void carry_out() {
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    for (std::int64_t i = 0; i < scenario_.pre_allocated_vus; ++i) {
      ++users_;
      if (!crew_.lend([this](User& user) { serve(user); })) {
        --users_;
        break;
      }
    }
    {
      // The schedule begins when all of them are there, some milliseconds later: nothing is dropped for that.
      std::unique_lock lock(mutex_);
      while (static_cast<std::int64_t>(idle_.size()) < users_ && !shared_.stop.stopped()) {
        came_back_.wait_for(lock, std::chrono::milliseconds{20});
      }
    }
    const auto start = std::max(run_.start, Steady::now());
    Arrivals arrivals(scenario_);
    while (const auto due = arrivals.next()) {
      const auto at = start + *due;
      if (!shared_.stop.sleep_until(at)) break;
      dispatch(at);
    }
    // The last arrival is not the end: users may be busy until the deadline, by which they are interrupted.
    std::unique_lock lock(mutex_);
    ending_ = true;
    came_back_.wait(lock, [this] { return static_cast<std::int64_t>(idle_.size()) == users_; });
    for (Slot* slot : idle_) {
      slot->end = true;
      slot->wake.release();
    }
    came_back_.wait(lock, [this] { return users_ == left_; });
  }

 private:
  struct Slot {
    std::binary_semaphore wake{0};
    Steady::time_point due{};
    bool end = false;
  };

  void dispatch(Steady::time_point due) {
    std::unique_lock lock(mutex_);
    if (!idle_.empty()) {
      Slot* const slot = idle_.front();
      idle_.pop_front();
      slot->due = due;
      slot->wake.release();
      return;
    }
    const bool more = users_ < scenario_.max_vus;
    if (more) ++users_;
    lock.unlock();
    if (more) {
      crew_.hire_for([this](User& user) { serve(user); },
                     [this] {
                       const std::lock_guard again(mutex_);
                       --users_;
                       came_back_.notify_all();
                     });
    } else if (!told_) {
      told_ = true;
      shared_.console.say(
          Console::kWarning,
          fmt::format("scenario '{}': all {} users are busy, so iterations are dropped: the target is slower than "
                      "the rate needs, or maxVUs is too small",
                      scenario_.name, scenario_.max_vus));
    }
    ++shared_.iterations_dropped;
    SampleTags tags;
    tags.lists[0] = &run_.tags;
    shared_.metrics.add(recorder_, Metrics::kDroppedIterations, 1, tags);
  }

  void serve(User& user) {
    Slot slot;
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        idle_.push_back(&slot);
        came_back_.notify_all();
      }
      slot.wake.acquire();
      if (slot.end) break;
      const Active active(shared_);
      SampleTags tags;
      tags.lists[0] = &run_.tags;
      const double late_ms = std::chrono::duration<double, std::milli>(Steady::now() - slot.due).count();
      shared_.metrics.add(recorder_, Metrics::kLateness, late_ms, tags);
      user.iterate(run_, slot.due, deadline_);
    }
    const std::lock_guard lock(mutex_);
    ++left_;
    came_back_.notify_all();
  }

  ScenarioRun& run_;
  const Scenario& scenario_;
  Shared& shared_;
  Crew& crew_;
  load::Recorder& recorder_;
  const Steady::time_point deadline_;
  bool told_ = false;  // controller only

  std::mutex mutex_;  // guards all below
  std::condition_variable came_back_;
  std::deque<Slot*> idle_;
  std::int64_t users_ = 0;
  std::int64_t left_ = 0;
  bool ending_ = false;
};

}  // namespace

void carry_out(ScenarioRun& run, Shared& shared, Crew& crew, load::Recorder& recorder) {
  if (!shared.stop.sleep_until(run.start)) return;
  switch (run.scenario->executor) {
    case Executor::kSharedIterations:
      return share_iterations(run, shared, crew);
    case Executor::kPerVuIterations:
      return iterate_each(run, shared, crew);
    case Executor::kConstantVus:
      return keep_users(run, shared, crew);
    case Executor::kRampingVus:
      return ramp_users(run, shared, crew);
    case Executor::kConstantArrivalRate:
    case Executor::kRampingArrivalRate:
      return OpenScenario(run, shared, crew, recorder).carry_out();
  }
}

}  // namespace securebase::k6
