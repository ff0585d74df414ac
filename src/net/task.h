// Task<T>: a coroutine that gives a T. It starts when it is awaited, runs on the worker of whoever awaits it, and is
// destroyed with its handle. Coroutines are named functions that take values: a lambda that captures is not one, for
// its captures die before it resumes; a reference given to a coroutine outlives the await.
//
//   Task<Result<Page>> load(Address address);
//   auto page = co_await load(address);          // read results into a name
//   if (!page) co_return page.error();
//
// GCC 12 destroys a braced aggregate that stands inside a co_await expression twice: give such an argument a name
// before
// (`Address address{...}; co_await connect(address, 5s);`).
//
// Exceptions do not cross a Task: one that leaves a coroutine stops the program.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/check.h"
#include "net/cancellation.h"
#include "net/frame.h"

namespace securebase::net {

template <class T = void>
class Task;

// What every task's promise has. An awaitable of our own takes the coroutine_handle of one, and finds here whose
// cancellation it has to obey.
struct PromiseBase {
  std::coroutine_handle<> continuation;  // null: nobody waits (yet)
  Cancellation* cancellation = nullptr;  // null: cannot be cancelled

  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      const auto continuation = self.promise().continuation;
      return continuation ? continuation : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }
};

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type : PromiseBase {
    std::optional<T> value;
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
    T take() { return std::move(*value); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // The task obeys `cancellation` instead of its awaiter's. It outlives the task.
  Task&& under(Cancellation& cancellation) && {
    handle_.promise().cancellation = &cancellation;
    return std::move(*this);
  }

  auto operator co_await() && { return Awaiter{handle_}; }

 private:
  // Starts the task inside await_suspend and, when it ends without waiting, does not suspend the awaiter at all: loops
  // that never wait do not grow the stack, in any build.
  struct Awaiter {
    std::coroutine_handle<promise_type> task;

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiter) noexcept {
      auto& promise = task.promise();
      if (!promise.cancellation) promise.cancellation = awaiter.promise().cancellation;
      task.resume();
      if (task.done()) return false;
      promise.continuation = awaiter;
      return true;
    }
    T await_resume() { return task.promise().take(); }
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

template <>
struct Task<void>::promise_type : PromiseBase {
  Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
  void return_void() noexcept {}
  void take() noexcept {}
};

}  // namespace securebase::net
