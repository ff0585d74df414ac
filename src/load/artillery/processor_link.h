// A worker's connection to the processor: calls of its functions for virtual users. What several users ask within one
// turn of the loop leaves in one write. Worker only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.h"
#include "load/artillery/processor.h"
#include "net/task.h"

namespace securebase::load::artillery {

class ProcessorLink {
 public:
  // `processor` outlives it. `crashed` is called once when node is gone while calls wait.
  ProcessorLink(const Processor& processor, std::function<void()> crashed);
  // Closes the connection; calls that wait end.
  ~ProcessorLink();
  ProcessorLink(const ProcessorLink&) = delete;
  ProcessorLink& operator=(const ProcessorLink&) = delete;

  const Processor& processor() const { return processor_; }
  // Sends a message (processor_bridge.mjs says its shape, but for `i`) and waits for its answer, at most kPatience.
  // kClosed: node is gone; kTimeout: the function has not called next().
  net::Task<Result<base::Json>> call(base::Json message);
  // A user has ended; nobody waits.
  void forget(std::uint64_t user);

  static constexpr std::chrono::seconds kPatience{60};

 private:
  struct State;
  const Processor& processor_;
  std::shared_ptr<State> state_;
};

}  // namespace securebase::load::artillery
