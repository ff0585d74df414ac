// Who serves whom, for one function: its idle instances, those that wait for one, and what may be started. No threads,
// no sockets, no clock: callers hold a lock around it (never across a wait) and pass the time in.
//
// Rules: the caller's own worker first, most recently used first. Whoever finds no instance waits in order of arrival.
// Started is at most what waits less what will soon be free: instances that are starting, and those that have answered
// and not yet asked for more. While busy instances are expected to be free sooner than a new one would be ready, a
// caller waits `patience` first and then insists (design note: bursts of cold starts are what hurts most).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace securebase::functions {

class Instance;
struct Job;

class Dispatch {
 public:
  using Micros = std::chrono::microseconds;
  using JobPointer = std::shared_ptr<Job>;

  struct Placed {
    Instance* instance = nullptr;  // run it there; null: it waits
    bool start = false;            // and an instance is to be started by the caller
    Micros patience{0};            // not started: insist() after that
  };

  // A job looks for an instance.
  Placed place(const JobPointer& job, std::size_t worker);
  // The job has waited its patience: true when an instance is to be started for it.
  bool insist(const Job* job);
  // Nobody waits for the job any more. False: it runs already.
  bool withdraw(const Job* job);

  // An instance asks for work: the job it gets, or null: it is idle now.
  JobPointer ready(Instance* instance, std::size_t worker, base::SteadyPoint now, bool first);
  // It has answered; it will soon ask again.
  void answered(Instance* instance, Micros duration);
  // It is gone, in whatever state it was. `failed_start`: it never asked for work.
  void gone(Instance* instance);
  // A start is under way for an instance that exists from now on.
  void starting(Instance* instance);
  // Its initialisation took so long.
  void initialised(Micros duration);
  // The longest waiting job, which gets the blame for a failed start. Null: nobody waits.
  JobPointer take_oldest();
  // How many more are to be started, after a loss.
  std::size_t wanted() const;

  // Idle for longer than `idle_time`, oldest first, save `keep` of them. They are taken out.
  std::vector<Instance*> expired(base::SteadyPoint now, std::chrono::seconds idle_time, std::size_t keep);
  std::vector<Instance*> take_idle();

  std::size_t idle() const { return idle_.size(); }
  std::size_t starting() const { return starting_.size(); }
  std::size_t busy() const { return busy_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t instances() const { return idle_.size() + starting_.size() + busy_.size(); }

 private:
  struct Idle {
    Instance* instance;
    std::size_t worker;
    base::SteadyPoint since;
  };
  struct Busy {
    Instance* instance;
    bool answered;
  };
  std::size_t soon_free() const;

  std::vector<Idle> idle_;  // most recently used last
  std::vector<Busy> busy_;
  std::vector<Instance*> starting_;
  std::deque<JobPointer> waiting_;
  // Exponentially weighted means.
  Micros mean_duration_{0};
  Micros mean_init_{200'000};
};

}  // namespace securebase::functions
