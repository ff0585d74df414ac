// The program: every engine, in the order in which it is made. What stands below may use what stands above.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "net/event.h"
#include "net/http/server.h"
#include "net/worker.h"
#include "platform/authority.h"
#include "platform/aws_port.h"
#include "platform/configuration.h"
#include "platform/control.h"
#include "platform/platform.h"
#include "platform/state.h"
#include "process/process.h"
#include "store/tags.h"
#include "telemetry/metrics.h"
#include "telemetry/span.h"

namespace securebase::platform {

class Rooms {
 public:
  Rooms(Settings settings, State state, Platform::Progress progress);
  ~Rooms();  // stop()

  Result<Done> start();
  void stop();

  // What the control socket answers (control.cc).
  base::Json status() const;
  Result<base::Json> plan(const base::Json& question) const;
  Result<base::Json> apply(const base::Json& question);
  Result<base::Json> invalidate(const base::Json& question);
  Result<base::Json> invoke(const base::Json& question);
  Result<base::Json> environment() const;

 private:
  Result<Done> make_engines();
  Result<Done> check_ports() const;
  Result<Done> apply_all(const Configuration& configuration);
  Result<Done> start_servers();
  Result<Configuration> read(const StackSource& source) const;

  Settings settings_;
  const State state_;
  const Platform::Progress progress_;
  const base::SteadyPoint begun_;
  Endpoints endpoints_;

  telemetry::Registry registry_;
  telemetry::Spans spans_;
  store::Tags tags_;
  std::optional<LocalAuthority> authority_;
  std::unique_ptr<secrets::Secrets> secrets_;
  std::unique_ptr<process::Supervisor> supervisor_;
  std::unique_ptr<net::Pool> pool_;
  std::unique_ptr<net::Workers> workers_;
  std::unique_ptr<database::Database> database_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<objects::Objects> objects_;
  std::unique_ptr<functions::Functions> functions_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<edge::Edge> edge_;
  std::unique_ptr<AwsPort> aws_;
  std::vector<std::unique_ptr<http::Server>> servers_;
  std::unique_ptr<ControlServer> control_;

  mutable std::mutex mutex_;  // guards what follows
  Configuration applied_;
  bool stopped_ = false;
};

}  // namespace securebase::platform
