// The program: every engine, in the order in which it is made. What stands below may use what stands above.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "advisor/gates.h"
#include "aws/aws.h"
#include "base/snapshot.h"
#include "logs/insights/insights.h"
#include "logs/logs.h"
#include "monitoring/dashboards.h"
#include "monitoring/monitoring.h"
#include "net/event.h"
#include "net/http/server.h"
#include "net/worker.h"
#include "platform/alarm_actions.h"
#include "platform/authority.h"
#include "platform/aws_port.h"
#include "platform/configuration.h"
#include "platform/control.h"
#include "platform/generations.h"
#include "platform/operator_port.h"
#include "platform/platform.h"
#include "platform/state.h"
#include "platform/uptime.h"
#include "process/process.h"
#include "rum/rum.h"
#include "stack/plan.h"
#include "stack/registry.h"
#include "store/tags.h"
#include "synthetics/synthetics.h"
#include "telemetry/metrics.h"
#include "telemetry/span.h"
#include "traces/traces.h"

namespace securebase::platform {

class Rooms final : public stack::Changes {
 public:
  // `interruption` may be null, else it outlives this.
  Rooms(Settings settings, State state, Platform::Progress progress, Interruption* interruption = nullptr);
  ~Rooms() override;  // stop()

  Result<Done> start();
  void stop();

  // What the control socket answers (control.cc).
  base::Json status() const;
  Result<base::Json> plan(const base::Json& question) const;
  Result<base::Json> apply(const base::Json& question);
  Result<base::Json> invalidate(const base::Json& question);
  Result<base::Json> invoke(const base::Json& question);
  base::Json log_groups() const;
  Result<base::Json> log_tail(const base::Json& question) const;
  Result<base::Json> environment() const;
  Result<base::Json> targets(const base::Json& question) const;
  Result<base::Json> alarms(const base::Json& question);         // questions_alarms.cc
  Result<base::Json> notifications(const base::Json& question);  // questions_notify.cc
  Result<base::Json> check(const base::Json& question);          // questions_gates.cc, and the two below
  Result<base::Json> waivers(const base::Json& question);
  Result<base::Json> load_runs(const base::Json& question);
  Result<base::Json> send_test_notifications();             // gate_facts.cc
  Result<base::Json> rollback(const base::Json& question);  // way_back.cc
  Result<base::Json> traces(const base::Json& question) const;
  Result<base::Json> uptime(const base::Json& question) const;
  Result<base::Json> page_views(const base::Json& question) const;
  Result<base::Json> take_lighthouse(const base::Json& question);

  // What the AWS APIs change (changes.cc). A change waits for the one before it, and for an apply.
  std::shared_ptr<const stack::Stack> current() const override { return in_force_.get(); }
  Result<std::shared_ptr<const stack::Stack>> change(const Decide& decide) override;
  Result<base::Json> credentials(const base::Json& question);
  base::Json operations() const;

 private:
  // By name, as their declarations say it. nullptr stands for all of them.
  using RoomNames = std::set<std::string, std::less<>>;
  // A stack as it is to be in force: the files, and what is recorded beside them.
  struct Wanted {
    std::shared_ptr<const stack::Stack> files;
    stack::Registry recorded;
    Configuration configuration;
  };

  // An older configuration, read from where it is kept, and what going over to it would change.
  struct WayBack {
    Wanted wanted;
    std::string text;  // the plan
    std::size_t changes = 0;
  };

