// The invalidations that wait, and the thread that runs them: all that wait together share one pass over the keyspace.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "cache/cache.h"

namespace securebase::cache {

class Sweeper {
 public:
  // Sweeps for these tags, blocking; on the sweeper's thread.
  using Sweep = std::function<Result<Receipt>(const std::vector<std::string>& tags)>;
  // `clock` outlives it.
  Sweeper(Sweep sweep, const base::Clock& clock);
  ~Sweeper();  // after what waits has been swept

  // As Cache::invalidate. Any thread.
  void add(std::vector<std::string> tags, std::function<void(Result<Receipt>)> done);

 private:
  struct Waiting {
    std::vector<std::string> tags;
    std::function<void(Result<Receipt>)> done;
  };
  void serve();
  void run(std::deque<Waiting>& batch);

  const Sweep sweep_;
  const base::Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable news_;
  std::deque<Waiting> waiting_;
  bool ending_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace securebase::cache
