// The control socket: how the command line speaks to the running platform. HTTP and JSON over a Unix socket in the
// state directory, which only the platform's own user can open. POST with a question, 200 with an answer, else
// {"code": <an Errc's word>, "message": ...}.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "net/event.h"
#include "net/http/message.h"
#include "net/worker.h"

namespace securebase::platform {

std::filesystem::path control_socket(const std::filesystem::path& state);

class ControlServer {
 public:
  using Answerer = std::function<Result<base::Json>(const base::Json& question)>;
  // By path. Answers are made on threads of the server's own, which may block.
  struct Answerers {
    // One question at a time, in their order: each may change what the next one sees.
    std::map<std::string, Answerer> in_turn;
    // Beside these and each other: who wants to know how the platform is doing does not wait for an apply.
    std::map<std::string, Answerer> at_once;
  };

  // `worker` outlives the server.
  ControlServer(net::Worker& worker, Answerers answerers);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Replaces a socket that a killed platform left: the state directory is locked, so nobody listens on it.
  Result<Done> start(const std::filesystem::path& socket);
  // Waits for the answer under way. Not from a worker's thread. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace securebase::platform
