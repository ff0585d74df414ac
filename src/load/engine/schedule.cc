#include "load/engine/schedule.h"

#include <fmt/format.h>

#include <cmath>

namespace securebase::load {

namespace {

constexpr double kMostRate = 1e7;
constexpr std::chrono::hours kLongestPhase{24 * 366};
constexpr std::chrono::hours kLongestRun{10 * kLongestPhase};  // far from what nanoseconds count
constexpr std::chrono::nanoseconds kSecond{std::chrono::seconds{1}};

std::uint64_t steps_of(const Phase& phase) {
  if (phase.kind != Phase::Kind::kRate || !phase.ramp_to) return 1;
  return static_cast<std::uint64_t>((phase.duration + kSecond - std::chrono::nanoseconds{1}) / kSecond);
}

std::chrono::nanoseconds step_begin(std::uint64_t step) { return kSecond * static_cast<std::int64_t>(step); }

// Of a ramp's step; the last one has the rate `ramp_to`.
double rate_of(const Phase& phase, std::uint64_t step) {
  if (!phase.ramp_to) return phase.rate;
  const auto steps = steps_of(phase);
  if (steps <= 1) return *phase.ramp_to;
  return phase.rate + (*phase.ramp_to - phase.rate) * static_cast<double>(step) / static_cast<double>(steps - 1);
}

double seconds_of(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

// A sum of rates is not exact: an arrival that is due a billionth after the phase's end is the next phase's first.
constexpr double kSlack = 1e-6;

}  // namespace

Result<Schedule> Schedule::make(std::vector<Phase> phases, Share share) {
  if (share.of == 0 || share.index >= share.of) {
    return Error{Errc::kMalformed, fmt::format("share {} of {} is none", share.index, share.of)};
  }
  Schedule schedule(std::move(phases), share);
  for (std::size_t i = 0; i < schedule.phases_.size(); ++i) {
    const auto& phase = schedule.phases_[i];
    const auto fine = [](double rate) { return rate >= 0 && rate <= kMostRate; };
    if (!fine(phase.rate) || (phase.ramp_to && !fine(*phase.ramp_to))) {
      return Error{Errc::kMalformed, fmt::format("phase {}: arrivals a second are between 0 and {}", i + 1, kMostRate)};
    }
    if (phase.duration < std::chrono::nanoseconds{0} || phase.duration > kLongestPhase) {
      return Error{Errc::kMalformed, fmt::format("phase {}: a duration is between 0 and 366 days", i + 1)};
    }
    schedule.duration_ += phase.duration;
    if (schedule.duration_ > kLongestRun) {
      return Error{Errc::kMalformed, fmt::format("phase {}: all phases together are beyond {} days", i + 1,
                                                 std::chrono::duration_cast<std::chrono::days>(kLongestRun).count())};
    }
  }
  return schedule;
}

std::optional<Arrival> Schedule::next() {
  for (;;) {
    auto arrival = next_of_all();
    if (!arrival || arrival->number % share_.of == share_.index) return arrival;
  }
}

std::optional<Arrival> Schedule::next_of_all() {
  while (phase_ < phases_.size()) {
    const auto& phase = phases_[phase_];
    if (phase.kind == Phase::Kind::kCount && in_phase_ < phase.count) {
      const auto at = phase.duration * (static_cast<double>(in_phase_) / static_cast<double>(phase.count));
      ++in_phase_;
      return Arrival{phase_begin_ + std::chrono::duration_cast<std::chrono::nanoseconds>(at),
                     static_cast<std::uint32_t>(phase_), given_++};
    }
    if (phase.kind == Phase::Kind::kRate) {
      while (step_ < steps_of(phase)) {
        const auto begin = step_begin(step_);
        const auto length = phase.ramp_to ? std::min(kSecond, phase.duration - begin) : phase.duration;
        const double rate = rate_of(phase, step_);
        const double here = rate * seconds_of(length);
        const double wanted = static_cast<double>(in_phase_) - reached_;  // arrivals into this step
        if (rate > 0 && wanted < here - kSlack) {
          const auto into = std::chrono::duration<double>(std::max(0.0, wanted) / rate);
          ++in_phase_;
          return Arrival{phase_begin_ + begin + std::chrono::duration_cast<std::chrono::nanoseconds>(into),
                         static_cast<std::uint32_t>(phase_), given_++};
        }
        reached_ += here;
        ++step_;
      }
    }
    phase_begin_ += phase.duration;
    ++phase_;
    step_ = in_phase_ = 0;
    reached_ = 0;
  }
  return std::nullopt;
}

}  // namespace securebase::load
