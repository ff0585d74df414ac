// The Terraform types of ElastiCache for Redis.
#include <fmt/format.h>

#include "cache/conf.h"
#include "cache/config.h"
#include "cache/node_types.h"
#include "cache/parameters.h"
#include "stack/declare.h"

namespace securebase::cache {

namespace {

using stack::Context;

constexpr std::uint16_t kDefaultPort = 6379;

struct Group {
  std::string id;
  std::string engine;
  std::string node_type;
  std::optional<std::uint16_t> port;
  std::optional<std::string> auth_token;
  Cluster::NewToken new_token = Cluster::NewToken::kRotate;
  std::optional<std::string> parameter_group;
  std::optional<bool> transit_encryption;
  std::optional<std::int64_t> nodes;
  std::map<std::string, std::string> tags;
};

struct DeclaredParameter {
  std::string name;
  std::string value;
};

struct ParameterGroup {
  std::string name;
  std::string family;
  std::vector<DeclaredParameter> parameters;
};

constexpr const char* kReplicationGroup = "aws_elasticache_replication_group";
constexpr const char* kCacheCluster = "aws_elasticache_cluster";

std::uint16_t port_of(const Group& group, const Endpoint& endpoint) {
  return process::port_of(endpoint, group.port, kDefaultPort);
}

// ElastiCache demands TLS for a token, so a token alone asks for it.
bool is_encrypted(const Group& group) { return group.transit_encryption.value_or(group.auth_token.has_value()); }

constexpr const char* kNoSecondNode = "one machine has one Redis; replicas come with more nodes";

auto replication_group(const Endpoint& endpoint) {
  const auto host = [endpoint](const Group&) { return endpoint.host; };
  return stack::resource<Group>(kReplicationGroup, "cache", "Redis: one to a platform.")
      .required("replication_group_id", &Group::id, stack::matches("[a-zA-Z][a-zA-Z0-9-]{0,39}"), "Its name.")
      .replaces()
      .attribute("engine", &Group::engine, "redis", "redis.")
      .attribute("node_type", &Group::node_type, "cache.t4g.small", "How much memory it has.")
      .effect("changes maxmemory; what is over it is evicted")
      .attribute("port", &Group::port, std::nullopt, "Where it listens.")
      .effect("restarts Redis, empty")
      .attribute("auth_token", &Group::auth_token, std::nullopt, stack::length(16, 128), "The password.")
      .sensitive()
      .attribute(
          "auth_token_update_strategy", &Group::new_token, Cluster::NewToken::kRotate,
          stack::one_of<Cluster::NewToken>({{"ROTATE", Cluster::NewToken::kRotate}, {"SET", Cluster::NewToken::kSet}}),
          "Whether the old password stays valid beside a new one, until the next change.")
      .attribute("parameter_group_name", &Group::parameter_group, std::nullopt, "Whose parameters it has.")
      .attribute("transit_encryption_enabled", &Group::transit_encryption, std::nullopt,
                 "TLS; when not set, there is TLS where there is an auth_token.")
      .effect("restarts Redis, empty")
      .attribute("tags", &Group::tags, {}, "Labels.")
      .known("num_cache_clusters", kNoSecondNode)
      .known("num_node_groups", kNoSecondNode)
      .known("replicas_per_node_group", kNoSecondNode)
      .known("automatic_failover_enabled", kNoSecondNode)
      .known("multi_az_enabled", kNoSecondNode)
      .known("at_rest_encryption_enabled", "nothing of it is at rest: what Redis holds ends with it")
      .known("engine_version", "the server is Debian 12's Redis 7.0")
      .known("snapshot_retention_limit", "nothing of it is kept")
      .computed("id", [](const Group& g) { return g.id; })
      .computed("arn",
                [](const Group& g, const Context& c) { return c.arn("elasticache", "replicationgroup:" + g.id); })
      .computed("primary_endpoint_address", host)
      .computed("reader_endpoint_address", host)
      .computed("configuration_endpoint_address", host)
      .computed("port", [endpoint](const Group& g) { return port_of(g, endpoint); })
      .decides()
      .computed("member_clusters", [](const Group& g) { return stack::Value::list({g.id + "-001"}); })
      .rule("auth_token needs transit_encryption_enabled = true: without TLS it would travel in clear.",
            [](const Group& g) { return !g.auth_token || is_encrypted(g); });
}

auto cluster(const Endpoint& endpoint) {
  return stack::resource<Group>(kCacheCluster, "cache", "Redis: one to a platform.")
      .required("cluster_id", &Group::id, stack::matches("[a-zA-Z][a-zA-Z0-9-]{0,49}"), "Its name.")
      .replaces()
      .attribute("engine", &Group::engine, "redis", "redis.")
      .attribute("node_type", &Group::node_type, "cache.t4g.small", "How much memory it has.")
      .effect("changes maxmemory; what is over it is evicted")
      .attribute("port", &Group::port, std::nullopt, "Where it listens.")
      .effect("restarts Redis, empty")
      .attribute("parameter_group_name", &Group::parameter_group, std::nullopt, "Whose parameters it has.")
      .attribute("tags", &Group::tags, {}, "Labels.")
      .known("num_cache_nodes", kNoSecondNode)
      .known("engine_version", "the server is Debian 12's Redis 7.0")
      .computed("id", [](const Group& g) { return g.id; })
      .computed("arn", [](const Group& g, const Context& c) { return c.arn("elasticache", "cluster:" + g.id); })
      .computed("cluster_address", [endpoint](const Group&) { return endpoint.host; })
      .computed("port", [endpoint](const Group& g) { return port_of(g, endpoint); })
      .decides()
      .computed("cache_nodes", [endpoint](const Group& g) {
        return stack::Value::list(
            {stack::Value::map({{"id", "0001"}, {"address", endpoint.host}, {"port", port_of(g, endpoint)}})});
      });
}

const auto& parameter_group() {
  static const auto parameter =
      stack::block<DeclaredParameter>("parameter", "A setting of Redis.")
          .required("name", &DeclaredParameter::name, stack::matches("[a-z][a-z0-9-]*"), "Its name.")
          .required("value", &DeclaredParameter::value, "What it is set to.");
  static const auto made =
      stack::resource<ParameterGroup>("aws_elasticache_parameter_group", "cache", "Settings of Redis.")
          .required("name", &ParameterGroup::name, "Its name.")
          .replaces()
          .required("family", &ParameterGroup::family, stack::matches("redis(7|6\\.x|5\\.0|4\\.0)|valkey[78]"),
                    "Whatever the family, the parameters are redis7's.")
          .nested(parameter, &ParameterGroup::parameters, "The settings.")
          .known("description")
          .computed("id", [](const ParameterGroup& g) { return g.name; });
  return made;
}

// The group that every account has.
constexpr std::string_view kDefaultGroup = "default.redis7";

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string near = stack::closest(word, known);
  return near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near);
}

