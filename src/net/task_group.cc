#include "net/task_group.h"

namespace securebase::net {

// A coroutine that owns its task and destroys itself at the end.
struct TaskGroup::Child {
  struct promise_type {
    Cancellation* cancellation = nullptr;
    promise_type(TaskGroup& group, Task<void>&) : cancellation(&group.cancellation_) {}
    Child get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }
  };
};

TaskGroup::Child TaskGroup::run(TaskGroup& group, Task<void> task) {
  ++group.running_;
  {
    Task<void> owned = std::move(task);
    co_await std::move(owned);
  }
  if (--group.running_ == 0 && group.waiter_) std::exchange(group.waiter_, nullptr).resume();
}

struct TaskGroup::Empty {
  TaskGroup& group;
  bool await_ready() const noexcept { return group.running_ == 0; }
  void await_suspend(std::coroutine_handle<> waiter) {
    check(!group.waiter_, "one waiter closes a TaskGroup");
    group.waiter_ = waiter;
  }
  void await_resume() noexcept {}
};

void TaskGroup::spawn(Task<void> task) { run(*this, std::move(task)); }

Task<void> TaskGroup::drain() { co_await Empty{*this}; }

Task<void> TaskGroup::close() {
  cancellation_.request();
  co_await Empty{*this};
}

}  // namespace securebase::net
