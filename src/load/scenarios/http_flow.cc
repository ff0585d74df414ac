#include "load/scenarios/http_flow.h"

#include <algorithm>

namespace securebase::load {

namespace {

// A user whose request failed tries again after this, rather than at once and for ever: a port that refuses would make
// a busy loop of it.
constexpr std::chrono::milliseconds kAfterFailure{100};

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
  do {
    const bool measured = work_.loop ? session.measured() : session.intended_is_measured();
    const auto step = draw();
    auto answer = co_await session.send(work_.steps[step].request, Keep::kNothing);
    if (answer.failure == Failure::kCancelled) co_return;
    if (measured) {
      const auto intended = work_.loop ? std::nullopt : std::optional(session.intended());
      measures_[step].record(session.recorder(), answer, intended);
    }
    if (!work_.loop) co_return;
    const auto pause = std::max<std::chrono::nanoseconds>(
        work_.think, answer.ok() ? std::chrono::nanoseconds{0} : std::chrono::nanoseconds{kAfterFailure});
    if (pause > pause.zero()) {
      auto slept = co_await session.think(pause);
      if (!slept) co_return;
    }
  } while (!session.stopping());
}

}  // namespace securebase::load
