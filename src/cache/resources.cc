// The Terraform types of ElastiCache for Redis.
#include <fmt/format.h>

#include <set>

#include "cache/config.h"
#include "cache/node_types.h"
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
  std::optional<std::string> parameter_group;
  std::optional<bool> transit_encryption;
  std::optional<std::int64_t> nodes;
  std::map<std::string, std::string> tags;
};

struct Parameter {
  std::string name;
  std::string value;
};

struct ParameterGroup {
  std::string name;
  std::string family;
  std::vector<Parameter> parameters;
};

std::uint16_t port_of(const std::optional<std::uint16_t>& asked, const Endpoint& endpoint) {
  if (asked) return *asked;
  return endpoint.port != 0 ? endpoint.port : kDefaultPort;
}

constexpr const char* kOneNode = "one machine has one Redis; replicas come with more nodes";

auto replication_group(const Endpoint& endpoint) {
  const auto host = [endpoint](const Group&) { return endpoint.host; };
  return stack::resource<Group>("aws_elasticache_replication_group", "cache", "Redis: one to a platform.")
      .required("replication_group_id", &Group::id, stack::matches("[a-zA-Z][a-zA-Z0-9-]{0,39}"), "Its name.")
      .replaces()
      .attribute("engine", &Group::engine, "redis", "redis.")
      .attribute("node_type", &Group::node_type, "cache.t4g.small", "How much memory it has.")
      .effect("changes maxmemory; what is over it is evicted")
      .attribute("port", &Group::port, std::nullopt, "Where it listens.")
      .effect("restarts Redis, empty")
      .attribute("auth_token", &Group::auth_token, std::nullopt, stack::length(16, 128), "The password.")
      .sensitive()
      .effect("restarts Redis, empty")
      .attribute("parameter_group_name", &Group::parameter_group, std::nullopt, "Whose parameters it has.")
      .attribute("transit_encryption_enabled", &Group::transit_encryption, std::nullopt, "TLS; here it is always on.")
      .attribute("tags", &Group::tags, {}, "Labels.")
      .known("num_cache_clusters", kOneNode)
      .known("num_node_groups", kOneNode)
      .known("replicas_per_node_group", kOneNode)
      .known("automatic_failover_enabled", kOneNode)
      .known("multi_az_enabled", kOneNode)
      .known("at_rest_encryption_enabled", "nothing of it is at rest: what Redis holds ends with it")
      .known("engine_version", "the server is Debian 12's Redis 7.0")
      .known("snapshot_retention_limit", "nothing of it is kept")
      .computed("id", [](const Group& g) { return g.id; })
      .computed("arn",
                [](const Group& g, const Context& c) { return c.arn("elasticache", "replicationgroup:" + g.id); })
      .computed("primary_endpoint_address", host)
      .computed("reader_endpoint_address", host)
      .computed("configuration_endpoint_address", host)
      .computed("port", [endpoint](const Group& g) { return port_of(g.port, endpoint); })
      .computed("member_clusters", [](const Group& g) { return stack::Value::list({g.id + "-001"}); });
}

auto cluster(const Endpoint& endpoint) {
  return stack::resource<Group>("aws_elasticache_cluster", "cache", "Redis: one to a platform.")
      .required("cluster_id", &Group::id, stack::matches("[a-zA-Z][a-zA-Z0-9-]{0,49}"), "Its name.")
      .replaces()
      .attribute("engine", &Group::engine, "redis", "redis.")
      .attribute("node_type", &Group::node_type, "cache.t4g.small", "How much memory it has.")
      .effect("changes maxmemory; what is over it is evicted")
      .attribute("port", &Group::port, std::nullopt, "Where it listens.")
      .effect("restarts Redis, empty")
      .attribute("parameter_group_name", &Group::parameter_group, std::nullopt, "Whose parameters it has.")
      .attribute("tags", &Group::tags, {}, "Labels.")
      .known("num_cache_nodes", kOneNode)
      .known("engine_version", "the server is Debian 12's Redis 7.0")
      .computed("id", [](const Group& g) { return g.id; })
      .computed("arn", [](const Group& g, const Context& c) { return c.arn("elasticache", "cluster:" + g.id); })
      .computed("cluster_address", [endpoint](const Group&) { return endpoint.host; })
      .computed("port", [endpoint](const Group& g) { return port_of(g.port, endpoint); })
      .computed("cache_nodes", [endpoint](const Group& g) {
        return stack::Value::list(
            {stack::Value::map({{"id", "0001"}, {"address", endpoint.host}, {"port", port_of(g.port, endpoint)}})});
      });
}