  Result<Done> make_engines();
  std::map<std::string, std::string> function_environment() const;
  // instruments.cc: what measures, judges and tells.
  Result<Done> make_instruments();
  // What log events say in numbers, and whom they are sent to.
  void connect_logs();
  // What the stack's distributions ask to be probed, from now on. With mutex_ held, or before the servers start.
  Result<Done> probe(const stack::Stack& stack);
  // aws_apis.cc: what every room answers.
  void make_aws_port();
  OperatorAnswers operator_answers() const;
  // The ports that the platform is to have; kConflict names who has one of them.
  Result<std::set<std::uint16_t>> free_ports(const stack::Stack& stack) const;
  bool interrupted() const { return interruption_ && interruption_->asked(); }
  // Of a bucket, whole. Blocks; not from a worker.
  Result<std::string> object(const std::string& bucket, const std::string& key) const;
  // drift.cc
  void add_what_rooms_keep(stack::Plan& plan, const stack::Stack& after) const;
  // What `next` would change, whole. An error: rooms refuse to go over to it.
  Result<stack::Plan> plan_of(const Configuration& next) const;
  // Which rooms an apply has gone to, in whatever state it left them: `kBack` goes to these and no others, so that a
  // full disk, say, does not meet the way back where it did not meet the way there.
  struct Reached {
    enum class Way { kThere, kBack };
    Way way = Way::kThere;
    RoomNames rooms;
  };
  Result<Done> apply_all(const Configuration& configuration, const RoomNames* touched, Reached& reached);
  Result<Done> start_servers();
  Result<std::shared_ptr<const stack::Stack>> read(const StackSource& source) const;
  // The files' own counts: drift is forgotten.
  Result<Wanted> wanted(std::shared_ptr<const stack::Stack> files, const stack::Registry& recorded) const;
  Result<Wanted> over(std::shared_ptr<const stack::Stack> files, stack::Registry recorded) const;
  std::filesystem::path registry_file() const { return state_.of("registry") / "resources.json"; }
  void open_gates();
  advisor::Facts facts(advisor::Gate gate, std::chrono::seconds window, std::chrono::seconds freshness);
  std::optional<advisor::Rehearsal> last_rehearsal() const;
  // way_back.cc; with mutex_ held, or before the servers start.
  std::string configuration_in_force() const;
  void note_configuration();  // since when it is in force
  void came_into_force(const Result<std::uint64_t>& kept);
  Result<Done> go_over_and_keep(Wanted wanted, const StackSource& source);
  Result<Done> can_be_opened(const Configuration& configuration) const;
  Result<WayBack> way_back(const Generation& generation) const;
  Result<base::Json> listed_generations() const;
  Result<base::Json> go_back(const Generation& older);
  // With mutex_ held.
  Result<Done> go_over_to(Wanted wanted, const RoomNames* touched);

  Settings settings_;
  const State state_;
  const Platform::Progress progress_;
  Interruption* const interruption_;
  const base::SteadyPoint begun_;
  Endpoints endpoints_;
  std::set<std::uint16_t> ports_;  // that the platform has, its children's too

  telemetry::Registry registry_;
  telemetry::Spans spans_;
  store::Tags tags_;
  std::optional<LocalAuthority> authority_;
  std::unique_ptr<secrets::Secrets> secrets_;
  std::unique_ptr<process::Supervisor> supervisor_;
  std::unique_ptr<net::Pool> pool_;
  // Operations of AWS APIs, which may wait for what runs on pool_.
  std::unique_ptr<net::Pool> operations_pool_;
  std::unique_ptr<net::Workers> workers_;
  std::unique_ptr<logs::Logs> logs_;  // the rooms below write to it until their end
  std::unique_ptr<logs::insights::Insights> insights_;
  std::unique_ptr<database::Database> database_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<objects::Objects> objects_;
  std::unique_ptr<functions::Functions> functions_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<edge::Edge> edge_;
  std::unique_ptr<rum::Rum> rum_;
  std::unique_ptr<synthetics::Synthetics> synthetics_;
  std::unique_ptr<notify::Notify> notify_;
  std::unique_ptr<traces::Traces> traces_;
  std::unique_ptr<monitoring::Metrics> metrics_;
  std::unique_ptr<monitoring::Dashboards> dashboards_;
  std::unique_ptr<AlarmActions> alarm_actions_;
  std::unique_ptr<monitoring::Alarms> alarms_;
  std::unique_ptr<functions::CodeLinks> code_links_;
  aws::Operations operations_;
  std::unique_ptr<aws::Front> front_;
  std::unique_ptr<AwsPort> aws_;
  std::unique_ptr<OperatorPort> operator_port_;
  std::vector<std::unique_ptr<http::Server>> servers_;
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<Uptime> uptime_;
  std::vector<prober::Target> probed_;

  std::optional<advisor::Waivers> waivers_;
  std::optional<advisor::LoadRuns> load_runs_;

  base::Snapshot<stack::Stack> in_force_{std::make_shared<const stack::Stack>()};  // any thread: applied_.stack
  mutable std::mutex mutex_;                                                       // guards what follows
  Configuration applied_;
  std::shared_ptr<const stack::Stack> files_;
  stack::Registry recorded_;
  std::optional<Generations> generations_;
  std::string not_kept_;      // why there is no way back to the configuration in force; "": there is
  base::TimePoint deployed_;  // since when this configuration is in force
  bool stopped_ = false;
};

}  // namespace securebase::platform
