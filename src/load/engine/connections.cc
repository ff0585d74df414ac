#include "load/engine/connections.h"

namespace securebase::load {

// Somebody who found all connections of an origin in use. Resumed by whoever puts one back, with the connection or with
// the right to open another.
struct Connections::Waiter final : net::Cancellation::Hook {
  explicit Waiter(Group& group) : group(group) {}
  ~Waiter() override { leave(); }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) {
    net::Cancellation* cancellation = awaiter.promise().cancellation;
    if (cancellation && cancellation->requested()) {
      cancelled = true;
      return false;
    }
    handle = awaiter;
    previous = group.last;
    (group.last ? group.last->next : group.first) = this;
    group.last = this;
    listed = true;
    if (cancellation) cancellation->add(*this);
    return true;
  }
  void await_resume() const noexcept {}

  void leave() {
    if (!std::exchange(listed, false)) return;
    (previous ? previous->next : group.first) = next;
    (next ? next->previous : group.last) = previous;
  }
  // From the loop: who cannot connect wakes the next, and a long row of them must not nest.
  void wake() {
    leave();
    unhook();
    net::Worker::current().post([this] { handle.resume(); });
  }
  // From the loop, not from inside whoever cancels.
  void on_cancel() override {
    leave();
    cancelled = true;
    net::Worker::current().post([this] { handle.resume(); });
  }

  Group& group;
  std::coroutine_handle<> handle;
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
  bool listed = false;
  bool cancelled = false;
  std::unique_ptr<Connection> given;
};

Connections::~Connections() = default;

std::unique_ptr<Connection> Connections::take_kept(const Origin& origin) {
  const auto found = groups_.find(origin);
  if (found == groups_.end()) return nullptr;
  auto& [at, group] = *found;
  while (!group.idle.empty()) {
    auto connection = std::move(group.idle.back());
    group.idle.pop_back();
    if (!connection->reusable()) continue;
    ++group.in_use;
    return connection;
  }
  return nullptr;
}

net::Task<Connection::Opened> Connections::get(Origin origin, std::chrono::milliseconds limit) {
  Connection::Opened opened;
  opened.connection = take_kept(origin);
  if (opened.connection) co_return opened;
  Group& group = groups_[origin];  // maps do not move their elements
  if (most_ != 0 && group.in_use >= most_) {
    Waiter waiter(group);
    co_await waiter;
    if (waiter.cancelled) {
      opened.failure = Failure::kCancelled;
      co_return opened;
    }
    // Its place in in_use was handed over.
    if (waiter.given) {
      opened.connection = std::move(waiter.given);
      co_return opened;
    }
  } else {
    ++group.in_use;
  }
  opened = co_await Connection::open(worker_, origin, limit);
  if (!opened.connection) put_back(origin, nullptr);
  co_return opened;
}

void Connections::put_back(const Origin& origin, std::unique_ptr<Connection> connection) {
  Group& group = groups_[origin];
  if (connection && !connection->reusable()) connection.reset();
  if (group.first) {
    Waiter& waiter = *group.first;
    waiter.given = std::move(connection);
    waiter.wake();
    return;
  }
  --group.in_use;
  if (connection) group.idle.push_back(std::move(connection));
}

}  // namespace securebase::load
