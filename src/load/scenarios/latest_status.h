// The target's status, asked for once a second by a thread of its own: who collects what is measured once a second must
// not be held up by a target that is busy.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "base/result.h"

namespace securebase::load {

class LatestStatus {
 public:
  // `ask` may block; it is called here once, and then by the thread only.
  explicit LatestStatus(std::function<Result<base::Json>()> ask);
  // Waits for the answer that is under way.
  ~LatestStatus();
  LatestStatus(const LatestStatus&) = delete;
  LatestStatus& operator=(const LatestStatus&) = delete;

  // What came last. Any thread; never waits for the target.
  Result<base::Json> get() const;

 private:
  void ask_each_second();

  const std::function<Result<base::Json>()> ask_;
  mutable std::mutex mutex_;  // guards these three
  std::condition_variable ended_changed_;
  Result<base::Json> latest_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace securebase::load
