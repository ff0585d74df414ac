#include "net/http/server.h"

#include <latch>

#include "base/log.h"
#include "net/http/connection.h"
#include "net/loop.h"

namespace securebase::http {

using net::Task;

namespace {

// How long a connection may overstay a limit. One sweep over all of them is cheaper than a timer for each read.
std::chrono::milliseconds sweep_interval(const ServerLimits& limits) {
  const auto shortest = std::min({limits.head_time, limits.idle_time, limits.body_time});
  return std::clamp(shortest / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(1000));
}

class ConnectionsOfAWorker final : public WorkerServer {
 public:
  ConnectionsOfAWorker(ServerSettings settings, Handler& handler, std::unique_ptr<net::Listener> listener)
      : settings_(std::move(settings)),
        host_(settings_, handler),
        listener_(std::move(listener)),
        sweep_timer_(net::Worker::current()) {}

  ~ConnectionsOfAWorker() override { check(count_ == 0, "drain() ends a server before it goes"); }

  void begin() {
    port_ = listener_->port();
    accepting_.spawn(accept());
    arm_sweep();
  }

  std::uint16_t port() const override { return port_; }

  Task<void> drain() override {
    if (host_.draining) co_return;
    host_.draining = true;
    listener_->close();
    co_await accepting_.close();
    sweep();
    const auto until = std::chrono::steady_clock::now() + settings_.limits.drain_time;
    while (count_ > 0 && std::chrono::steady_clock::now() < until) {
      sweep();  // those that became idle meanwhile
      auto slept = co_await net::sleep_for(std::chrono::milliseconds(5));
      if (!slept) break;
    }
    for (Connection* connection = first_; connection; connection = connection->next) connection->close();
    co_await connections_.close();
    sweep_timer_.cancel();
  }

 private:
  Task<void> accept() {
    constexpr std::chrono::milliseconds kPause{50};  // when descriptors or memory ran out
    for (;;) {
      auto stream = co_await listener_->accept();
      if (stream) {
        if (make_room()) connections_.spawn(serve(std::move(*stream)));
        continue;
      }
      const auto code = stream.error().code;
      if (code == Errc::kCancelled || code == Errc::kClosed) co_return;
      base::log(base::Level::kError, "net", "{}: no new connections for a moment", stream.error().message);
      auto slept = co_await net::sleep_for(kPause);
      if (!slept) co_return;
    }
  }

  // Beyond the limit the oldest idle connection goes; if all are busy, the new one does.
  bool make_room() {
    if (count_ < settings_.limits.connections) return true;
    for (Connection* connection = first_; connection; connection = connection->next) {
      if (!connection->is_idle()) continue;
      connection->close();
      return true;
    }
    return false;
  }

  Task<void> serve(std::unique_ptr<net::Stream> stream) {
    Connection connection(host_, std::move(stream));
    link(connection);
    co_await connection.run();
    unlink(connection);
  }

  void link(Connection& connection) {
    connection.previous = last_;
    (last_ ? last_->next : first_) = &connection;
    last_ = &connection;
    ++count_;
  }

  void unlink(Connection& connection) {
    (connection.previous ? connection.previous->next : first_) = connection.next;
    (connection.next ? connection.next->previous : last_) = connection.previous;
    --count_;
  }

  void sweep() {
    const auto now = net::Worker::current().loop().now();
    for (Connection* connection = first_; connection; connection = connection->next) connection->expire(now);
  }

  void arm_sweep() {
    sweep_timer_.start(sweep_interval(settings_.limits), [this] {
      sweep();
      arm_sweep();
    });
  }

  const ServerSettings settings_;
  ConnectionHost host_;
  std::unique_ptr<net::Listener> listener_;
  std::uint16_t port_ = 0;
  net::TaskGroup accepting_;
  net::TaskGroup connections_;
  net::Timer sweep_timer_;
  Connection* first_ = nullptr;
  Connection* last_ = nullptr;
  std::size_t count_ = 0;
};

Task<void> drain_then(WorkerServer& server, std::latch& done) {
  co_await server.drain();
  done.count_down();
}

class ServerOnAllWorkers final : public Server {
 public:
  explicit ServerOnAllWorkers(net::Workers& workers) : workers_(workers), parts_(workers.size()) {}

  ~ServerOnAllWorkers() override {
    drain();
    workers_.on_each([this](net::Worker& worker) { parts_[worker.index()].reset(); });
  }

  // The first worker chooses the port, if it is 0; the others listen there too. A Unix socket has one listener.
  Result<Done> begin(ServerSettings settings, Handler& handler) {
    Result<Done> outcome = Done{};
    using Sharing = net::Listener::Sharing;
    const bool alone = !settings.address.path.empty() || workers_.size() == 1;
    for (std::size_t i = 0; i < (alone ? 1 : workers_.size()) && outcome; ++i) {
      std::latch done(1);
      workers_[i].post([&] {
        const auto sharing = alone ? Sharing::kAlone : i == 0 ? Sharing::kFirst : Sharing::kFurther;
        auto part = WorkerServer::start(settings, handler, sharing);
        if (part) {
          parts_[i] = std::move(*part);
        } else {
          outcome = part.error();
        }
        done.count_down();
      });
      done.wait();
      if (i == 0 && outcome) port_ = settings.address.port = parts_[0]->port();
    }
    return outcome;
  }

  std::uint16_t port() const override { return port_; }

  void drain() override {
    if (std::exchange(drained_, true)) return;
    std::latch done(static_cast<std::ptrdiff_t>(workers_.size()));
    workers_.on_each([this, &done](net::Worker& worker) {
      auto& part = parts_[worker.index()];
      if (part) {
        worker.tasks().spawn(drain_then(*part, done));
      } else {
        done.count_down();
      }
    });
    done.wait();
  }

 private:
  net::Workers& workers_;
  std::vector<std::unique_ptr<WorkerServer>> parts_;
  std::uint16_t port_ = 0;
  bool drained_ = false;
};

}  // namespace

Result<std::unique_ptr<WorkerServer>> WorkerServer::start(ServerSettings settings, Handler& handler,
                                                          net::Listener::Sharing sharing) {
  auto listener = net::Listener::open(settings.address, sharing);
  if (!listener) return listener.error();
  auto server = std::make_unique<ConnectionsOfAWorker>(std::move(settings), handler, std::move(*listener));
  server->begin();
  return std::unique_ptr<WorkerServer>(std::move(server));
}

Result<std::unique_ptr<Server>> Server::start(ServerSettings settings, net::Workers& workers, Handler& handler) {
  auto server = std::make_unique<ServerOnAllWorkers>(workers);
  auto begun = server->begin(std::move(settings), handler);
  if (!begun) return begun.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace securebase::http