class StackReader {
 public:
  StackReader(const stack::Stack& stack, const Endpoint& endpoint) : stack_(stack), endpoint_(endpoint) {}

  Result<std::shared_ptr<const Config>, stack::Diagnostics> read() {
    for (const auto& group : stack_.all<ParameterGroup>("aws_elasticache_parameter_group")) check_group(group);
    for (const char* type : {kReplicationGroup, kCacheCluster}) {
      for (const auto& found : stack_.all<Group>(type)) add(found);
    }
    if (problems_.has_errors()) return std::move(problems_);
    return std::make_shared<const Config>(std::move(config_));
  }

 private:
  void check_group(const stack::Found<ParameterGroup>& group) {
    for (const auto& parameter : group.value.parameters) {
      if (auto right = check_parameter(parameter.name, parameter.value); !right) {
        problems_.error(right.error().code == Errc::kNotFound ? "Unknown parameter" : "Wrong value of a parameter",
                        fmt::format("{}: {}", group.resource.address, right.error().message), group.resource.range());
      }
    }
  }

  void add(const stack::Found<Group>& found) {
    const Group& wanted = found.value;
    const auto& range = found.resource.range();
    const auto& address = found.resource.address;
    if (config_.cluster) {
      problems_.error("Second cache", fmt::format("{} would be a second Redis; a platform has one.", address), range);
      return;
    }
    if (wanted.engine != "redis") {
      problems_.error("Unsupported engine",
                      fmt::format("The engine of {} is \"{}\"; there is redis.", address, wanted.engine), range);
    }
    const auto memory = memory_of_node_type(wanted.node_type);
    if (!memory) {
      problems_.error("Unknown node type",
                      fmt::format("The node type of {} is \"{}\".{}", address, wanted.node_type,
                                  did_you_mean(wanted.node_type, node_types())),
                      range);
    }
    Cluster made;
    made.id = wanted.id;
    made.replication_group = found.resource.type == kReplicationGroup;
    made.port = port_of(wanted, endpoint_);
    made.tls = is_encrypted(wanted);
    made.auth_token = wanted.auth_token.value_or("");
    made.new_token = wanted.new_token;
    made.node_type = wanted.node_type;
    made.node_bytes = memory.value_or(0);
    if (wanted.parameter_group) take_group(*wanted.parameter_group, found.resource, made);
    config_.cluster = std::move(made);
  }

