// A connection to the target: sends a request, reads its answer, keeps nothing of either that was not asked for.
// Thousands of them are cheap: they read into their worker's scratch memory and have no buffer of their own.
#pragma once

#include <memory>

#include "load/engine/exchange.h"
#include "load/engine/response_reader.h"
#include "load/engine/worker_context.h"
#include "net/stream.h"
#include "net/task.h"

namespace securebase::load {

class Connection final : private Sweeper::Watched {
 public:
  struct Opened {
    std::unique_ptr<Connection> connection;  // null: see failure
    Failure failure = Failure::kNone;
    std::string explanation;
    base::SteadyPoint connected;
    base::SteadyPoint secured;
  };
  // On the current worker; `worker` outlives the connection.
  static net::Task<Opened> open(WorkerContext& worker, Origin origin, std::chrono::milliseconds limit);

  Connection(WorkerContext& worker, std::unique_ptr<net::Stream> stream);
  ~Connection() override;

  // Fills `answer` but for the times before sending. One at a time; all outlive the await.
  net::Task<void> exchange(const Request& request, Keep keep, const Limits& limits, Answer& answer);
  // Whether another request may be sent: the last answer was complete, nobody has closed, and nothing came that nobody
  // asked for, which would be taken for the next answer.
  bool reusable() const { return reusable_ && !stream_->hung_up() && !spoke_unasked(); }

 private:
  void on_deadline() override;
  bool spoke_unasked() const;

  WorkerContext& worker_;
  std::unique_ptr<net::Stream> stream_;
  ResponseReader reader_;
  net::IoOperation* waiting_ = nullptr;
  bool reusable_ = true;
  bool expired_ = false;
  base::SteadyPoint last_byte_ = base::SteadyPoint::max();  // of the last answer; what comes much later is asked for
};

}  // namespace securebase::load
