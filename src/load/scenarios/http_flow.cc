#include "load/scenarios/http_flow.h"

#include <algorithm>

namespace securebase::load {

namespace {

// A user whose request failed tries again after this, rather than at once and for ever: a port that refuses would make
// a busy loop of it.
constexpr std::chrono::milliseconds kAfterFailure{100};

// How many requests a user would have sent while it waited for one that was not answered: by its own pace so far.
double would_have_sent(base::SteadyPoint walk_begun, const Times& unanswered, std::uint64_t finished) {
  if (finished == 0) return 1;
  const auto pace = (unanswered.begun - walk_begun) / static_cast<double>(finished);
  if (pace.count() <= 0) return 1;
  return std::max(1.0, (unanswered.last_byte - unanswered.begun) / pace);
}

}  // namespace

HttpFlow::HttpFlow(const HttpWork& work, Collector& collector, std::uint64_t seed)
    : work_(work), random_(seed * 2 + 1) {
  double sum = 0;
  measures_.reserve(work.steps.size());
  for (const auto& step : work.steps) {
    measures_.emplace_back(collector, step.endpoint);
    up_to_.push_back(sum += step.weight);
  }
}

// xorshift64*: cheap, and good enough to draw steps with.
std::size_t HttpFlow::draw() {
  if (up_to_.size() == 1) return 0;
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  const double part = static_cast<double>((random_ * 0x2545F4914F6CDD1DULL) >> 11) * 0x1.0p-53;
  const auto at = std::upper_bound(up_to_.begin(), up_to_.end(), part * up_to_.back());
  return std::min(static_cast<std::size_t>(at - up_to_.begin()), up_to_.size() - 1);
}

net::Task<void> HttpFlow::walk(Session& session) {
  const auto begun = std::chrono::steady_clock::now();
  std::uint64_t finished = 0;
  do {
    const bool measured = work_.loop ? session.measured() : session.intended_is_measured();
    const auto step = draw();
    auto answer = co_await session.send(work_.steps[step].request, Keep::kNothing);
    if (answer.failure == Failure::kCancelled) {
      if (measured) {
        answer.times.last_byte = std::chrono::steady_clock::now();
        measures_[step].record_unanswered(session.recorder(), answer.times,
                                          work_.loop ? would_have_sent(begun, answer.times, finished) : 1);
      }
      co_return;
    }
    ++finished;
    if (measured) {
      const auto intended = work_.loop ? std::nullopt : std::optional(session.intended());
      measures_[step].record(session.recorder(), answer, intended);
    }
    if (!work_.loop) co_return;
    const auto pause = std::max<std::chrono::nanoseconds>(
        work_.think, answer.ok() ? std::chrono::nanoseconds{0} : std::chrono::nanoseconds{kAfterFailure});
    // Who would think beyond the end does not hold it up.
    if (pause >= session.until_phases_end()) co_return;
    if (pause > pause.zero()) {
      auto slept = co_await session.think(pause);
      if (!slept) co_return;
    }
  } while (!session.stopping() && !session.phases_are_over());
}

}  // namespace securebase::load
