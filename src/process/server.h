// What the rooms that manage a server program (PostgreSQL, Redis) share: which port it has, and how it is started,
// started again and stopped. A door of its own beside process.h.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "process/process.h"

namespace securebase::process {

// Where a managed server is reached; the computed attributes of its resources say the same.
struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // what the operator asked for on the command line; 0: nothing
};
// The operator's port wins over the stack's, and the stack's over the one that the program has by custom.
std::uint16_t port_of(const Endpoint& endpoint, std::optional<std::uint16_t> in_stack, std::uint16_t customary);
// The sentence for `plan` and the start where the operator's port takes the place of the stack's; empty where it does
// not.
std::string port_note(const Endpoint& endpoint, std::optional<std::uint16_t> in_stack, std::string_view option);

struct ServerSpec {
  std::string title;  // "PostgreSQL": for messages
  std::string host;
  std::uint16_t port = 0;
  std::string port_option;                                           // "--postgres-port": for messages
  Credentials owner;                                                 // of the directories, files and process
  std::vector<std::filesystem::path> directories;                    // made where missing; nobody else's
  std::vector<std::pair<std::filesystem::path, std::string>> files;  // replaced before the start; nobody else's
  ChildSpec child;                                                   // its run_as is `owner`
};
// Replaces the spec's files, as before a start: a restart after a crash finds them.
Result<Done> write_files(const ServerSpec& spec);

// One server program, or none. Any thread; status() never waits for a start or stop under way.
class Server {
 public:
  // The supervisor outlives it.
  explicit Server(Supervisor& supervisor) : supervisor_(supervisor) {}
  ~Server() { stop(); }

  // Stops what runs, writes the files, starts the child and blocks until it is ready. kConflict: the port is taken.
  // After an error nothing runs.
  Result<Done> start(ServerSpec spec);
  void stop();
  bool exists() const { return child() != nullptr; }
  // kStopped when there is none.
  Status status() const;

 private:
  std::shared_ptr<Child> child() const;

  Supervisor& supervisor_;
  std::mutex changing_;       // held through start and stop
  mutable std::mutex mutex_;  // guards the pointer
  std::shared_ptr<Child> child_;
};

}  // namespace securebase::process
