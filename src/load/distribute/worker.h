// A machine that generates a share of somebody else's load: takes one plan at a time over HTTP, runs it, and gives its
// result. It sends whatever requests it is told to, wherever: it listens on loopback, or asks for a token.
//
//   POST /v1/runs      a plan; 202 {"id"}, 409 while another runs, or has a result that nobody has fetched
//   GET  /v1/runs/ID   {"state": "running", "elapsed_ms", "users"}, {"state": "done", "result"}, {"state": "failed"}
//   DELETE /v1/runs/ID ends it; its result can be fetched still, until another run begins
//
// A run whose coordinator has not asked for kForgotten ends by itself, and a result that was not fetched for so long is
// nobody's: neither is wanted any more.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "load/scenarios/run.h"
#include "net/stream.h"

namespace securebase::load {

inline constexpr std::chrono::seconds kForgotten{30};

class LoadWorker {
 public:
  // kDenied: an address that others reach, and no token.
  static Result<std::unique_ptr<LoadWorker>> start(net::Address address, std::string token);
  ~LoadWorker();
  std::uint16_t port() const;

 private:
  struct Impl;
  explicit LoadWorker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace securebase::load
