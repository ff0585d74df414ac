#include "functions/dispatch.h"

#include <algorithm>

namespace securebase::functions {
namespace {

std::chrono::microseconds blend(std::chrono::microseconds mean, std::chrono::microseconds sample) {
  return mean.count() == 0 ? sample : mean + (sample - mean) / 8;
}

}  // namespace

std::size_t Dispatch::soon_free() const {
  return starting_.size() + static_cast<std::size_t>(std::count_if(busy_.begin(), busy_.end(),
                                                                   [](const Busy& busy) { return busy.answered; }));
}

std::size_t Dispatch::wanted() const {
  const auto soon = soon_free();
  return waiting_.size() > soon ? waiting_.size() - soon : 0;
}

Dispatch::Placed Dispatch::place(const JobPointer& job, std::size_t worker) {
  if (!idle_.empty()) {
    auto chosen = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& idle) { return idle.worker == worker; });
    if (chosen == idle_.rend()) chosen = idle_.rbegin();
    Instance* instance = chosen->instance;
    idle_.erase(std::next(chosen).base());
    busy_.push_back({instance, false});
    return {instance, false, Micros{0}};
  }
  waiting_.push_back(job);
  if (wanted() == 0) return {nullptr, false, mean_init_};
  // How long until the busy ones have worked off the queue, if they go on as they did.
  const auto rounds = busy_.empty() ? 0 : (waiting_.size() + busy_.size() - 1) / busy_.size();
  const auto expected = mean_duration_ * static_cast<std::int64_t>(rounds);
  if (!busy_.empty() && mean_duration_.count() > 0 && expected < mean_init_ / 2) {
    return {nullptr, false, std::max(Micros{2000}, mean_init_ / 2)};
  }
  return {nullptr, true, Micros{0}};
}

bool Dispatch::insist(const Job* job) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& one) { return one.get() == job; });
  // By now those that have answered would have asked for more, if they did at all.
  return found != waiting_.end() && waiting_.size() > starting_.size();
}

bool Dispatch::withdraw(const Job* job) {
  return std::erase_if(waiting_, [&](const auto& one) { return one.get() == job; }) > 0;
}

Dispatch::JobPointer Dispatch::ready(Instance* instance, std::size_t worker, base::SteadyPoint now, bool first) {
  if (first) {
    std::erase(starting_, instance);
  } else {
    std::erase_if(busy_, [&](const Busy& busy) { return busy.instance == instance; });
  }
  if (waiting_.empty()) {
    idle_.push_back({instance, worker, now});
    return nullptr;
  }
  JobPointer job = std::move(waiting_.front());
  waiting_.pop_front();
  busy_.push_back({instance, false});
  return job;
}

void Dispatch::answered(Instance* instance, Micros duration) {
  mean_duration_ = blend(mean_duration_, std::max(duration, Micros{1}));
  for (auto& busy : busy_) {
    if (busy.instance == instance) busy.answered = true;
  }
}

void Dispatch::gone(Instance* instance) {
  std::erase(starting_, instance);
  std::erase_if(busy_, [&](const Busy& busy) { return busy.instance == instance; });
  std::erase_if(idle_, [&](const Idle& idle) { return idle.instance == instance; });
}

void Dispatch::starting(Instance* instance) { starting_.push_back(instance); }
void Dispatch::initialised(Micros duration) { mean_init_ = blend(mean_init_, duration); }

Dispatch::JobPointer Dispatch::take_oldest() {
  if (waiting_.empty()) return nullptr;
  JobPointer job = std::move(waiting_.front());
  waiting_.pop_front();
  return job;
}

std::vector<Instance*> Dispatch::expired(base::SteadyPoint now, std::chrono::seconds idle_time, std::size_t keep) {
  std::vector<Instance*> all;
  while (!idle_.empty() && idle_.front().since + idle_time <= now && instances() > keep) {
    all.push_back(idle_.front().instance);
    idle_.erase(idle_.begin());
  }
  return all;
}

std::vector<Instance*> Dispatch::take_idle() {
  std::vector<Instance*> all;
  for (const auto& idle : idle_) all.push_back(idle.instance);
  idle_.clear();
  return all;
}

}  // namespace securebase::functions
