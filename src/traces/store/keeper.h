// Looks after a store once a minute, on a thread of its own: lets go what is old, and merges what is small.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "traces/store/store.h"

namespace securebase::traces {

class Keeper {
 public:
  explicit Keeper(Store& store) : thread_([this, &store] { run(store); }) {}
  // Waits for a merge that runs: some tens of megabytes.
  ~Keeper();

 private:
  void run(Store& store);

  std::mutex mutex_;
  std::condition_variable bell_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace securebase::traces
