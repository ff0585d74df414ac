// Sends what waits in a queue to one receiver, one body after the other: an order that remote write asks for. What a
// receiver cannot take now is sent again, after longer and longer pauses, until it takes it or refuses it for good.
#pragma once

#include <memory>
#include <string>

#include "base/snapshot.h"
#include "monitoring/exports/queue.h"
#include "monitoring/exports/spool.h"
#include "monitoring/exports/target.h"
#include "monitoring/exports/verdict.h"
#include "net/http/client.h"
#include "net/task_group.h"
#include "net/tls.h"
#include "net/worker.h"
#include "telemetry/metrics.h"

namespace securebase::monitoring::exports {

class Outlet {
 public:
  struct Settings {
    Protocol protocol = Protocol::kRemoteWrite;
    http::Url target;
    std::size_t queue_bytes = std::size_t{32} << 20;
    Pauses pauses;
    std::chrono::milliseconds attempt_time{30'000};
  };

  // `registry` and `clock` outlive it.
  Outlet(Settings settings, std::shared_ptr<const net::TlsClient> tls, telemetry::Registry& registry,
         const base::Clock& clock);

  // From here on what waits is in this file too, and what waited there waits again. kIo: it cannot be written. Before
  // the first push().
  Result<Done> keep_in(const std::filesystem::path& file);
  // One thread at a time; blocks where there is a file.
  void push(std::vector<Payload> payloads);
  // Writes what waits to the file.
  void save();

  // Any thread.
  void set_fields(Fields fields) { fields_.set(std::make_shared<const Fields>(std::move(fields))); }
  const Settings& settings() const { return settings_; }
  bool empty() const { return queue_.bytes() == 0; }

  // On a worker, until it is cancelled; it is not destroyed before.
  net::Task<void> run();

 private:
  struct Attempt {
    Verdict verdict = Verdict::kAgain;
    std::string trouble;                             // of kAgain and kRefused
    std::optional<std::chrono::milliseconds> pause;  // the receiver asked for it
    std::uint64_t rejected = 0;                      // of what was taken
  };

  net::Task<Result<Attempt>> post(http::Client& client, std::shared_ptr<const std::string> body) const;
  http::ClientRequest request_for(std::shared_ptr<const std::string> body) const;
  void finish(const Queue::Waiting& waiting, const Attempt& attempt);
  void complain(std::string_view what);

  const Settings settings_;
  const std::shared_ptr<const net::TlsClient> tls_;
  const base::Clock& clock_;
  telemetry::Counter& sent_;
  telemetry::Counter& dropped_;
  telemetry::Counter& refused_;
  telemetry::Counter& retries_;
  telemetry::Gauge& queue_bytes_;
  Queue queue_;
  std::optional<Spool> spool_;  // of who pushes
  bool spool_failed_ = false;
  base::Snapshot<Fields> fields_{std::make_shared<const Fields>()};
  // The worker's.
  std::string complaint_;  // told last: the same one is not told again and again
};

}  // namespace securebase::monitoring::exports
