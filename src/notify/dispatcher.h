// Takes what is due from the queue, has it delivered, and says in the queue, the log and the metrics what came of it.
// All of it on one worker; an attempt that takes long holds back its own lane only.
#pragma once

#include <atomic>
#include <memory>

#include "net/event.h"
#include "net/task_group.h"
#include "net/tls.h"
#include "notify/notify.h"
#include "notify/sender.h"

namespace securebase::notify {

class Dispatcher {
 public:
  // `engine` outlives it.
  Dispatcher(Notify::Engine& engine, std::shared_ptr<const net::TlsClient> tls);
  ~Dispatcher();

  // From outside the worker. stop() waits; attempts under way are put back.
  void start();
  void stop();

 private:
  struct Running;  // on the worker
  net::Task<void> run();
  net::Task<void> deliver(Queue::Delivery delivery);
  void finish(const Queue::Delivery& delivery, const Topic& topic, const Subscription& subscription, Attempt attempt,
              base::TimePoint begun);
  net::Task<void> close();

  Notify::Engine& engine_;
  const std::shared_ptr<const net::TlsClient> tls_;
  net::Event news_;
  bool started_ = false;
  // Worker only.
  std::unique_ptr<Running> running_;
};

}  // namespace securebase::notify
