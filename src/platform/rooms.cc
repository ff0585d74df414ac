#include "platform/rooms.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <limits>
#include <thread>

#include "base/log.h"
#include "net/stream.h"
#include "platform/await.h"

namespace securebase::platform {

namespace {

constexpr std::size_t kPoolThreads = 4;   // files, compression
constexpr std::size_t kPoolQueue = 4096;  // beyond, whoever asks is told to come again

// The functions' sandbox starter and the load tests' programs are built beside this program.
std::filesystem::path program_directory() {
  std::error_code failure;
  return std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
}

std::size_t worker_count(std::size_t asked) {
  return asked > 0 ? asked : std::max(1u, std::thread::hardware_concurrency());
}

// What a service takes it says itself, in its own words: S3 has objects of up to 5 GB in one piece, the others' bodies
// are read up to aws::Settings::body_bytes. A presigned URL with a session token has some kilobytes.
http::ServerLimits aws_limits() {
  http::ServerLimits limits;
  limits.head_bytes = 64 << 10;
  limits.target_bytes = 16 << 10;
  limits.body_bytes = std::numeric_limits<std::int64_t>::max();
  return limits;
}

// The names under which clients reach what the stack has.
std::vector<std::string> names_of(const stack::Stack& stack) {
  std::vector<std::string> names;
  const auto add = [&](const stack::Value& value) {
    if (value.is_string() && !value.string().empty()) names.push_back(value.string());
  };
  for (const auto& resource : stack.resources) {
    if (resource.type == "aws_api_gateway_domain_name" || resource.type == "aws_cloudfront_distribution") {
      add(resource.attributes["domain_name"]);
    }
    if (const auto* aliases = resource.attributes.find("aliases"); aliases && aliases->is_sequence()) {
      for (const auto& alias : aliases->elements()) add(alias);
    }
  }
  return names;
}

}  // namespace

Rooms::Rooms(Settings settings, State state, Platform::Progress progress, Interruption* interruption)
    : settings_(std::move(settings)),
      state_(std::move(state)),
      progress_(std::move(progress)),
      interruption_(interruption),
      begun_(base::system_clock().steady()) {
  endpoints_.database.port = settings_.postgres_port.value_or(0);
  endpoints_.cache.port = settings_.redis_port.value_or(0);
}

Rooms::~Rooms() { stop(); }

// A port that is taken is an error before anything is started.
Result<std::set<std::uint16_t>> Rooms::free_ports(const stack::Stack& stack) const {
  std::set<std::uint16_t> ports;
  struct Wanted {
    std::uint16_t port;
    std::string_view option;
  };
  for (const auto& [port, option] : {Wanted{settings_.http_port, "--http-port"},
                                     {settings_.https_port, "--https-port"},
                                     {settings_.aws_port, "--aws-port"},
                                     {settings_.operator_port, "--operator-port"},
                                     {settings_.xray_port, "--xray-port"}}) {
    if (port == 0) continue;
    auto free = process::port_is_free(settings_.bind, port, option);
    if (!free && free.error().code == Errc::kConflict) return free.error();
    if (!free) return free.error().within("--bind takes an IP address of this machine");
    ports.insert(port);
  }
  for (const auto& resource : stack.resources) {
    if (resource.mode != stack::Declaration::Mode::kResource) continue;
    const bool database = resource.type == "aws_rds_cluster";
    const bool cache =
        resource.type == "aws_elasticache_replication_group" || resource.type == "aws_elasticache_cluster";
    const auto port = static_cast<std::uint16_t>(resource.attributes["port"].to_integer().value_or(0));
    if ((!database && !cache) || port == 0) continue;
    const auto& host = database ? endpoints_.database.host : endpoints_.cache.host;
    auto free = process::port_is_free(host, port, database ? "--postgres-port" : "--redis-port");
    if (!free) return free.error();
    ports.insert(port);
  }
  return ports;
}

Result<Done> Rooms::start() {
  const Error ended{Errc::kCancelled, "interrupted before it was ready"};
  auto secrets = secrets::Secrets::open({.directory = state_.of("secrets")});
  if (!secrets) return secrets.error().within("the secrets' store");
  secrets_ = std::move(*secrets);

  auto files = read(settings_.stack);
  if (!files) return files.error();
  auto recorded = stack::Registry::open(registry_file());
  if (!recorded) return recorded.error();
  auto first = wanted(std::move(*files), *recorded);
  if (!first) return first.error();
  progress_(fmt::format("{}: {} resources", settings_.stack.directory.native(),
                        first->configuration.stack->resources.size()));
  for (const auto& note : first->configuration.notes) {
    progress_(fmt::format("{}: {}, {}", note.address, note.attribute, note.reason));
  }

  auto ports = free_ports(*first->configuration.stack);
  if (!ports) return ports.error();
  ports_ = std::move(*ports);
  auto authority = LocalAuthority::open(state_.of("tls"));
  if (!authority) return authority.error();
  authority_.emplace(std::move(*authority));

  if (interrupted()) return ended;
  open_gates();
  if (auto made = make_engines(); !made) return made;
  if (auto made = make_instruments(); !made) return made;
  make_aws_port();
  if (interrupted()) return ended;
  const auto kept = generations_->keep(*first->files, settings_.stack, base::system_clock().now());
  Reached reached;
  if (auto applied = apply_all(first->configuration, nullptr, reached); !applied) return applied;
  if (first->recorded != *recorded) {
    if (auto saved = first->recorded.save(registry_file()); !saved) return saved;
  }
  applied_ = std::move(first->configuration);
  files_ = std::move(first->files);
  recorded_ = std::move(first->recorded);
  in_force_.set(applied_.stack);
  came_into_force(kept);
  if (interrupted()) return ended;
  return start_servers();
}

// What SDKs of X-Ray look for. A function's own settings go before these.
std::map<std::string, std::string> Rooms::function_environment() const {
  if (settings_.xray_port == 0) return {};
  return {{"AWS_XRAY_DAEMON_ADDRESS", fmt::format("{}:{}", settings_.bind, settings_.xray_port)},
          {"_AWS_XRAY_DAEMON_ADDRESS", settings_.bind},
          {"_AWS_XRAY_DAEMON_PORT", std::to_string(settings_.xray_port)},
          {"AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"}};
}

Result<Done> Rooms::make_engines() {
  auto supervisor = process::Supervisor::start();
  if (!supervisor) return supervisor.error().within("the children's warden");
  supervisor_ = std::move(*supervisor);
  // What takes long is what children do: initdb, recovery, migrations. With them it ends.
  if (interruption_) interruption_->answer_with([this] { supervisor_->stop_all(); });
  pool_ = std::make_unique<net::Pool>(kPoolThreads, kPoolQueue);
  workers_ = std::make_unique<net::Workers>(worker_count(settings_.workers));

  auto logs = logs::Logs::open({.directory = state_.of("logs") / "groups"}, registry_);
  if (!logs) return logs.error().within("the logs' store");
  logs_ = std::move(*logs);
  auto insights = logs::insights::Insights::open(state_.of("logs"), *logs_);
  if (!insights) return insights.error();
  insights_ = std::move(*insights);

  auto certificate = authority_->issue({});
  if (!certificate) return certificate.error().within("a certificate for PostgreSQL and Redis");
  database_ = database::Database::make(
      {.directory = state_.of("database"),
       .logs = state_.of("logs") / "database",
       .endpoint = endpoints_.database,
       .certificate_chain_pem = certificate->chain_pem,
       .certificate_key_pem = certificate->key_pem},
      {.supervisor = *supervisor_,
       .secret = [this](std::string_view name) -> Result<std::string> {
         auto found = secrets_->value(name);
         if (!found) return found.error();
         return found->reveal();
       },
       .derive = [this](std::string_view address, std::size_t length,
                        std::string_view alphabet) { return secrets_->derive(address, length, alphabet); },
       .keep_secret = [this](const std::string& name, const std::string& arn,
                             const std::string& text) { return secrets_->keep(name, arn, secrets::Secret(text)); },
       .registry = &registry_,
       .logs = &logs_->sink()});
  cache_ = cache::Cache::make({.directory = state_.of("cache"),
                               .logs = state_.of("logs") / "cache",
                               .endpoint = endpoints_.cache,
                               .certificate_chain_pem = certificate->chain_pem,
                               .certificate_key_pem = certificate->key_pem},
                              *supervisor_, &registry_);

  auto objects = objects::Objects::open(state_.of("objects"), *pool_, base::system_clock());
  if (!objects) return objects.error();
  objects_ = std::move(*objects);

  functions_ = std::make_unique<functions::Functions>(
      functions::Settings{.state_directory = state_.directory(),
                          .sandbox_program = program_directory() / "securebase-sandbox",
                          .environment = function_environment(),
                          .registry = &registry_,
                          .logs = &logs_->sink(),
                          .spans = &spans_,
                          .taken_ports = ports_,
                          .authorities_pem = authority_->certificate_pem()},
      *workers_);
  if (auto started = functions_->start(); !started) return started.error().within("the functions' sandbox");

  gateway_ = std::make_unique<gateway::Gateway>(gateway::Settings{}, gateway::Doors{.invoker = *functions_,
                                                                                    .tags = tags_,
                                                                                    .pool = *pool_,
                                                                                    .metrics = &registry_,
                                                                                    .spans = &spans_,
                                                                                    .logs = &logs_->sink()});
  edge_ = std::make_unique<edge::Edge>(edge::Settings{.store_bytes = settings_.edge_cache_bytes,
                                                      .http_port = settings_.http_port,
                                                      .https_port = settings_.https_port,
                                                      .state = state_.of("edge")},
                                       edge::Doors{.objects = *objects_,
                                                   .gateway = *gateway_,
                                                   .tags = tags_,
                                                   .pool = *pool_,
                                                   .registry = registry_,
                                                   .spans = spans_});
  rum_ = std::make_unique<rum::Rum>(
      rum::Doors{.next = *edge_, .registry = registry_, .logs = &logs_->sink(), .directory = state_.of("rum")});

  const auto browser = find_browser_tools();
  synthetics::Synthetics::Settings synthetics{.directory = state_.of("synthetics")};
  synthetics.workshop.base_url = settings_.url("http", settings_.http_port);
  synthetics.workshop.tools = browser.tools;
  synthetics.workshop.node = browser.node;
  synthetics.workshop.chromium = browser.chromium;
  synthetics.workshop.programs = program_directory();
  auto opened = synthetics::Synthetics::open(
      std::move(synthetics), [this](const std::string& bucket, const std::string& key) { return object(bucket, key); });
  if (!opened) return opened.error().within("the canaries");
  synthetics_ = std::move(*opened);
  return Done{};
}

// What others rest on comes first; database and cache, which take longest, start side by side.
Result<Done> Rooms::apply_all(const Configuration& configuration, const RoomNames* touched, Reached& reached) {
  const auto goes_to = [&reached](std::string_view room) {
    if (reached.way == Reached::Way::kBack) return reached.rooms.contains(room);
    reached.rooms.emplace(room);
    return true;
  };
  const auto goes_if_touched = [&](std::string_view room) {
    return (!touched || touched->contains(room)) && goes_to(room);
  };
  if (goes_if_touched("secrets")) {
    if (auto done = secrets_->apply(configuration.secrets); !done) return done.error().within("secrets");
  }

  const bool to_database = goes_if_touched("database");
  auto database = std::async(std::launch::async, [&, to_database]() -> Result<Done> {
    if (!to_database) return Done{};
    auto done = database_->apply(configuration.database);
    if (done && database_->status().state == process::State::kReady) progress_("PostgreSQL is ready");
    return done;
  });
  const bool to_cache = goes_if_touched("cache");
  auto cache = std::async(std::launch::async, [&, to_cache]() -> Result<Done> {
    if (!to_cache) return Done{};
    auto done = cache_->apply(configuration.cache);
    if (done && cache_->status().state == process::State::kReady) progress_("Redis is ready");
    return done;
  });
  Result<Done> rest = [&]() -> Result<Done> {
    if (goes_if_touched("objects")) {
      using Occasion = objects::Objects::Occasion;
      auto changed = objects_->apply(*configuration.objects, applied_.stack ? Occasion::kApply : Occasion::kStart);
      if (!changed) return changed.error().within("objects");
      for (const auto& [bucket, key] : *changed) {
        base::log(base::Level::kDebug, "objects", "{} in {} is as the stack says", key, bucket);
      }
    }
    if (goes_to("functions")) {
      if (auto done = functions_->apply(configuration.functions); !done) return done.error().within("functions");
    }
    gateway_->apply(configuration.gateway);
    edge_->apply(configuration.edge);
    rum_->apply(configuration.rum);
    if (goes_to("synthetics")) {
      if (auto done = synthetics_->apply(*configuration.synthetics); !done) return done.error().within("synthetics");
    }
    // These keep what APIs changed of them, and an apply puts it back: a change of something else does not.
    if (goes_if_touched("notify")) {
      if (auto done = notify_->apply(configuration.notify); !done) return done.error().within("notify");
    }
    if (goes_if_touched("logs")) {
      if (auto done = logs_->apply(configuration.logs); !done) return done.error().within("logs");
    }
    if (goes_if_touched("monitoring")) {
      if (auto done = dashboards_->apply(*configuration.alarms); !done) return done.error().within("dashboards");
      if (auto done = alarms_->apply(*configuration.alarms); !done) return done.error().within("alarms");
    }
    return Done{};
  }();
  auto database_done = database.get();
  auto cache_done = cache.get();
  if (!rest) return rest;
  if (!database_done) return database_done.error().within("database");
  if (!cache_done) return cache_done.error().within("cache");
  return Done{};
}

Result<Done> Rooms::start_servers() {
  auto certificate = authority_->issue(names_of(*applied_.stack));
  if (!certificate) return certificate.error().within("a certificate for the edge");
  auto tls = net::TlsServer::make({.certificates = {std::move(*certificate)}});
  if (!tls) return tls.error().within("TLS at the edge");

  const auto listen = [&](std::uint16_t port, std::shared_ptr<const net::TlsServer> with_tls, http::Handler& handler,
                          http::ServerLimits limits = {}) -> Result<Done> {
    http::ServerSettings settings;
    settings.limits = limits;
    settings.address.host = settings_.bind;
    settings.address.port = port;
    settings.tls = std::move(with_tls);
    auto server = http::Server::start(std::move(settings), *workers_, handler);
    if (!server) return server.error();
    servers_.push_back(std::move(*server));
    return Done{};
  };
  if (auto done = listen(settings_.http_port, nullptr, *rum_); !done) return done;
  if (auto done = listen(settings_.https_port, *tls, *rum_); !done) return done;
  if (auto done = listen(settings_.aws_port, nullptr, *aws_, aws_limits()); !done) return done;
  if (auto done = listen(settings_.operator_port, nullptr, *operator_port_); !done) return done;
  if (settings_.xray_port != 0) {
    if (auto done = listen(settings_.xray_port, nullptr, traces_->daemon_questions()); !done) return done;
    if (auto done = traces_->start_daemon(settings_.bind, settings_.xray_port); !done) return done;
  }
  notify_->start();
  logs_->start();
  alarms_->start();
  if (auto done = probe(*applied_.stack); !done) return done;

  using Question = base::Json;
  ControlServer::Answerers answerers;
  answerers.in_turn = {{"/plan", [this](const Question& question) { return plan(question); }},
                       {"/apply", [this](const Question& question) { return apply(question); }},
                       {"/rollback", [this](const Question& question) { return rollback(question); }},
                       {"/check", [this](const Question& question) { return check(question); }},
                       {"/check/tests", [this](const Question&) { return send_test_notifications(); }},
                       {"/waivers", [this](const Question& question) { return waivers(question); }},
                       {"/load/runs", [this](const Question& question) { return load_runs(question); }},
                       {"/lighthouse", [this](const Question& question) { return take_lighthouse(question); }},
                       {"/credentials", [this](const Question& question) { return credentials(question); }}};
  answerers.at_once = {{"/status", [this](const Question&) -> Result<base::Json> { return status(); }},
                       {"/environment", [this](const Question&) { return environment(); }},
                       {"/targets", [this](const Question& question) { return targets(question); }},
                       {"/alarms", [this](const Question& question) { return alarms(question); }},
                       {"/notify", [this](const Question& question) { return notifications(question); }},
                       {"/logs/groups", [this](const Question&) -> Result<base::Json> { return log_groups(); }},
                       {"/logs/tail", [this](const Question& question) { return log_tail(question); }},
                       {"/traces", [this](const Question& question) { return traces(question); }},
                       {"/uptime", [this](const Question& question) { return uptime(question); }},
                       {"/rum", [this](const Question& question) { return page_views(question); }},
                       {"/insights", [this](const Question& question) { return insights_->ask(question); }},
                       {"/operations", [this](const Question&) -> Result<base::Json> { return operations(); }},
                       {"/invalidate", [this](const Question& question) { return invalidate(question); }},
                       {"/invoke", [this](const Question& question) { return invoke(question); }}};
  control_ = std::make_unique<ControlServer>((*workers_)[0], std::move(answerers));
  return control_->start(control_socket(state_.directory()));
}

// In the reverse order: first nobody comes in any more, then what is under way ends, then what it rests on goes.
void Rooms::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
  }
  if (control_) control_->stop();
  if (uptime_) uptime_->stop();  // the prober first: what is stopped on purpose is not down
  for (auto& server : servers_) server->drain();
  servers_.clear();
  if (alarms_) alarms_->stop();
  if (logs_) logs_->stop_calls();
  if (notify_) notify_->stop();
  if (metrics_) metrics_->stop_exports();
  if (functions_) functions_->stop();
  if (traces_) traces_->stop_export();
  if (workers_) {
    workers_->on_each([this](net::Worker&) {
      if (edge_) edge_->close_on_worker();
      if (gateway_) gateway_->close_on_worker();
    });
    workers_->stop();
  }
  if (database_) database_->stop();
  if (cache_) cache_->stop();
  if (supervisor_) supervisor_->stop_all();
  if (logs_) logs_->stop();  // all that the others had to say is stored
  if (traces_) traces_->stop();
  alarms_.reset();
  metrics_.reset();  // writes what was collected last
}

}  // namespace securebase::platform
