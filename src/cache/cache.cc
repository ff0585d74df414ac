#include "cache/cache.h"

#include <fmt/format.h>

#include <future>
#include <mutex>

#include "base/log.h"
#include "base/random.h"
#include "base/snapshot.h"
#include "cache/client.h"
#include "cache/conf.h"
#include "cache/config.h"
#include "cache/sampler.h"
#include "cache/sweep.h"
#include "cache/sweeper.h"
#include "process/server.h"
#include "process/usage.h"
#include "telemetry/sampler.h"

namespace securebase::cache {

namespace {

constexpr std::chrono::milliseconds kPatience{20'000};
constexpr std::chrono::milliseconds kTimeout{10'000};
constexpr std::chrono::milliseconds kProbeTimeout{1'000};
constexpr std::chrono::milliseconds kLook{1'000};

class Engine final : public Cache {
 public:
  Engine(Settings settings, process::Supervisor& supervisor, telemetry::Registry* registry, const base::Clock& clock)
      : settings_(std::move(settings)),
        files_{settings_.directory},
        server_(supervisor),
        registry_(registry),
        clock_(clock),
        reader_(files_.socket(), own_password_, clock),
        sweeper_([this](const auto& tags) { return sweep_now(tags); }, clock),
        sampler_(kLook, [this] { look(); }) {}
  ~Engine() override { stop(); }

  Result<Done> apply(std::shared_ptr<const Config> config) override {
    const std::lock_guard lock(mutex_);
    if (!config->cluster) {
      server_.stop();
      cluster_.reset();
      config_.set(nullptr);
      return Done{};
    }
    const Cluster& wanted = *config->cluster;
    auto done = needs_start(wanted) ? start(wanted) : change(wanted);
    if (done) {
      cluster_ = wanted;
      config_.set(std::move(config));
    }
    return done;
  }

  void stop() override {
    const std::lock_guard lock(mutex_);
    server_.stop();
  }

  process::Status status() const override { return server_.status(); }

  void invalidate(std::vector<std::string> tags, std::function<void(Result<Receipt>)> done) override {
    sweeper_.add(std::move(tags), std::move(done));
  }

 private:
  bool needs_start(const Cluster& wanted) const {
    return !server_.exists() || !cluster_ || cluster_->port != wanted.port || cluster_->tls != wanted.tls ||
           start_settings(cluster_->parameters) != start_settings(wanted.parameters);
  }

  std::string maxmemory(const Cluster& cluster) const {
    return std::to_string(maxmemory_of(cluster, machine_bytes(), settings_.memory_share));
  }

  // Starts without the group's values, so that what Redis has then is the default that a parameter goes back to.
  Result<Done> start(const Cluster& cluster) {
    server_.stop();
    previous_token_.clear();
    auto owner = process::unprivileged(settings_.user);
    if (!owner) return owner.error();
    RedisSettings settings = start_settings(cluster.parameters);
    settings.emplace("maxmemory", maxmemory(cluster));
    spec_ = make_spec(cluster, *owner, settings);
    if (auto started = server_.start(spec_); !started) return started;
    auto learnt = learn_defaults();
    auto done = learnt ? set_live(cluster) : learnt;
    if (!done) server_.stop();
    return done;
  }

  process::ServerSpec make_spec(const Cluster& cluster, const process::Credentials& owner,
                                const RedisSettings& settings) const {
    process::ServerSpec spec;
    spec.title = "Redis";
    spec.host = settings_.endpoint.host;
    spec.port = cluster.port;
    spec.port_option = "--redis-port";
    spec.owner = owner;
    spec.directories = {files_.directory};
    spec.files = {{files_.certificate(), settings_.certificate_chain_pem},
                  {files_.key(), settings_.certificate_key_pem},
                  {files_.conf(), conf_of(cluster, settings)}};
    spec.child.name = "cache";
    spec.child.command.argv = {settings_.program.native(), files_.conf().native()};
    spec.child.command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}};
    spec.child.command.directory = files_.directory;
    spec.child.log = settings_.logs / "redis.log";
    spec.child.ready = [this]() -> Result<Done> {
      auto client = Client::connect(files_.socket(), own_password_, kProbeTimeout);
      if (!client) return client.error();
      auto pong = client->ask({"PING"});
      if (!pong) return pong.error();
      return Done{};
    };
    spec.child.ready_within = kPatience;
    return spec;
  }

  std::string conf_of(const Cluster& cluster, const RedisSettings& settings) const {
    return redis_conf(cluster, settings_.endpoint.host, files_, {own_password_, previous_token_}, settings);
  }

  Result<Done> learn_defaults() {
    auto client = Client::connect(files_.socket(), own_password_, kTimeout);
    if (!client) return client.error();
    auto all = client->ask({"CONFIG", "GET", "*"});
    if (!all) return all.error();
    defaults_.clear();
    for (std::size_t i = 0; i + 1 < all->elements.size(); i += 2) {
      defaults_[all->elements[i].text] = all->elements[i + 1].text;
    }
    return Done{};
  }

  Result<Done> change(const Cluster& wanted) {
    const std::string before = previous_token_;
    if (wanted.auth_token != cluster_->auth_token) {
      previous_token_ = wanted.new_token == Cluster::NewToken::kRotate ? cluster_->auth_token : "";
    }
    auto done = set_live(wanted);
    if (!done) previous_token_ = before;
    return done;
  }

  // The file first: when Redis dies in between, what comes back has the new values.
  Result<Done> set_live(const Cluster& wanted) {
    auto settings = live_settings(wanted.parameters, defaults_);
    settings["maxmemory"] = maxmemory(wanted);
    auto in_file = settings;
    in_file.merge(start_settings(wanted.parameters));
    const std::string old_conf = std::exchange(spec_.files.back().second, conf_of(wanted, in_file));
    auto done = process::write_files(spec_);
    if (done) done = tell(wanted, settings);
    if (!done) {
      spec_.files.back().second = old_conf;
      if (auto restored = process::write_files(spec_); !restored) {
        base::log(base::Level::kError, "cache", "{}", restored.error().message);
      }
    }
    return done;
  }

  // One command, which Redis takes whole or not at all; then the tokens.
  Result<Done> tell(const Cluster& wanted, const RedisSettings& settings) {
    auto client = Client::connect(files_.socket(), own_password_, kTimeout);
    if (!client) return client.error();
    std::vector<std::string> words = {"CONFIG", "SET"};
    for (const auto& [name, value] : settings) words.insert(words.end(), {name, value});
    if (auto set = client->ask(words); !set) return set.error().within("the parameters");
    words = {"ACL", "SETUSER", "default"};
    for (auto& rule : token_rules(wanted.auth_token, previous_token_)) words.push_back(std::move(rule));
    if (auto set = client->ask(words); !set) return set.error().within("auth_token");
    return Done{};
  }

  Result<Receipt> sweep_now(const std::vector<std::string>& tags) {
    if (!server_.exists()) return Receipt{};
    auto client = Client::connect(files_.socket(), own_password_, kTimeout);
    if (!client) return Error{Errc::kUnavailable, client.error().message + "; when it comes back it is empty"};
    return sweep(*client, tags);
  }

  // On the sampler's thread.
  void look() {
    const auto config = config_.get();
    const auto status = server_.status();
    if (!registry_ || !config || status.state != process::State::kReady) {
      reader_.disconnect();
      last_.reset();
      last_load_.reset();
      return;
    }
    look_at_load(*config->cluster, status.pid);
    auto reading = reader_.read();
    if (!reading) return;  // the next one says what grew in between
    if (last_) record(*registry_, *config->cluster, *last_, *reading, process::available_memory_bytes());
    last_ = *reading;
  }

  void look_at_load(const Cluster& cluster, pid_t pid) {
    const auto processor = process::processor_time(pid);
    if (!processor) {
      last_load_.reset();
      return;
    }
    const Load load{clock_.steady(), *processor};
    if (last_load_) record(*registry_, cluster, *last_load_, load);
    last_load_ = load;
  }

  const Settings settings_;
  const Files files_;
  const std::string own_password_ = base::random_hex(64);  // of the platform's own user in Redis
  process::Server server_;

  std::mutex mutex_;  // one change at a time; guards what follows
  std::optional<Cluster> cluster_;
  process::ServerSpec spec_;
  RedisSettings defaults_;      // of the server that runs, before any group's values
  std::string previous_token_;  // still valid beside the cluster's own; "": none

  base::Snapshot<Config> config_{nullptr};  // what is recorded under; any thread
  telemetry::Registry* const registry_;
  const base::Clock& clock_;
  // The sampler's thread.
  Reader reader_;
  std::optional<Reading> last_;
  std::optional<Load> last_load_;

  // Last: they use the others.
  Sweeper sweeper_;
  telemetry::Sampler sampler_;
};

}  // namespace

std::unique_ptr<Cache> Cache::make(Settings settings, process::Supervisor& supervisor, telemetry::Registry* registry,
                                   const base::Clock& clock) {
  return std::make_unique<Engine>(std::move(settings), supervisor, registry, clock);
}

Result<Receipt> Cache::invalidate(std::vector<std::string> tags) {
  std::promise<Result<Receipt>> promise;
  auto future = promise.get_future();
  invalidate(std::move(tags), [&promise](Result<Receipt> receipt) { promise.set_value(std::move(receipt)); });
  return future.get();
}

}  // namespace securebase::cache
