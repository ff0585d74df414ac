#include "database/database.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/snapshot.h"
#include "database/connection.h"
#include "database/files.h"
#include "database/logs.h"
#include "database/provision.h"
#include "database/resources.h"
#include "database/sampler.h"
#include "telemetry/sampler.h"

namespace securebase::database {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kFirstStart{60'000};
// A fast shutdown writes everything to disk; killed in the middle of that, the next start has to recover.
constexpr std::chrono::milliseconds kShutdown{60'000};
constexpr std::size_t kSocketPathBytes = 107;      // sun_path of a Unix socket's address
constexpr std::chrono::milliseconds kLook{1'000};  // slow statements are in their file as soon
constexpr std::uint64_t kSlowFileBytes = std::uint64_t{16} << 20;
constexpr int kLooksAReading = 5;
constexpr int kReadingsAWalk = 12;  // through the data directory

std::uint64_t free_bytes(const fs::path& directory) {
  struct statvfs found {};
  return statvfs(directory.c_str(), &found) == 0 ? found.f_bavail * found.f_frsize : 0;
}

// Files come and go while it walks; what is gone counts nothing.
std::uint64_t used_bytes(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code failure;
  for (fs::recursive_directory_iterator at(directory, failure), end; !failure && at != end; at.increment(failure)) {
    struct stat found {};
    if (lstat(at->path().c_str(), &found) == 0) bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
  }
  return bytes;
}

class Engine final : public Database {
 public:
  Engine(Settings settings, Doors doors)
      : settings_(std::move(settings)),
        doors_(std::move(doors)),
        places_{settings_.directory / "data", settings_.directory / "run", settings_.directory / "tls",
                settings_.directory / "pg_hba.conf"},
        logs_(settings_.logs, kSlowFileBytes, [this](std::string_view entry) { tell(entry); }),
        server_(doors_.supervisor),
        reader_(places_.sockets, doors_.clock),
        sampler_(kLook, [this] { look(); }) {}
  ~Engine() override { stop(); }

  Result<Done> apply(std::shared_ptr<const Config> config) override {
    const std::lock_guard lock(mutex_);
    if (!config->cluster) {
      server_.stop();
      config_.set(std::move(config));
      return Done{};
    }
    const Cluster& cluster = *config->cluster;
    auto made = !server_.exists() || cluster.port != spec_.port ? start(cluster) : change(cluster);
    if (!made) return made;
    // What is in force already has its migrations.
    const auto which = config == config_.get() ? Migrations::kLeave : Migrations::kApply;
    AppliedMigrations applied = *applied_.get();
    const auto provisioned = provision(places_.sockets, cluster, doors_, which, applied);
    applied_.set(std::make_shared<const AppliedMigrations>(std::move(applied)));
    if (!provisioned) return provisioned.error();
    if (*provisioned > 0) checkpoint_due_ = true;
    config_.set(std::move(config));
    return Done{};
  }

  Result<std::vector<stack::Drifted>> drift(const Config& next) const override {
    const auto now = config_.get();
    if (!now || !now->cluster) return std::vector<stack::Drifted>{};
    if (auto may = may_go(*now->cluster, next); !may) return may.error();
    if (!next.cluster || next.cluster->schema.empty() || next.cluster->database != now->cluster->database) {
      return std::vector<stack::Drifted>{};
    }
    auto files = read_migrations(next.cluster->schema);
    if (!files) return files.error().within("database: migrations");
    auto left = still_to_apply(*files, *applied_.get());
    if (!left) return left.error().within("database: migrations");
    if (left->empty()) return std::vector<stack::Drifted>{};
    stack::Drifted drifted{kCluster, next.cluster->identifier, false, {}};
    for (const auto* one : *left) {
      stack::Change::Attribute attribute;
      attribute.path = fmt::format("migrations[\"{}\"]", one->name);
      attribute.after = "applied";
      attribute.effect = "applies migrations, which no rollback takes back";
      drifted.attributes.push_back(std::move(attribute));
    }
    return std::vector{std::move(drifted)};
  }

  void stop() override {
    std::thread reboot;
    {
      const std::lock_guard lock(mutex_);
      reboot.swap(reboot_);
    }
    if (reboot.joinable()) reboot.join();
    const std::lock_guard lock(mutex_);
    server_.stop();
    catch_up();
  }

  Result<Done> reboot() override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || rebooting_.load()) return Error{Errc::kUnavailable, "the server is being changed at this moment"};
    if (!server_.exists()) return Error{Errc::kUnavailable, "no server runs"};
    if (reboot_.joinable()) reboot_.join();
    rebooting_ = true;
    reboot_ = std::thread([this] {
      const std::lock_guard changing(mutex_);
      if (auto done = server_.start(spec_); !done) {
        base::log(base::Level::kError, "database", "after a reboot: {}", done.error().message);
      }
      rebooting_ = false;
    });
    return Done{};
  }

  process::Status status() const override { return server_.status(); }
  fs::path socket_directory() const override { return places_.sockets; }
  std::shared_ptr<const Config> config() const override { return config_.get(); }
  Logs& logs() override { return logs_; }

  Facts facts() const override {
    Facts facts;
    if (const auto version = version_.get()) facts.version = *version;
    struct stat made {};
    // Written by initdb, and never again.
    if (stat((places_.data / "PG_VERSION").c_str(), &made) == 0) {
      facts.created = base::TimePoint(std::chrono::seconds(made.st_mtim.tv_sec));
    }
    facts.storage_bytes = used_.load() + free_bytes(places_.data);
    facts.rebooting = rebooting_.load();
    facts.connections = connections_.load();
    facts.max_connections = max_connections_.load();
    return facts;
  }

 private:
  Result<Done> start(const Cluster& cluster) {
    server_.stop();
    auto owner = process::unprivileged(settings_.user);
    if (!owner) return owner.error();
    owner_ = *owner;
    const std::string socket = fmt::format("{}/.s.PGSQL.{}", places_.sockets.native(), cluster.port);
    if (socket.size() > kSocketPathBytes) {
      return Error{Errc::kLimit,
                   fmt::format("the state directory's path is too long: {} would have {} bytes, a Unix socket "
                               "has at most {}; choose a shorter --state",
                               socket, socket.size(), kSocketPathBytes)};
    }
    spec_ = make_spec(cluster);
    auto started = server_.start(spec_);
    if (started) learn_version();
    return started;
  }

  process::ServerSpec make_spec(const Cluster& cluster) {
    process::ServerSpec spec;
    spec.title = "PostgreSQL";
    spec.host = settings_.endpoint.host;
    spec.port = cluster.port;
    spec.port_option = "--postgres-port";
    spec.owner = owner_;
    spec.directories = {settings_.directory, places_.sockets, places_.tls};
    spec.files = {{places_.tls / "server.crt", settings_.certificate_chain_pem},
                  {places_.tls / "server.key", settings_.certificate_key_pem},
                  {places_.hba, pg_hba_conf()},
                  {conf_path(), postgresql_conf(settings_, cluster, places_)}};
    spec.child.name = "database";
    spec.child.command = command({(settings_.programs / "postgres").native(), "-D", places_.data.native(), "-c",
                                  "config_file=" + conf_path().native()});
    spec.child.log = settings_.logs / "postgresql.log";
    spec.child.prepare = [this] { return prepare(); };
    spec.child.ready = [sockets = places_.sockets, port = cluster.port]() -> Result<Done> {
      auto connection = Connection::open(sockets, port, "postgres");
      if (!connection) return connection.error();
      return Done{};
    };
    spec.child.ready_within = kFirstStart;
    spec.child.at_work = [sockets = places_.sockets, port = cluster.port] {
      return Connection::refuses_for_now(sockets, port);
    };
    spec.child.grace = kShutdown;
    spec.child.stop_signal = SIGINT;  // fast shutdown: transactions under way are rolled back
    return spec;
  }

  fs::path conf_path() const { return settings_.directory / "postgresql.conf"; }

  process::Command command(std::vector<std::string> argv) const {
    process::Command command;
    command.argv = std::move(argv);
    command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}};
    command.directory = settings_.directory;
    command.run_as = owner_;
    return command;
  }

