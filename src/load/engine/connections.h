// Connections of a virtual user, or of all users of a worker: kept by origin, made when there is none.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "load/engine/connection.h"
#include "load/engine/exchange.h"
#include "net/task.h"

namespace securebase::load {

class Connections {
 public:
  // `most` connections to an origin, in use and kept; who finds them all in use waits for one, in order. 0: any number.
  explicit Connections(WorkerContext& worker, std::size_t most = 0) : worker_(worker), most_(most) {}
  // Nobody waits any more.
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // A kept one; null: there is none.
  std::unique_ptr<Connection> take_kept(const Origin& origin);
  // A kept one (then its times are not set) or a new one. What is got is put back, null when nothing was got.
  net::Task<Connection::Opened> get(Origin origin, std::chrono::milliseconds limit);
  // Keeps it when it can be used again, and wakes who waits. null: what take_kept or get gave has gone.
  void put_back(const Origin& origin, std::unique_ptr<Connection> connection);

 private:
  struct Waiter;
  struct Group {
    std::vector<std::unique_ptr<Connection>> idle;
    std::size_t in_use = 0;
    Waiter* first = nullptr;
    Waiter* last = nullptr;
  };
  WorkerContext& worker_;
  const std::size_t most_;
  std::map<Origin, Group> groups_;
};

}  // namespace securebase::load
