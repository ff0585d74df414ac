#include "telemetry/sampler.h"

#include <algorithm>

namespace securebase::telemetry {

Sampler::Sampler(std::chrono::milliseconds interval, std::function<void()> look)
    : interval_(interval), look_(std::move(look)), thread_([this] { run(); }) {}

Sampler::~Sampler() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ending_bell_.notify_all();
  thread_.join();
}

void Sampler::run() {
  auto next = std::chrono::steady_clock::now() + interval_;
  std::unique_lock lock(mutex_);
  while (!ending_bell_.wait_until(lock, next, [this] { return ending_; })) {
    lock.unlock();
    look_();
    lock.lock();
    next = std::max(next + interval_, std::chrono::steady_clock::now());
  }
}

}  // namespace securebase::telemetry
