#include "load/scenarios/latest_status.h"

#include <chrono>

namespace securebase::load {

LatestStatus::LatestStatus(std::function<Result<base::Json>()> ask) : ask_(std::move(ask)), latest_(ask_()) {
  thread_ = std::thread([this] { ask_each_second(); });
}

LatestStatus::~LatestStatus() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  thread_.join();
}

Result<base::Json> LatestStatus::get() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void LatestStatus::ask_each_second() {
  std::unique_lock lock(mutex_);
  while (!ended_changed_.wait_for(lock, std::chrono::seconds{1}, [this] { return ended_; })) {
    lock.unlock();
    auto status = ask_();
    lock.lock();
    latest_ = std::move(status);
  }
}

}  // namespace securebase::load
