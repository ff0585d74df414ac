// Holds the tasks that nobody awaits one by one. Whoever spawns, closes: close() asks them to end and waits for them.
// Worker only: spawn, close and destruction happen on one thread.
#pragma once

#include <cstddef>

#include "net/task.h"

namespace securebase::net {

class TaskGroup {
 public:
  TaskGroup() = default;
  ~TaskGroup() { check(running_ == 0, "a TaskGroup is closed before it goes"); }
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task` at once, on this thread.
  void spawn(Task<void> task);

  std::size_t running() const { return running_; }
  Cancellation& cancellation() { return cancellation_; }

  // Cancels the tasks and waits until the last one is gone.
  Task<void> close();
  // Waits for them without cancelling.
  Task<void> drain();

 private:
  struct Child;
  static Child run(TaskGroup& group, Task<void> task);
  struct Empty;

  Cancellation cancellation_;
  std::size_t running_ = 0;
  std::coroutine_handle<> waiter_;
};

}  // namespace securebase::net
