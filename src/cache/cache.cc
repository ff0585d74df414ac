#include "cache/cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "cache/client.h"
#include "cache/config.h"
#include "cache/sweep.h"

namespace securebase::cache {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPatience{20'000};
constexpr std::chrono::milliseconds kTimeout{10'000};
constexpr std::size_t kWaiting = 1024;  // invalidations; beyond, whoever asks is told so

std::uint64_t machine_memory() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
}

class Server final : public Cache {
 public:
  Server(Settings settings, process::Supervisor& supervisor, const base::Clock& clock)
      : settings_(std::move(settings)), supervisor_(supervisor), clock_(clock), sweeper_([this] { serve(); }) {}
  ~Server() override {
    stop();
    {
      const std::lock_guard lock(waiting_mutex_);
      ending_ = true;
    }
    news_.notify_all();
    sweeper_.join();
  }

  Result<Done> apply(std::shared_ptr<const Config> config) override {
    const std::lock_guard lock(mutex_);
    if (!config->cluster) {
      stop_child();
      cluster_.reset();
      return Done{};
    }
    const Cluster& wanted = *config->cluster;
    const bool same_server =
        child_ && cluster_ && cluster_->port == wanted.port && cluster_->auth_token == wanted.auth_token;
    if (same_server) {
      if (auto changed = change(wanted); !changed) return changed;
    } else {
      stop_child();
      if (auto started = start(wanted); !started) return started;
    }
    cluster_ = wanted;
    return Done{};
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

  void invalidate(std::vector<std::string> tags, std::function<void(Result<Receipt>)> done) override {
    for (auto& tag : tags) {
      if (tag.starts_with('#')) tag.erase(0, 1);
    }
    {
      const std::lock_guard lock(waiting_mutex_);
      if (waiting_.size() < kWaiting && !ending_) {
        waiting_.push_back({std::move(tags), std::move(done)});
        news_.notify_one();
        return;
      }
    }
    done(Error{Errc::kLimit, "too many invalidations wait for Redis"});
  }

 private:
  struct Waiting {
    std::vector<std::string> tags;
    std::function<void(Result<Receipt>)> done;
  };

  fs::path socket() const { return settings_.directory / "redis.sock"; }

  void stop_child() {
    if (child_) child_->stop();
    child_.reset();
  }

  std::map<std::string, std::string> parameters_of(const Cluster& cluster) const {
    const auto share = static_cast<std::uint64_t>(static_cast<double>(machine_memory()) * settings_.memory_share);
    std::map<std::string, std::string> parameters = {{"maxmemory-policy", "allkeys-lru"}};
    for (const auto& [name, value] : cluster.parameters) parameters[name] = value;
    parameters["maxmemory"] = std::to_string(std::min(cluster.memory_bytes, share));
    return parameters;
  }

  // Redis takes its settings from standard words; the password is in this file only, which nobody else reads.
  std::string conf(const Cluster& cluster) const {
    std::string text = "# Written by SecureBase at every start.\n";
    const auto set = [&text](std::string_view name, std::string_view value) {
      text += fmt::format("{} \"", name);
      for (const char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        if (c != '\n' && c != '\r') text += c;
      }
      text += "\"\n";
    };
    set("bind", settings_.endpoint.host);
    set("port", "0");
    set("tls-port", std::to_string(cluster.port));
    set("tls-cert-file", (settings_.directory / "server.crt").native());
    set("tls-key-file", (settings_.directory / "server.key").native());
    set("tls-ca-cert-file", (settings_.directory / "server.crt").native());
    set("tls-auth-clients", "no");
    set("tls-protocols", "TLSv1.2 TLSv1.3");
    set("unixsocket", socket().native());
    set("unixsocketperm", "700");
    set("dir", settings_.directory.native());
    text += "save \"\"\n";  // nothing is kept
    set("appendonly", "no");
    set("daemonize", "no");
    set("supervised", "no");
    if (!cluster.auth_token.empty()) set("requirepass", cluster.auth_token);
    for (const auto& [name, value] : parameters_of(cluster)) set(name, value);
    return text;
  }

  Result<Done> start(const Cluster& cluster) {
    auto owner = process::unprivileged(settings_.user);
    if (!owner) return owner.error();
    if (auto free = process::port_is_free(settings_.endpoint.host, cluster.port); !free) return free;
    if (auto made = process::private_directory(settings_.directory, *owner); !made) return made;
    if (auto made = base::make_directory(settings_.logs, 0700); !made) return made;
    const std::pair<const char*, std::string> files[] = {{"server.crt", settings_.certificate_chain_pem},
                                                         {"server.key", settings_.certificate_key_pem},
                                                         {"redis.conf", conf(cluster)}};
    for (const auto& [name, text] : files) {
      if (auto written = process::private_file(settings_.directory / name, text, *owner, 0600); !written)
        return written;
    }
    process::ChildSpec spec;
    spec.name = "cache";
    spec.command.argv = {settings_.program.native(), (settings_.directory / "redis.conf").native()};
    spec.command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}};
    spec.command.directory = settings_.directory;
    spec.command.run_as = *owner;
    spec.log = settings_.logs / "redis.log";
    spec.ready = [path = socket(), password = cluster.auth_token]() -> Result<Done> {
      auto client = Client::connect(path, password, std::chrono::milliseconds{1000});
      if (!client) return client.error();
      auto pong = client->ask({"PING"});
      if (!pong) return pong.error();
      return Done{};
    };
    spec.ready_within = kPatience;
    child_ = supervisor_.add(std::move(spec));
    auto ready = child_->wait_ready(kPatience);
    if (!ready) {
      stop_child();
      return ready.error().within("Redis does not start");
    }
    return Done{};
  }