const auto& parameter_group() {
  static const auto parameter = stack::block<Parameter>("parameter", "A setting of Redis.")
                                    .required("name", &Parameter::name, stack::matches("[a-z][a-z0-9-]*"), "Its name.")
                                    .required("value", &Parameter::value, "What it is set to.");
  static const auto made =
      stack::resource<ParameterGroup>("aws_elasticache_parameter_group", "cache", "Settings of Redis.")
          .required("name", &ParameterGroup::name, "Its name.")
          .replaces()
          .required("family", &ParameterGroup::family, "redis7.")
          .nested(parameter, &ParameterGroup::parameters, "The settings.")
          .known("description")
          .computed("id", [](const ParameterGroup& g) { return g.name; });
  return made;
}

// The settings that ElastiCache's parameter groups have and Redis 7.0 can change while it runs; all else is the
// platform's own.
const std::vector<std::string>& settable() {
  static const std::vector<std::string> kSettable = {"activedefrag",
                                                     "active-defrag-cycle-max",
                                                     "active-defrag-cycle-min",
                                                     "activerehashing",
                                                     "client-output-buffer-limit",
                                                     "hash-max-listpack-entries",
                                                     "hash-max-listpack-value",
                                                     "hll-sparse-max-bytes",
                                                     "hz",
                                                     "latency-tracking",
                                                     "lazyfree-lazy-eviction",
                                                     "lazyfree-lazy-expire",
                                                     "lazyfree-lazy-server-del",
                                                     "lazyfree-lazy-user-del",
                                                     "lfu-decay-time",
                                                     "lfu-log-factor",
                                                     "list-compress-depth",
                                                     "list-max-listpack-size",
                                                     "maxclients",
                                                     "maxmemory-clients",
                                                     "maxmemory-policy",
                                                     "maxmemory-samples",
                                                     "notify-keyspace-events",
                                                     "set-max-intset-entries",
                                                     "slowlog-log-slower-than",
                                                     "slowlog-max-len",
                                                     "tcp-keepalive",
                                                     "timeout",
                                                     "tracking-table-max-keys",
                                                     "zset-max-listpack-entries",
                                                     "zset-max-listpack-value"};
  return kSettable;
}

class Reader {
 public:
  Reader(const stack::Stack& stack, const Endpoint& endpoint) : stack_(stack), endpoint_(endpoint) {}

  Result<std::shared_ptr<const Config>, stack::Diagnostics> read() {
    for (const char* type : {"aws_elasticache_replication_group", "aws_elasticache_cluster"}) {
      for (const auto& found : stack_.all<Group>(type)) add(found);
    }
    if (problems_.has_errors()) return std::move(problems_);
    return std::make_shared<const Config>(std::move(config_));
  }

 private:
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
      const auto names = node_types();
      const std::string near = stack::closest(wanted.node_type, names);
      problems_.error("Unknown node type",
                      fmt::format("The node type of {} is \"{}\".{}", address, wanted.node_type,
                                  near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near)),
                      range);
    }
    Cluster made;
    made.name = wanted.id;
    made.port = port_of(wanted.port, endpoint_);
    made.auth_token = wanted.auth_token.value_or("");
    made.memory_bytes = memory.value_or(0);
    for (const auto& group : stack_.all<ParameterGroup>("aws_elasticache_parameter_group")) {
      if (group.value.name != wanted.parameter_group) continue;
      for (const auto& parameter : group.value.parameters) add_parameter(group.resource, parameter, made);
    }
    config_.cluster = std::move(made);
  }

  void add_parameter(const stack::Resource& group, const Parameter& parameter, Cluster& made) {
    const auto& known = settable();
    if (std::find(known.begin(), known.end(), parameter.name) == known.end()) {
      const std::string near = stack::closest(parameter.name, known);
      problems_.error(
          "Unknown parameter",
          fmt::format("{} sets \"{}\", which is no parameter of Redis 7.0 that a parameter group sets.{}",
                      group.address, parameter.name, near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near)),
          group.range());
    }
    made.parameters[parameter.name] = parameter.value;
  }

  const stack::Stack& stack_;
  const Endpoint& endpoint_;
  Config config_;
  stack::Diagnostics problems_;
};

}  // namespace

void declare(stack::Catalogue& catalogue, const Endpoint& endpoint) {
  catalogue.add(replication_group(endpoint));
  catalogue.add(cluster(endpoint));
  catalogue.add(parameter_group());
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack,
                                                                    const Endpoint& endpoint) {
  return Reader(stack, endpoint).read();
}

}  // namespace securebase::cache
