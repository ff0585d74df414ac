// How long a dead child waits before it is started again. Worker of one thread.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "process/process.h"

namespace securebase::process {

class Backoff {
 public:
  // `clock` outlives this.
  Backoff(BackoffSettings settings, const base::Clock& clock) : settings_(settings), clock_(&clock) {}

  void started() { started_ = clock_->steady(); }

  // The pause after the death of what started() last: doubled from death to death, `first` again after a run that
  // lasted.
  std::chrono::milliseconds died() {
    const bool lasted = clock_->steady() - started_ >= settings_.lasting;
    next_ = lasted || next_.count() == 0 ? settings_.first : std::min(next_ * 2, settings_.most);
    return next_;
  }

 private:
  const BackoffSettings settings_;
  const base::Clock* clock_;
  base::SteadyPoint started_{};
  std::chrono::milliseconds next_{0};
};

}  // namespace securebase::process