  Result<Done> change(const Cluster& wanted) {
    const auto parameters = parameters_of(wanted);
    if (parameters == parameters_of(*cluster_)) return Done{};
    auto client = Client::connect(socket(), wanted.auth_token, kTimeout);
    if (!client) return client.error();
    for (const auto& [name, value] : parameters) {
      if (auto set = client->ask({"CONFIG", "SET", name, value}); !set) return set.error().within(name);
    }
    // A restart after a crash finds the new ones too.
    auto owner = process::unprivileged(settings_.user);
    if (!owner) return owner.error();
    return process::private_file(settings_.directory / "redis.conf", conf(wanted), *owner, 0600);
  }

  // The thread of the sweeps: everything that waits shares one pass.
  void serve() {
    std::unique_lock lock(waiting_mutex_);
    for (;;) {
      news_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::deque<Waiting> batch;
      batch.swap(waiting_);
      lock.unlock();
      run(batch);
      lock.lock();
    }
  }

  void run(std::deque<Waiting>& batch) {
    std::vector<std::string> tags;
    for (const auto& one : batch) tags.insert(tags.end(), one.tags.begin(), one.tags.end());
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    const auto begin = clock_.steady();
    auto swept = sweep_now(tags);
    for (auto& one : batch) {
      if (!swept) {
        one.done(swept.error());
        continue;
      }
      Receipt receipt;
      for (const auto& tag : swept->tags) {
        if (std::find(one.tags.begin(), one.tags.end(), tag.name) != one.tags.end()) receipt.tags.push_back(tag);
      }
      receipt.keys_seen = swept->keys_seen;
      receipt.took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - begin);
      one.done(std::move(receipt));
    }
  }

  Result<Receipt> sweep_now(const std::vector<std::string>& tags) {
    std::string password;
    {
      const std::lock_guard lock(mutex_);
      if (!child_) return Receipt{};
      password = cluster_ ? cluster_->auth_token : "";
    }
    auto client = Client::connect(socket(), password, kTimeout);
    if (!client) return Error{Errc::kUnavailable, client.error().message + "; when it comes back it is empty"};
    return sweep(*client, tags);
  }

  const Settings settings_;
  process::Supervisor& supervisor_;
  const base::Clock& clock_;

  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<process::Child> child_;
  std::optional<Cluster> cluster_;

  std::mutex waiting_mutex_;  // guards what follows
  std::condition_variable news_;
  std::deque<Waiting> waiting_;
  bool ending_ = false;

  std::thread sweeper_;
};

}  // namespace

std::unique_ptr<Cache> Cache::make(Settings settings, process::Supervisor& supervisor, const base::Clock& clock) {
  return std::make_unique<Server>(std::move(settings), supervisor, clock);
}

Result<Receipt> Cache::invalidate(std::vector<std::string> tags) {
  std::promise<Result<Receipt>> promise;
  auto future = promise.get_future();
  invalidate(std::move(tags), [&promise](Result<Receipt> receipt) { promise.set_value(std::move(receipt)); });
  return future.get();
}

}  // namespace securebase::cache
