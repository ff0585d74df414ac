// What the users of one worker share: scratch memory, deadlines, TLS settings, addresses that were looked up.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "load/engine/exchange.h"
#include "load/measure/recorder.h"
#include "net/cancellation.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/worker.h"

namespace securebase::load {

// Looks at deadlines every kSweep instead of keeping a timer for each: thousands of connections cost a walk over a list
// then, and a request nothing. Worker only.
class Sweeper {
 public:
  class Watched {
   public:
    Watched() = default;
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

   protected:
    virtual ~Watched() { unlink(); }
    virtual void on_deadline() = 0;
    void unlink();
    base::SteadyPoint deadline_ = base::SteadyPoint::max();

   private:
    friend class Sweeper;
    Watched* next_ = nullptr;
    Watched* previous_ = nullptr;
  };

  Sweeper();
  ~Sweeper();
  void watch(Watched& watched);
  void sweep(base::SteadyPoint now);

 private:
  struct Ring final : Watched {
    void on_deadline() override {}
  } ring_;
};

class WorkerContext {
 public:
  // `recorder`, `tls` (may be null until an https URL is used) and `limits` outlive it.
  WorkerContext(Recorder& recorder, const net::TlsClient* tls, const Limits& limits)
      : recorder(recorder), tls(tls), limits(limits), scratch(std::make_unique<char[]>(kScratch)) {}

  static constexpr std::size_t kScratch = 64 << 10;

  Recorder& recorder;
  const net::TlsClient* const tls;
  const Limits& limits;
  Sweeper sweeper;
  // What every connection reads into. A read fills it in the moment in which its coroutine goes on, so its bytes are
  // good until that coroutine waits again.
  const std::unique_ptr<char[]> scratch;
  // Host to the address that a connection was made to; forgotten when connecting fails.
  std::map<std::string, std::string, std::less<>> addresses;
  // Ends the users' waiting.
  net::Cancellation stop;
  base::SteadyPoint measured_from;  // these two are set before the first user
  base::SteadyPoint phases_end = base::SteadyPoint::max();
  std::uint64_t own_failures = 0;  // EMFILE, EADDRNOTAVAIL
};

}  // namespace securebase::load
