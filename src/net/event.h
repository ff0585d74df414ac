// Waiting for somebody else: for news (Event), or for an answer (Reply). Any thread may notify and answer; those who
// wait resume on their own worker, from its loop.
#pragma once

#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>

#include "net/cancellation.h"
#include "net/worker.h"

namespace securebase::net {

// Tells waiters that something changed. It has no memory: look, prepare a ticket under the lock that guards what you
// look at (or take the ticket first, then look), then wait for what comes after the ticket.
//
//   const auto ticket = event.ticket();
//   if (nothing_new()) co_await event.after(ticket);
class Event {
 public:
  Event() = default;
  ~Event() { check(first_ == nullptr, "nobody waits for an Event that goes"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  std::uint64_t ticket() const;
  void notify_all();

  class Wait;
  // Resumes with kCancelled if the awaiting task is cancelled first.
  Wait after(std::uint64_t ticket);

 private:
  friend class Wait;
  mutable std::mutex mutex_;
  std::uint64_t notified_ = 0;
  Wait* first_ = nullptr;  // doubly linked, in order of arrival
  Wait* last_ = nullptr;
};

class Event::Wait final : Cancellation::Hook {
 public:
  Wait(Event& event, std::uint64_t ticket) : event_(event), ticket_(ticket) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) {
    return begin(awaiter, awaiter.promise().cancellation);
  }
  Result<Done> await_resume();

 private:
  friend class Event;
  bool begin(std::coroutine_handle<> awaiter, Cancellation* cancellation);
  void on_cancel() override;

  Event& event_;
  const std::uint64_t ticket_;
  std::coroutine_handle<> awaiter_;
  Worker* worker_ = nullptr;
  Wait* next_ = nullptr;
  Wait* previous_ = nullptr;
  bool listed_ = false;  // guarded by event_.mutex_
  bool cancelled_ = false;
};

// A value that comes once, from any thread. Copies of a Reply share it: one side answers, one side waits.
template <class T>
class Reply {
 public:
  // The first answer counts; later ones are dropped and give false.
  bool answer(T value) const {
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->value || shared_->taken) return false;
      shared_->value.emplace(std::move(value));
    }
    shared_->event.notify_all();
    return true;
  }

  // Once. kCancelled if the awaiting task was cancelled first.
  Task<Result<T>> wait() const { return wait_for(shared_); }

 private:
  struct Shared {
    std::mutex mutex;
    std::optional<T> value;
    bool taken = false;
    Event event;
  };

  static Task<Result<T>> wait_for(std::shared_ptr<Shared> shared) {
    for (;;) {
      const auto ticket = shared->event.ticket();
      {
        const std::lock_guard lock(shared->mutex);
        if (shared->value) {
          shared->taken = true;
          T value = std::move(*shared->value);
          shared->value.reset();
          co_return value;
        }
      }
      auto notified = co_await shared->event.after(ticket);
      if (!notified) co_return notified.error();
    }
  }

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// Threads for what blocks: files, compression of large bodies, libraries that wait. Bounded: when `queue` calls wait
// already, run() answers kLimit at once.
class Pool {
 public:
  Pool(std::size_t threads, std::size_t queue);
  ~Pool();  // finishes what was accepted
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Any thread; false when the queue is full.
  bool submit(base::Function<void()> work);

  // Runs `work` on a pool thread and resumes the awaiting task on its worker with what it returned. A cancelled task
  // still waits for work that has begun: what `work` refers to stays valid.
  template <class F>
  auto run(F work) -> Task<Result<std::invoke_result_t<F&>>>;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <class F>
auto Pool::run(F work) -> Task<Result<std::invoke_result_t<F&>>> {
  using T = std::invoke_result_t<F&>;
  Reply<T> reply;
  const bool accepted = submit([&work, reply] { reply.answer(work()); });
  if (!accepted) co_return Error{Errc::kLimit, "the queue for blocking work is full; try again later"};
  Cancellation never;
  co_return co_await reply.wait().under(never);
}

}  // namespace securebase::net
