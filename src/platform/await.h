// From outside the workers: run a task on one of them, and block until it has ended.
#pragma once

#include <future>
#include <utility>

#include "net/task.h"
#include "net/worker.h"

namespace securebase::platform {

template <class T>
net::Task<void> deliver(net::Task<T> task, std::promise<T>& promise) {
  promise.set_value(co_await std::move(task));
}

template <class T>
T await_on(net::Worker& worker, net::Task<T> task) {
  std::promise<T> promise;
  auto future = promise.get_future();
  worker.post([&worker, &promise, task = std::move(task)]() mutable {
    worker.tasks().spawn(deliver(std::move(task), promise));
  });
  return future.get();
}

}  // namespace securebase::platform
