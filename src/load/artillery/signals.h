// SIGINT and SIGTERM end a run early, with a report of what was measured until then.
#pragma once

#include <signal.h>

#include "load/engine/engine.h"

namespace securebase::load::artillery {

// While it lives the first SIGINT or SIGTERM stops the engine that runs, and the second one ends the program. One at a
// time.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // 0: none came.
  static int came();
  // The engine that a signal stops, at once when one came before; null: none. It must be taken off before it ends.
  static void watch(Engine* engine);
  // Stops it as a signal would, from any thread.
  static void stop_engine();

 private:
  struct sigaction before_[2];
};

}  // namespace securebase::load::artillery