  static Result<Done> may_go(const Cluster& now, const Config& next) {
    if (!now.deletion_protection || (next.cluster && next.cluster->identifier == now.identifier)) return Done{};
    return Error{Errc::kConflict,
                 fmt::format("the cluster {} has deletion_protection = true: set it to false and apply that before the "
                             "cluster is removed or gets another name",
                             now.identifier)};
  }

  // Before every start: a cluster on disk, and no trace of a server that was killed.
  Result<Done> prepare() {
    if (fs::exists(places_.data / "PG_VERSION")) return drop_stale_pid_file();
    // Made beside its place, so that a crash in the middle leaves nothing that looks whole.
    const fs::path fresh = settings_.directory / "data.new";
    std::error_code failure;
    fs::remove_all(fresh, failure);
    if (failure) return system_error(failure.value(), "remove", fresh.native());
    auto made = doors_.supervisor.run(
        command({(settings_.programs / "initdb").native(), "-D", fresh.native(), "-U", "postgres", "--encoding=UTF8",
                 "--locale=C.UTF-8", "--auth=reject", "--no-instructions", "--data-checksums"}),
        kFirstStart);
    if (!made) return made.error().within("initdb");
    if (made->exit_code != 0) {
      return Error{Errc::kIo, fmt::format("initdb failed with exit code {}:\n{}", made->exit_code, made->output)};
    }
    fs::rename(fresh, places_.data, failure);
    if (failure) return system_error(failure.value(), "rename", fresh.native());
    return Done{};
  }

