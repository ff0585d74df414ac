// The platform's end of the line to its warden: starts it, starts it again when it was killed, and keeps account of the
// processes below it. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "process/packet.h"
#include "process/process.h"

namespace securebase::process {

class Link {
 public:
  explicit Link(std::filesystem::path program) : program_(std::move(program)) {}
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Waits until the first warden answers the door.
  Result<Done> open();

  // Starts the command with its output going to `output`, which stays the caller's. The id of the process.
  Result<std::uint64_t> spawn(const Command& command, int output);
  enum class To { kChild, kGroup };
  void signal(std::uint64_t id, int number, To to);

  using Deadline = std::chrono::steady_clock::time_point;
  // True when the process has ended; false at the deadline, or when `enough` (asked under the lock) is true first.
  template <class Enough>
  bool wait_end(std::uint64_t id, Deadline deadline, Enough enough) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline, [&] { return processes_.at(id).ended || enough(); });
    return processes_.at(id).ended;
  }
  // Waits on the same lock and bell for something that is no process.
  template <class Enough>
  bool wait(Deadline deadline, Enough enough) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, enough);
  }
  // Runs `change` under the lock, and rings.
  template <class Change>
  void change(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }

  pid_t pid(std::uint64_t id) const;
  // How an ended process ended, in words and as a shell's exit code; forgets it.
  struct End {
    std::string words;
    int exit_code = 0;
  };
  End take_end(std::uint64_t id);

  pid_t warden() const;

 private:
  struct Process {
    pid_t pid = 0;
    int pidfd = -1;
    bool started = false;
    bool ended = false;
    bool lost = false;  // ended with the warden, so nobody knows how
    int wait_status = 0;
    std::string refusal;
  };

  void run();
  Result<Done> start_warden();
  void listen(int socket);
  void hear(const Packet& packet);
  void bury_the_lost();

  const std::filesystem::path program_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Under the mutex.
  std::map<std::uint64_t, Process> processes_;
  std::uint64_t next_id_ = 1;
  int socket_ = -1;
  pid_t warden_ = 0;
  bool tried_ = false;  // the first start of a warden has been tried
  bool closing_ = false;
  Result<Done> first_ = Done{};
  // Last: it uses the others. The parent-death signal is that of the thread that made the process, so all wardens are
  // made by this thread, which lives as long as the Link.
  std::thread thread_;
};

}  // namespace securebase::process
