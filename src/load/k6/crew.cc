#include "k6/crew.h"

#include <sys/prctl.h>

#include <algorithm>

namespace securebase::k6 {

namespace {
constexpr std::size_t kRecorders = 16;
}

Crew::Crew(Shared& shared, load::Collector& collector)
    : shared_(shared),
      initialising_(std::clamp<int>(static_cast<int>(std::thread::hardware_concurrency()) * 2, 2, 64)) {
  for (std::size_t i = 0; i < kRecorders; ++i) recorders_.push_back(&collector.make_recorder());
}

Crew::~Crew() {
  std::vector<std::unique_ptr<Worker>> ending;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (Worker* worker : idle_) {
      worker->ending = true;
      worker->wake.release();
    }
    ending.swap(workers_);
  }
  for (auto& worker : ending) worker->thread.join();
}

Crew::Worker& Crew::make_worker() {
  const std::lock_guard lock(mutex_);
  workers_.push_back(std::make_unique<Worker>());
  workers_.back()->id = next_id_++;
  return *workers_.back();
}

Result<Done, ScriptError> Crew::hire(std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    Worker& worker = make_worker();
    worker.thread = std::thread([this, &worker] { work(worker); });
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [&] { return failure_ || static_cast<std::int64_t>(idle_.size()) >= count || shared_.stop.stopped(); });
  if (failure_) return *failure_;
  return Done{};
}

void Crew::hire_for(Job job, std::function<void()> failed) {
  Worker& worker = make_worker();
  worker.job = std::move(job);
  worker.failed = std::move(failed);
  worker.thread = std::thread([this, &worker] { work(worker); });
}

bool Crew::lend(Job job) {
  std::unique_lock lock(mutex_);
  while (idle_.empty()) {
    if (shared_.stop.stopped()) return false;
    changed_.wait_for(lock, std::chrono::milliseconds{100});
  }
  Worker* const worker = idle_.front();
  idle_.pop_front();
  worker->job = std::move(job);
  worker->wake.release();
  return true;
}

void Crew::work(Worker& worker) {
  // Wake when it is time, and not up to 50 microseconds later.
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  User user(shared_, worker.id, *recorders_[static_cast<std::size_t>(worker.id) % recorders_.size()]);
  initialising_.acquire();
  auto initialised = user.initialise();
  initialising_.release();
  if (!initialised) {
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = initialised.error();
    }
    shared_.console.repeated(Console::kError, initialised.error().text());
    shared_.stop.stop();
    if (worker.failed) worker.failed();
    changed_.notify_all();
    return;
  }
  user.begin_requests();
  ++shared_.users_initialised;
  while (true) {
    if (worker.job) {
      worker.job(user);
      worker.job = nullptr;
    }
    {
      const std::lock_guard lock(mutex_);
      if (closing_) return;
      idle_.push_back(&worker);
    }
    changed_.notify_all();
    worker.wake.acquire();
    if (worker.ending) return;
  }
}

}  // namespace securebase::k6
