// An Artillery processor: a Node module whose functions are hooks, steps and conditions. It runs in one node process
// beside the run; every worker that needs it connects to it (processor_link.h).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::load::artillery {

class Processor {
 public:
  // Starts node and waits until the module is loaded, at most 30 s. `shared`: the variables that all users have; `path`
  // is where programs are looked for; `environment` is all of the process's. The error says what is missing, or what
  // the module threw. Blocking; not from a worker's thread.
  static Result<std::unique_ptr<Processor>> start(const std::filesystem::path& module, const base::Json& shared,
                                                  std::string_view path,
                                                  const std::map<std::string, std::string>& environment);
  // Ends node, by SIGKILL if it does not end by itself within a second.
  ~Processor();
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;

  // Any thread.
  bool has(std::string_view function) const;
  const std::vector<std::string>& functions() const { return functions_; }
  // Where to connect: a Unix socket that only this user reaches.
  const std::filesystem::path& socket() const { return socket_; }

  // How node ended, if it has ("ended with exit status 1"). One thread at a time.
  std::optional<std::string> ended();

 private:
  Processor() = default;
  Result<Done> spawn(const std::string& node, const std::filesystem::path& module, const base::Json& shared,
                     const std::map<std::string, std::string>& environment);
  Result<Done> await_ready(const std::filesystem::path& module);

  std::filesystem::path directory_;
  std::filesystem::path socket_;
  std::vector<std::string> functions_;
  pid_t pid_ = 0;
  int life_ = -1;   // node's standard input: its end is node's
  int hello_ = -1;  // node tells here that it is ready
  std::optional<std::string> ended_;
};

}  // namespace securebase::load::artillery
