// What the platform and its warden (warden.h) say to each other, over a socket pair that keeps message boundaries.
// Each message is one JSON object; a start carries the descriptor that becomes the instance's standard output and
// error.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::functions {

// One process tree to run, and all that it may see.
struct StartRequest {
  std::uint64_t id = 0;
  std::uint32_t uid = 0;  // on the host; not used when the warden cannot change users
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // NAME=value
  std::string task;                      // becomes /var/task
  std::string layers;                    // becomes /opt; empty: an empty directory
  std::string runtime;                   // becomes /var/runtime; empty: an empty directory
  bool writable_task = false;            // for compiling at unpack time only
  std::size_t memory_mb = 128;
  std::size_t ephemeral_mb = 512;
};

struct Command {
  enum class Kind { kStart, kKill, kSettle };  // settle: initialisation is over, the CPU share holds from now on
  Kind kind = Kind::kStart;
  StartRequest start;    // kStart
  std::uint64_t id = 0;  // kKill, kSettle
};

// How an instance ended.
struct Ending {
  std::uint64_t id = 0;
  bool started = true;  // false: the sandbox could not be made, `failure` says why
  std::string failure;
  int status = 0;              // of waitpid
  bool out_of_memory = false;  // the kernel (or the warden's watch) killed it for its memory
};

struct Report {
  enum class Kind { kHello, kStarted, kEnded };
  Kind kind = Kind::kHello;
  // kHello: one line for each measure that holds on this machine, and for each that does not.
  std::vector<std::string> holds;
  std::vector<std::string> missing;
  bool own_users = false;   // every instance has a host user of its own
  bool refused = false;     // isolation is required, and something is missing
  std::uint64_t id = 0;     // kStarted
  pid_t pid = 0;            // kStarted: of the instance's init, as the host sees it
  std::string memory_peak;  // kStarted: file that holds the most memory used, in bytes; empty: none
  Ending ending;            // kEnded
};

base::Json to_json(const Command& command);
base::Json to_json(const Report& report);
Result<Command> command_from(std::string_view text);
Result<Report> report_from(std::string_view text);

constexpr std::size_t kMessageBytes = 160 << 10;  // Lambda's environment is at most 4 KB; paths and arguments are short

// Blocking. `descriptor` is sent along if it is not -1, and stays the caller's.
Result<Done> send_message(int socket, const base::Json& message, int descriptor = -1);

struct Received {
  std::string text;     // empty: the other side is gone
  int descriptor = -1;  // the receiver's to close
};
Result<Received> receive_message(int socket);

}  // namespace securebase::functions
