// The door of the process room: programs that run beside the platform (PostgreSQL, Redis) as its children. They are
// started, awaited until they are ready, restarted with growing pauses when they die, stopped in order, and never
// outlive the platform, whatever kills it.
//
//   platform --socket--> warden --fork, exec--> child --> its own children
//
// The warden is this same program started once more (warden_main), with one thread and nothing else to do. It is the
// parent of every child and, as a subreaper, of whatever they leave behind. It learns of the platform's death by the
// end of the socket (and by the parent-death signal), kills every process below it and ends. When the warden itself is
// killed, the children get the kernel's parent-death signal, which each sets after its change of user, for that change
// would clear it; the platform then starts a new warden and its children anew. docs/state.md tells it in full.
//
// Threads: everything here may be called from any thread; what says that it blocks is not for a worker's thread.
// A Supervisor has one thread of its own and one for each child.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::process {

// The first thing in main() of every program that makes a Supervisor: when this process was started to be a warden,
// serves as one and gives the exit code; nullopt otherwise, at once.
std::optional<int> warden_main(int argc, char** argv);

// Whom a child runs as. Supplementary groups are dropped.
struct Credentials {
  uid_t user = 0;
  gid_t group = 0;
  std::string name;  // for messages
};
// Whom a managed server runs as: when the platform is root, the user of that name (kNotFound: a sentence that says how
// to make one or choose another); else the platform's own user, who cannot change it.
Result<Credentials> unprivileged(const std::string& user_name);
// The directory, made if it is not there and owned by `owner`, with exactly this mode. kDenied names the first
// directory above it that `owner` may not pass.
Result<Done> private_directory(const std::filesystem::path& path, const Credentials& owner, unsigned mode = 0700);
// As base::replace_file, for a file that only `owner` reads.
Result<Done> private_file(const std::filesystem::path& path, std::string_view bytes, const Credentials& owner,
                          unsigned mode = 0600);

struct Command {
  std::vector<std::string> argv;                   // argv[0] is an absolute path
  std::map<std::string, std::string> environment;  // all of it: nothing is inherited
  std::filesystem::path directory = "/";
  std::optional<Credentials> run_as;
};

// The pauses before a dead child is started again: 100 ms, doubled to at most 10 s; after a run that lasted, from the
// start.
struct BackoffSettings {
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds most{10'000};
  std::chrono::milliseconds lasting{30'000};
};

struct ChildSpec {
  std::string name;  // "database": for messages
  Command command;
  // Standard output and error are appended here; cut by copy and truncate when it has grown to `log_bytes`.
  std::filesystem::path log;
  std::size_t log_bytes = std::size_t{64} << 20;
  // Called before every start, on the child's thread; may block for seconds. Its error is the reason why the child does
  // not start.
  std::function<Result<Done>()> prepare;
  // Asked again and again until it succeeds, on the child's thread; may block for a second. Not set: ready when
  // started.
  std::function<Result<Done>()> ready;
  std::chrono::milliseconds ready_within{30'000};
  // Asked when that time is over: whether it is alive and at work on what comes before, as PostgreSQL is while it
  // recovers from its log; then it has as much time again, without end. Not set: never.
  std::function<bool()> at_work;
  int stop_signal = SIGTERM;
  std::chrono::milliseconds grace{10'000};  // from the stop signal to SIGKILL
  BackoffSettings backoff;
};

enum class State {
  kStarting,
  kReady,
  kBackingOff,  // died, or could not be started; will be started again
  kStopping,
  kStopped,  // by stop()
  kFailed,   // has never been ready and could not be: it is not started again
};
std::string_view to_string(State state);

struct Status {
  State state = State::kStarting;
  pid_t pid = 0;  // 0: not running
  int restarts = 0;
  // Why it last ended, or why it is not ready: "killed by signal 9 (Killed)"; with the last lines of its log. Empty:
  // nothing has gone wrong yet.
  std::string reason;
};

class Child {
 public:
  virtual ~Child() = default;
  virtual Status status() const = 0;
  // Blocks until the child is ready. Before it was ready once, its first failure is final (kFailed) and given here with
  // the last lines of its log; after that, kTimeout tells what it does instead. kCancelled: it is being stopped.
  virtual Result<Done> wait_ready(std::chrono::milliseconds patience) = 0;
  // To the child alone. kUnavailable: it is not running.
  virtual Result<Done> signal(int number) = 0;
  // Blocks until it has ended, with all that it started. Idempotent; it cannot be started again.
  virtual void stop() = 0;
};

struct Finished {
  int exit_code = 0;   // 128 + the signal's number when it was killed
  std::string output;  // standard output and error, at most the last 64 KiB
};

// What a command may take. Looked at ten times a second: in between it may take more.
struct RunLimits {
  std::chrono::milliseconds time;
  // Of the command and everything below it together: what is in nobody else's memory, swapped out or not. What has
  // left its tree (a daemon) is not counted, and ends with it. 0: without bound.
  std::uint64_t memory_bytes = 0;
};

class Supervisor {
 public:
  struct Settings {
    // The program that serves as warden: this one.
    std::filesystem::path program = "/proc/self/exe";
  };
  static Result<std::unique_ptr<Supervisor>> start(Settings settings);
  static Result<std::unique_ptr<Supervisor>> start() { return start(Settings{}); }
  // Stops the children that are left, the youngest first, then the warden.
  virtual ~Supervisor() = default;

  // Begins to start it and returns. The supervisor outlives the child's handle's use.
  virtual std::shared_ptr<Child> add(ChildSpec spec) = 0;
  // Blocks until the command has ended. As safe from orphans as a child. kTimeout and kLimit: it was killed, with all
  // that it started, for its time or its memory.
  virtual Result<Finished> run(const Command& command, const RunLimits& limits) = 0;
  Result<Finished> run(const Command& command, std::chrono::milliseconds timeout) {
    return run(command, RunLimits{.time = timeout});
  }
  // Stops all, the youngest first, and commands under way; what is added or run afterwards does not start. Blocks.
  virtual void stop_all() = 0;
  virtual pid_t warden() const = 0;
};

// kConflict when somebody listens on the address, naming the process where that can be known: "port 5432 on 127.0.0.1
// is taken by postgres (process 812)". `option` is what chooses another one, for the message; it may be empty.
Result<Done> port_is_free(const std::string& address, std::uint16_t port, std::string_view option = {});

}  // namespace securebase::process
