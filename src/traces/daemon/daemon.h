// The X-Ray daemon's place: segments by UDP, and by TCP on the same port the two questions of sampling that SDKs ask
// the daemon rather than AWS.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "net/http/message.h"
#include "traces/collect/collector.h"
#include "traces/sampling/rules.h"

namespace securebase::traces {

struct DaemonStatistics {
  std::uint64_t datagrams = 0;
  std::uint64_t refused = 0;  // not a document, or one that is not taken
};

// Its thread reads the socket until the daemon goes.
class Daemon {
 public:
  // The collector and the clock outlive it.
  static Result<std::unique_ptr<Daemon>> start(const std::string& host, std::uint16_t port, Collector& collector,
                                               const base::Clock& clock);
  ~Daemon();
  DaemonStatistics statistics() const { return {datagrams_.load(), refused_.load()}; }

 private:
  Daemon(int socket, int end, Collector& collector, const base::Clock& clock);
  void run();
  void take(std::string_view datagram);

  const int socket_;
  const int end_;  // an eventfd
  Collector& collector_;
  const base::Clock& clock_;
  std::atomic<std::uint64_t> datagrams_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::thread thread_;  // last
};

// POST /GetSamplingRules and /SamplingTargets, unsigned, as the daemon proxies them.
class DaemonQuestions final : public http::Handler {
 public:
  explicit DaemonQuestions(SamplingRules& rules) : rules_(rules) {}
  net::Task<http::Response> answer(http::Request& request) override;

 private:
  SamplingRules& rules_;
};

}  // namespace securebase::traces