  // A killed server leaves its process id behind, which may meanwhile be another program's: PostgreSQL would then
  // refuse to start. Children do not outlive the platform, so only a server of this very directory counts.
  Result<Done> drop_stale_pid_file() const {
    const fs::path file = places_.data / "postmaster.pid";
    auto text = base::read_file(file, 4096);
    if (!text) return Done{};
    int id = 0;
    std::from_chars(text->data(), text->data() + text->size(), id);
    std::error_code failure;
    const fs::path where = fs::read_symlink(fmt::format("/proc/{}/cwd", id), failure);
    // The same directory by whatever path: --state may lead through a symbolic link.
    if (!failure && fs::equivalent(where, places_.data, failure)) return Done{};
    if (unlink(file.c_str()) != 0) return system_error(errno, "unlink", file.native());
    return Done{};
  }

  void learn_version() {
    auto connection = Connection::open(places_.sockets, spec_.port, "postgres");
    if (!connection) return;
    auto told = connection->run("SELECT split_part(current_setting('server_version'), ' ', 1)");
    if (told && !told->empty()) version_.set(std::make_shared<const std::string>((*told)[0][0]));
  }

  // Parameters of the running server.
  Result<Done> change(const Cluster& cluster) {
    const std::string conf = postgresql_conf(settings_, cluster, places_);
    if (conf == spec_.files.back().second) return Done{};
    auto connection = Connection::open(places_.sockets, spec_.port, "postgres");
    if (!connection) return connection.error();
    spec_.files.back().second = conf;
    if (auto written = process::write_files(spec_); !written) return written;
    if (auto reloaded = connection->run("SELECT pg_reload_conf(), pg_sleep(0.2)"); !reloaded) return reloaded.error();
    auto wrong = connection->run(
        "SELECT name || ': ' || error FROM pg_file_settings WHERE error IS NOT NULL AND "
        "error <> 'setting could not be applied'");
    if (!wrong) return wrong.error();
    if (!wrong->empty()) return Error{Errc::kMalformed, "PostgreSQL refuses " + (*wrong)[0][0]};
    auto pending = connection->run("SELECT count(*) FROM pg_settings WHERE pending_restart");
    if (!pending) return pending.error();
    if ((*pending)[0][0] == "0") return Done{};
    base::log(base::Level::kInfo, "database", "PostgreSQL restarts for a changed parameter");
    return start(cluster);
  }

