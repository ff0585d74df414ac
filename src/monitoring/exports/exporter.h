// Pushes the metrics to others, each so many seconds: a snapshot is taken and written in every protocol that is asked
// for, and an outlet for each brings it out.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "monitoring/exports/outlet.h"
#include "monitoring/exports/snapshot.h"
#include "monitoring/monitoring.h"
#include "net/event.h"
#include "net/task_group.h"

namespace securebase::monitoring::exports {

class Exporter {
 public:
  // kMalformed: a URL that is none, or a file of fields. All references outlive it.
  static Result<std::unique_ptr<Exporter>> make(const ExportSettings& settings, telemetry::Registry& registry,
                                                const Store& store, const base::Clock& clock, net::Worker& worker,
                                                net::Pool& pool);
  ~Exporter();  // stop()

  // Not from a worker's thread.
  void start();
  // Pushes once more what there is, gives the receivers two seconds to take it, and ends. Idempotent.
  void stop();

 private:
  struct Destination {
    std::unique_ptr<Outlet> outlet;
    std::filesystem::path fields_file;  // empty: none
  };

  Exporter(const ExportSettings& settings, telemetry::Registry& registry, const Store& store, const base::Clock& clock,
           net::Worker& worker, net::Pool& pool);
  Result<Done> add(Protocol protocol, const std::string& url, const std::filesystem::path& fields,
                   const std::shared_ptr<const net::TlsClient>& tls, telemetry::Registry& registry);
  void push();  // on the pool
  net::Task<void> push_each_interval();
  net::Task<void> close();

  // Constant after make().
  const std::chrono::milliseconds interval_;
  const std::filesystem::path queues_;  // empty: what waits is in memory only
  const base::Clock& clock_;
  net::Worker& worker_;
  net::Pool& pool_;
  std::vector<Destination> destinations_;

  Snapshots snapshots_;  // one push() at a time
  bool started_ = false;
  // Worker only.
  struct Running {
    net::TaskGroup pushing;
    net::TaskGroup sending;
  };
  std::unique_ptr<Running> running_;
};

}  // namespace securebase::monitoring::exports
