#include "k6/interruption.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/check.h"

namespace securebase::k6 {

namespace {

// Waits until `until` or until `fd` is readable.
void wait_for(int fd, Steady::time_point until) {
  const auto left = until - Steady::now();
  if (left.count() <= 0) return;
  // poll() rounds to milliseconds and ppoll() does not; a year at most, so that the seconds fit everywhere.
  const auto nanoseconds =
      std::min<std::int64_t>(std::chrono::nanoseconds(left).count(), 365LL * 86'400 * 1'000'000'000);
  const timespec timeout{static_cast<time_t>(nanoseconds / 1'000'000'000),
                         static_cast<long>(nanoseconds % 1'000'000'000)};
  pollfd waiting{fd, POLLIN, 0};
  ppoll(&waiting, 1, &timeout, nullptr);
}

}  // namespace

StopAll::StopAll() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { check(fd_ >= 0, "an eventfd can be made"); }

StopAll::~StopAll() { close(fd_); }

void StopAll::stop() {
  stopped_.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

bool StopAll::sleep_until(Steady::time_point until) const {
  while (!stopped()) {
    if (Steady::now() >= until) return true;
    wait_for(fd_, until);
  }
  return false;
}

bool Interruption::sleep_until(Steady::time_point until) const {
  while (!due()) {
    if (Steady::now() >= until) return true;
    wait_for(wake_fd(), std::min(until, deadline()));
  }
  return false;
}

}  // namespace securebase::k6
