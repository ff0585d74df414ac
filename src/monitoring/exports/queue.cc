#include "monitoring/exports/queue.h"

namespace securebase::monitoring::exports {

std::size_t Queue::push(std::vector<Payload> payloads) {
  std::size_t dropped = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto& payload : payloads) {
      bytes_ += payload.body.size();
      waiting_.push_back(
          {next_number_++, std::make_shared<const std::string>(std::move(payload.body)), payload.samples});
    }
    while (bytes_ > limit_bytes_) {
      bytes_ -= waiting_.front().body->size();
      dropped += waiting_.front().samples;
      waiting_.pop_front();
    }
  }
  news_.notify_all();
  return dropped;
}

Queue::Waiting Queue::front() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() ? Waiting{} : waiting_.front();
}

void Queue::remove(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty() || waiting_.front().number != number) return;
  bytes_ -= waiting_.front().body->size();
  waiting_.pop_front();
}

std::vector<Queue::Waiting> Queue::all() const {
  const std::lock_guard lock(mutex_);
  return {waiting_.begin(), waiting_.end()};
}

std::size_t Queue::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace securebase::monitoring::exports