  void take_group(const std::string& name, const stack::Resource& user, Cluster& made) {
    std::vector<std::string> known = {std::string(kDefaultGroup)};
    for (const auto& group : stack_.all<ParameterGroup>("aws_elasticache_parameter_group")) {
      known.push_back(group.value.name);
      if (group.value.name != name) continue;
      for (const auto& parameter : group.value.parameters) made.parameters[parameter.name] = parameter.value;
      return;
    }
    if (name == kDefaultGroup) return;
    problems_.error("Unknown parameter group",
                    fmt::format("The parameter group of {} is \"{}\", which these files do not have.{}", user.address,
                                name, did_you_mean(name, known)),
                    user.range());
  }

  const stack::Stack& stack_;
  const Endpoint& endpoint_;
  Config config_;
  stack::Diagnostics problems_;
};

std::string mebibytes(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20); }

}  // namespace

std::vector<stack::Finding> notes(const stack::Stack& stack, const Endpoint& endpoint) {
  std::vector<stack::Finding> notes;
  const auto add = [&](const stack::Resource& about, std::string attribute, std::string text, auto kind) {
    notes.push_back({kind, about.address, std::move(attribute), std::move(text), about.range()});
  };
  using Kind = stack::Finding::Kind;
  auto config = configure(stack, endpoint);
  if (!config || !(*config)->cluster) return notes;
  const Cluster& cluster = *(*config)->cluster;
  const char* type = cluster.replication_group ? kReplicationGroup : kCacheCluster;
  for (const auto& found : stack.all<Group>(type)) {
    const std::string port = process::port_note(endpoint, found.value.port, "--redis-port");
    if (!port.empty()) add(found.resource, "port", port, Kind::kNote);
    const auto machine = machine_bytes();
    if (cluster.node_bytes > static_cast<std::uint64_t>(static_cast<double>(machine) * kMemoryShare)) {
      add(found.resource, "node_type",
          fmt::format("{} has {}, which is more than a quarter of this machine's {}: maxmemory is {}",
                      cluster.node_type, mebibytes(cluster.node_bytes), mebibytes(machine),
                      mebibytes(maxmemory_of(cluster, machine, kMemoryShare))),
          Kind::kNote);
    }
  }
  for (const auto& group : stack.all<ParameterGroup>("aws_elasticache_parameter_group")) {
    for (const auto& parameter : group.value.parameters) {
      const auto reason = why_not_honoured(parameter.name);
      if (!reason.empty()) add(group.resource, parameter.name, std::string(reason), Kind::kNotHonoured);
    }
  }
  return notes;
}

void declare(stack::Catalogue& catalogue, const Endpoint& endpoint) {
  catalogue.add(replication_group(endpoint));
  catalogue.add(cluster(endpoint));
  catalogue.add(parameter_group());
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack,
                                                                    const Endpoint& endpoint) {
  return StackReader(stack, endpoint).read();
}

}  // namespace securebase::cache
