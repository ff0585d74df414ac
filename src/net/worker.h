// A worker: one thread, its event loop, and everything that lives on it. Connections, tasks and timers belong to the
// worker that made them and are touched by its thread only; post() is the way in from outside.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "net/task.h"
#include "net/task_group.h"

namespace securebase::net {

class Worker {
 public:
  // `index` counts from 0; it names the thread, and the cells that telemetry records into.
  explicit Worker(std::size_t index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  std::size_t index() const { return index_; }

  // The worker whose thread this is.
  static Worker& current();
  static Worker* current_or_null();

  // Any thread. Runs `work` on the worker's thread, later; what was posted by one thread runs in its order.
  void post(base::Function<void()> work);

  // Runs the loop on the calling thread until stop(). Work posted after stop() runs at the next run().
  void run();
  // Any thread.
  void stop();
  // For tests and tools: runs the loop until `task` has ended.
  void run_until_done(Task<void> task);

  // Lives as long as the worker; whoever stops the worker closes it first (Workers does).
  TaskGroup& tasks() { return tasks_; }

  // The loop behind it, for the files of net/ that wrap sockets.
  struct Loop;
  Loop& loop() { return *loop_; }

 private:
  const std::size_t index_;
  std::unique_ptr<Loop> loop_;
  TaskGroup tasks_;
};

// One worker to a core (or as many as asked), each on its own thread.
class Workers {
 public:
  explicit Workers(std::size_t count);
  // Stops and joins.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t size() const;
  Worker& operator[](std::size_t index);

  // Runs `work` on every worker and waits until each has. Not from a worker's thread.
  void on_each(const std::function<void(Worker&)>& work);
  // Closes every worker's tasks, then ends the threads. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A timer that calls back once on its worker. Starting it again moves it. Destruction disarms.
class Timer {
 public:
  explicit Timer(Worker& worker);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void start(std::chrono::steady_clock::duration after, base::Function<void()> expired);
  void cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// kCancelled when the task was cancelled meanwhile.
Task<Result<Done>> sleep_for(std::chrono::steady_clock::duration duration);

// Runs `task` under a deadline: when it passes, the task is cancelled, awaited, and the answer is kTimeout.
template <class T>
Task<Result<T>> with_timeout(std::chrono::steady_clock::duration limit, Task<Result<T>> task);

// The awaiting task's own cancellation, or null: `Cancellation* mine = co_await this_cancellation();`
struct this_cancellation {
  Cancellation* found = nullptr;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) noexcept {
    found = awaiter.promise().cancellation;
    return false;
  }
  Cancellation* await_resume() const noexcept { return found; }
};

Error timeout_error(std::chrono::steady_clock::duration limit);

template <class T>
Task<Result<T>> with_timeout(std::chrono::steady_clock::duration limit, Task<Result<T>> task) {
  Cancellation* outer = co_await this_cancellation();
  Cancellation inner(outer);
  bool expired = false;
  Timer timer(Worker::current());
  timer.start(limit, [&inner, &expired] {
    expired = true;
    inner.request();
  });
  Result<T> result = co_await std::move(task).under(inner);
  if (expired && !result && result.error().code == Errc::kCancelled) co_return timeout_error(limit);
  co_return result;
}

}  // namespace securebase::net
