// The threads of the virtual users: made once, each with its user, and lent to scenarios.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

#include "k6/shared.h"
#include "k6/user.h"
#include "load/measure/collector.h"

namespace securebase::k6 {

class Crew {
 public:
  using Job = std::function<void(User&)>;

  Crew(Shared& shared, load::Collector& collector);
  ~Crew();  // ends what is idle; scenarios have given everything back before

  // Makes so many users and waits until their init code has run. An error: what a script threw.
  Result<Done, ScriptError> hire(std::int64_t count);
  // Makes one more, whose first job this is. It takes some milliseconds; nobody waits. `failed` is called instead when
  // the script's init code threw.
  void hire_for(Job job, std::function<void()> failed);
  // Gives the job to an idle user; waits for one, at most until everything is stopped. False: none came.
  bool lend(Job job);

 private:
  struct Worker {
    std::thread thread;
    std::int64_t id = 0;
    Job job;
    std::function<void()> failed;
    std::binary_semaphore wake{0};
    bool ending = false;  // written before wake
  };
  void work(Worker& worker);
  Worker& make_worker();

  Shared& shared_;
  std::vector<load::Recorder*> recorders_;    // shared by users that have the same number modulo their count
  std::counting_semaphore<64> initialising_;  // init code runs on so many threads at once

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::deque<Worker*> idle_;
  std::int64_t next_id_ = 1;
  bool closing_ = false;
  std::optional<ScriptError> failure_;
};

}  // namespace securebase::k6
