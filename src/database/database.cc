#include "database/database.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <mutex>

#include "base/file.h"
#include "base/log.h"
#include "database/connection.h"
#include "database/files.h"
#include "database/provision.h"

namespace securebase::database {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kFirstStart{60'000};
constexpr std::size_t kSocketPathBytes = 107;  // sun_path of a Unix socket's address

class Server final : public Database {
 public:
  Server(Settings settings, Doors doors)
      : settings_(std::move(settings)),
        doors_(std::move(doors)),
        places_{settings_.directory / "data", settings_.directory / "run", settings_.directory / "tls",
                settings_.directory / "pg_hba.conf"} {}
  ~Server() override { stop(); }

  Result<Done> apply(std::shared_ptr<const Config> config) override {
    const std::lock_guard lock(mutex_);
    if (!config->cluster) {
      stop_child();
      return Done{};
    }
    const Cluster& cluster = *config->cluster;
    if (!child_ || cluster.port != port_) {
      stop_child();
      if (auto started = start(cluster); !started) return started;
    } else if (auto changed = change(cluster); !changed) {
      return changed;
    }
    return provision(places_.sockets, cluster, doors_);
  }

  void stop() override {
    const std::lock_guard lock(mutex_);
    stop_child();
  }

  process::Status status() const override {
    const std::lock_guard lock(mutex_);
    if (child_) return child_->status();
    process::Status none;
    none.state = process::State::kStopped;
    return none;
  }

  fs::path socket_directory() const override { return places_.sockets; }

 private:
  void stop_child() {
    if (child_) child_->stop();
    child_.reset();
  }

  Result<Done> start(const Cluster& cluster) {
    auto owner = process::unprivileged(settings_.user);
    if (!owner) return owner.error();
    owner_ = *owner;
    if (auto free = process::port_is_free(settings_.endpoint.host, cluster.port); !free) return free;
    const std::string socket = fmt::format("{}/.s.PGSQL.{}", places_.sockets.native(), cluster.port);
    if (socket.size() > kSocketPathBytes) {
      return Error{Errc::kLimit,
                   fmt::format("the state directory's path is too long: {} would have {} bytes, a Unix socket "
                               "has at most {}; choose a shorter --state",
                               socket, socket.size(), kSocketPathBytes)};
    }
    if (auto written = write_files(cluster); !written) return written;
    port_ = cluster.port;
    child_ = doors_.supervisor.add(spec());
    auto ready = child_->wait_ready(kFirstStart);
    if (!ready) {
      stop_child();
      return ready.error().within("PostgreSQL does not start");
    }
    return Done{};
  }

  Result<Done> write_files(const Cluster& cluster) {
    for (const fs::path& folder : {settings_.directory, places_.sockets, places_.tls}) {
      if (auto made = process::private_directory(folder, owner_); !made) return made;
    }
    if (auto made = base::make_directory(settings_.logs, 0700); !made) return made;
    conf_ = postgresql_conf(settings_, cluster, places_);
    const std::pair<fs::path, std::string_view> files[] = {
        {places_.tls / "server.crt", settings_.certificate_chain_pem},
        {places_.tls / "server.key", settings_.certificate_key_pem},
        {settings_.directory / "postgresql.conf", conf_}};
    for (const auto& [path, text] : files) {
      if (auto written = process::private_file(path, text, owner_, 0600); !written) return written;
    }
    return process::private_file(places_.hba, pg_hba_conf(), owner_, 0600);
  }

  process::Command command(std::vector<std::string> argv) const {
    process::Command command;
    command.argv = std::move(argv);
    command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}};
    command.directory = settings_.directory;
    command.run_as = owner_;
    return command;
  }

  process::ChildSpec spec() {
    process::ChildSpec spec;
    spec.name = "database";
    spec.command = command({(settings_.programs / "postgres").native(), "-D", places_.data.native(), "-c",
                            "config_file=" + (settings_.directory / "postgresql.conf").native()});
    spec.log = settings_.logs / "postgresql.log";
    spec.prepare = [this] { return prepare(); };
    spec.ready = [sockets = places_.sockets, port = port_]() -> Result<Done> {
      auto connection = Connection::open(sockets, port, "postgres");
      if (!connection) return connection.error();
      return Done{};
    };
    spec.ready_within = kFirstStart;
    spec.stop_signal = SIGINT;  // fast shutdown: transactions under way are rolled back
    return spec;
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
    if (!failure && where == places_.data) return Done{};
    if (unlink(file.c_str()) != 0) return system_error(errno, "unlink", file.native());
    return Done{};
  }

  // Parameters of the running server.
  Result<Done> change(const Cluster& cluster) {
    if (postgresql_conf(settings_, cluster, places_) == conf_) return Done{};
    auto connection = Connection::open(places_.sockets, port_, "postgres");
    if (!connection) return connection.error();
    for (const auto& [name, value] : cluster.parameters) {
      auto known = connection->run("SELECT 1 FROM pg_settings WHERE name = lower($1)", {name});
      if (!known) return known.error();
      if (known->empty()) {
        return Error{Errc::kMalformed, fmt::format("PostgreSQL 15 has no parameter \"{}\"", name)};
      }
    }
    if (auto written = write_files(cluster); !written) return written;
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
    stop_child();
    return start(cluster);
  }

  const Settings settings_;
  const Doors doors_;
  const Places places_;
  mutable std::mutex mutex_;  // guards what follows
  process::Credentials owner_;
  std::uint16_t port_ = 0;
  std::string conf_;  // postgresql.conf as it was written last
  std::shared_ptr<process::Child> child_;
};

}  // namespace

std::unique_ptr<Database> Database::make(Settings settings, Doors doors) {
  return std::make_unique<Server>(std::move(settings), std::move(doors));
}

}  // namespace securebase::database
