// When virtual users arrive: the open model. Arrivals do not wait for answers; each has an intended time, which
// latency is counted from (no coordinated omission).
//
// Within a phase arrival n comes when the integral of the rate reaches n: 10 a second for 60 s are 600 arrivals, at 0,
// 0.1 ... 59.9 s. A ramp has one step a second, from `rate` to `ramp_to` inclusive, as Artillery has it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace securebase::load {

struct Phase {
  enum class Kind {
    kRate,   // `rate` a second, or a ramp to `ramp_to`
    kCount,  // `count` arrivals evenly over the duration
    kPause,  // none
  };
  Kind kind = Kind::kRate;
  std::string name;
  std::chrono::nanoseconds duration{};
  double rate = 0;
  std::optional<double> ramp_to;
  std::uint64_t count = 0;
  // Arrivals that find so many users at work (on this machine) are skipped, and counted.
  std::optional<std::uint64_t> max_users;
};

struct Arrival {
  std::chrono::nanoseconds at{};  // since the run's start
  std::uint32_t phase = 0;
  std::uint64_t number = 0;  // of all arrivals of the run, from 0
};

class Schedule {
 public:
  // Every `of`th arrival, from the `index`th on: what one of several workers, or machines, takes.
  struct Share {
    std::uint64_t index = 0;
    std::uint64_t of = 1;
  };
  // kMalformed: a rate or a duration that is negative, not finite, or beyond 10 million a second or a year.
  static Result<Schedule> make(std::vector<Phase> phases, Share share);
  static Result<Schedule> make(std::vector<Phase> phases) { return make(std::move(phases), Share{}); }

  // In rising order of time; nullopt: no more.
  std::optional<Arrival> next();
  // Of all phases.
  std::chrono::nanoseconds duration() const { return duration_; }
  const std::vector<Phase>& phases() const { return phases_; }

 private:
  Schedule(std::vector<Phase> phases, Share share) : phases_(std::move(phases)), share_(share) {}
  std::optional<Arrival> next_of_all();

  std::vector<Phase> phases_;
  Share share_;
  std::chrono::nanoseconds duration_{};
  // Where it stands.
  std::size_t phase_ = 0;
  std::uint64_t step_ = 0;                  // within the phase: a second of a ramp, else the whole phase
  std::chrono::nanoseconds phase_begin_{};  // since the run's start
  double reached_ = 0;                      // arrivals due before this step, of the phase
  std::uint64_t in_phase_ = 0;              // arrivals given, of the phase
  std::uint64_t given_ = 0;                 // arrivals given
};

// When arrivals of a thread are sent: those that are nearer to the first of them than kTogether are due together, at
// its time, for to wake for each costs more than to send it. None is ever due after its own time, so latency from the
// schedule never hides a wait, and groups do not chain: the mean rate is the schedule's within kTogether. Up to 2000 a
// second a thread, evenly spread, every arrival has its own time.
class Grouping {
 public:
  static constexpr std::chrono::microseconds kTogether{500};
  // Of arrivals in rising order of time.
  std::chrono::nanoseconds due(std::chrono::nanoseconds at) {
    if (at + kRounding >= group_ + kTogether) group_ = at;
    return group_;
  }

 private:
  // A schedule's times are sums of fractions: of 2000 a second one may come a nanosecond early.
  static constexpr std::chrono::nanoseconds kRounding{1000};
  std::chrono::nanoseconds group_ = -kTogether;
};

}  // namespace securebase::load