  void catch_up() {
    if (auto done = logs_.catch_up(); !done) {
      base::log(base::Level::kWarning, "database", "the slow query log: {}", done.error().message);
    }
  }

  // As RDS publishes it: a group for the cluster, a stream for the instance.
  void tell(std::string_view entry) const {
    const auto config = config_.get();
    if (!doors_.logs || !config || !config->cluster) return;
    const Cluster& cluster = *config->cluster;
    const auto group = fmt::format("/aws/rds/cluster/{}/postgresql", cluster.identifier);
    telemetry::LogLine line;
    line.group = group;
    line.stream = cluster.instances.empty() ? cluster.identifier : cluster.instances.front().identifier;
    line.time = time_of_entry(entry).value_or(doors_.clock.now());
    line.message = entry;
    doors_.logs->write(line);
  }

  // On the sampler's thread.
  void look() {
    catch_up();
    const auto status = server_.status();
    const auto config = config_.get();
    if (status.state != process::State::kReady || !config || !config->cluster) {
      reader_.disconnect();
      last_.reset();
      return;
    }
    const Cluster& cluster = *config->cluster;
    if (checkpoint_due_.exchange(false)) {
      if (auto done = reader_.checkpoint(cluster.port); !done) {
        base::log(base::Level::kDebug, "database", "checkpoint: {}", done.error().message);
      }
    }
    if (doors_.registry && looks_++ % kLooksAReading == 0) sample(cluster, status.pid);
  }

  void sample(const Cluster& cluster, pid_t postmaster) {
    auto reading = reader_.read(cluster.port, postmaster);
    if (!reading) {
      last_.reset();
      return;
    }
    Identifiers of{cluster.identifier, {}};
    for (const auto& instance : cluster.instances) of.instances.push_back(instance.identifier);
    if (last_) record(*doors_.registry, of, *last_, *reading, std::max(1U, std::thread::hardware_concurrency()));
    const bool walk = readings_++ % kReadingsAWalk == 0;
    if (walk) used_ = used_bytes(places_.data);
    record_storage(*doors_.registry, of, free_bytes(places_.data), walk ? std::optional(used_.load()) : std::nullopt,
                   process::available_memory_bytes());
    connections_ = reading->connections;
    max_connections_ = reading->max_connections;
    last_ = std::move(*reading);
  }

  // Constant after construction.
  const Settings settings_;
  const Doors doors_;
  const Places places_;
  // Any thread.
  Logs logs_;
  process::Server server_;
  base::Snapshot<Config> config_{nullptr};
  base::Snapshot<std::string> version_{nullptr};
  base::Snapshot<AppliedMigrations> applied_{std::make_shared<const AppliedMigrations>()};
  std::atomic<bool> rebooting_{false};
  std::atomic<bool> checkpoint_due_{false};
  std::atomic<std::uint64_t> used_{0};  // bytes of the data directory
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> max_connections_{0};
  // One change at a time, which has the lock.
  std::mutex mutex_;
  process::Credentials owner_;
  process::ServerSpec spec_;
  std::thread reboot_;
  // The sampler's thread.
  Reader reader_;
  std::optional<Reading> last_;
  int looks_ = 0;
  int readings_ = 0;
  telemetry::Sampler sampler_;  // last: it uses the others
};

}  // namespace

std::unique_ptr<Database> Database::make(Settings settings, Doors doors) {
  return std::make_unique<Engine>(std::move(settings), std::move(doors));
}

}  // namespace securebase::database
