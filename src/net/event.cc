#include "net/event.h"

#include <condition_variable>
#include <deque>
#include <thread>
#include <vector>

namespace securebase::net {

std::uint64_t Event::ticket() const {
  const std::lock_guard lock(mutex_);
  return notified_;
}

void Event::notify_all() {
  Wait* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    ++notified_;
    woken = std::exchange(first_, nullptr);
    last_ = nullptr;
    for (Wait* wait = woken; wait; wait = wait->next_) wait->listed_ = false;
    // Posted under the lock: a waiter that was cancelled cannot be gone before it is off the list.
    for (Wait* wait = woken; wait;) {
      Wait* next = wait->next_;
      wait->worker_->post([awaiter = wait->awaiter_] { awaiter.resume(); });
      wait = next;
    }
  }
}

Event::Wait Event::after(std::uint64_t ticket) { return Wait(*this, ticket); }

bool Event::Wait::begin(std::coroutine_handle<> awaiter, Cancellation* cancellation) {
  if (cancellation && cancellation->requested()) {
    cancelled_ = true;
    return false;
  }
  awaiter_ = awaiter;
  worker_ = &Worker::current();
  // Hooked first: once the wait is on the list, another thread may make it resume, though only from this one's loop.
  if (cancellation) cancellation->add(*this);
  const std::lock_guard lock(event_.mutex_);
  if (event_.notified_ != ticket_) return false;
  listed_ = true;
  previous_ = event_.last_;
  (event_.last_ ? event_.last_->next_ : event_.first_) = this;
  event_.last_ = this;
  return true;
}

Result<Done> Event::Wait::await_resume() {
  unhook();
  if (cancelled_) return Error{Errc::kCancelled, "the wait was cancelled"};
  return Done{};
}

void Event::Wait::on_cancel() {
  {
    const std::lock_guard lock(event_.mutex_);
    if (!listed_) return;  // notified: it resumes on its own
    listed_ = false;
    (previous_ ? previous_->next_ : event_.first_) = next_;
    (next_ ? next_->previous_ : event_.last_) = previous_;
  }
  cancelled_ = true;
  worker_->post([awaiter = awaiter_] { awaiter.resume(); });
}

struct Pool::Impl {
  const std::size_t queue_limit;
  std::mutex mutex;
  std::condition_variable news;
  std::deque<base::Function<void()>> queue;
  bool ending = false;
  std::vector<std::thread> threads;

  void serve() {
    std::unique_lock lock(mutex);
    for (;;) {
      news.wait(lock, [this] { return ending || !queue.empty(); });
      if (queue.empty()) return;
      auto work = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work();
      work = {};
      lock.lock();
    }
  }
};

Pool::Pool(std::size_t threads, std::size_t queue) : impl_(new Impl{queue, {}, {}, {}, false, {}}) {
  check(threads > 0, "a pool has at least one thread");
  for (std::size_t i = 0; i < threads; ++i) impl_->threads.emplace_back([this] { impl_->serve(); });
}

Pool::~Pool() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->news.notify_all();
  for (auto& thread : impl_->threads) thread.join();
}

bool Pool::submit(base::Function<void()> work) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->ending || impl_->queue.size() >= impl_->queue_limit) return false;
    impl_->queue.push_back(std::move(work));
  }
  impl_->news.notify_one();
  return true;
}

}  // namespace securebase::net
