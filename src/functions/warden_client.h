// The platform's end of the warden: starts it, hands it commands, tells who asked how each instance ended. When the
// warden itself dies, every instance has died with it: all are reported ended, and a new warden is started.
// Any thread; callbacks run on the client's own thread and do not block.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "functions/sandbox/wire.h"

namespace securebase::functions {

struct WardenProgram {
  std::string program;
  std::string mount_point;
  std::string etc;
  bool isolation_required = false;
};

class WardenClient {
 public:
  struct Callbacks {
    std::function<void(const Report& started)> started;  // may be empty
    std::function<void(const Ending& ending)> ended;     // exactly once
  };

  static Result<std::unique_ptr<WardenClient>> start(WardenProgram program);
  ~WardenClient();  // ends the warden, and with it all instances

  // What the warden found on this machine.
  Report measures() const;
  // `output` becomes the standard output and error; it stays the caller's.
  void start_instance(const StartRequest& request, int output, Callbacks callbacks);
  void kill(std::uint64_t id);
  void settle(std::uint64_t id);
  // Runs a program in a sandbox and waits for its end. Not on a worker.
  Ending run(const StartRequest& request, int output);

 private:
  explicit WardenClient(WardenProgram program) : program_(std::move(program)) {}
  Result<Done> spawn();
  void listen();
  void end_all(const std::string& reason);
  bool send(const Command& command, int descriptor = -1);

  const WardenProgram program_;
  std::thread thread_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  int socket_ = -1;
  pid_t pid_ = 0;
  Report measures_;
  bool stopping_ = false;
  std::unordered_map<std::uint64_t, Callbacks> living_;
};

}  // namespace securebase::functions
