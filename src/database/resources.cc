// The Terraform types of Aurora PostgreSQL.
#include <fmt/format.h>

#include <set>

#include "database/config.h"
#include "stack/declare.h"

namespace securebase::database {

namespace {

using stack::Context;

constexpr std::uint16_t kDefaultPort = 5432;

struct Scaling {
  double min_capacity = 0.5;
  double max_capacity = 1;
};

struct ClusterResource {
  std::string identifier;
  std::string engine;
  std::optional<std::string> database_name;
  std::optional<std::string> master_username;
  std::optional<std::string> master_password;
  std::optional<bool> manage_password;
  std::optional<std::uint16_t> port;
  std::optional<std::string> parameter_group;
  std::optional<Scaling> scaling;
  std::map<std::string, std::string> tags;
};

struct InstanceResource {
  std::optional<std::string> identifier;
  std::string cluster;
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

auto cluster_declaration(const Endpoint& endpoint) {
  const auto arn = [](const ClusterResource& c, const Context& context) {
    return context.arn("rds", "cluster:" + c.identifier);
  };
  const auto host = [endpoint](const ClusterResource&) { return endpoint.host; };
  auto scaling = stack::block<Scaling>("serverlessv2_scaling_configuration", "How far Aurora grows.")
                     .known("min_capacity", "the server has what this machine has")
                     .known("max_capacity", "the server has what this machine has")
                     .known("seconds_until_auto_pause");
  return stack::resource<ClusterResource>("aws_rds_cluster", "database", "A PostgreSQL server: one to a platform.")
      .required("cluster_identifier", &ClusterResource::identifier, stack::matches("[a-z][a-z0-9-]{0,62}"), "Its name.")
      .replaces()
      .required("engine", &ClusterResource::engine, "aurora-postgresql or postgres.")
      .attribute("database_name", &ClusterResource::database_name, std::nullopt,
                 stack::matches("[A-Za-z_][A-Za-z0-9_]{0,62}"), "The database that is made.")
      .attribute("master_username", &ClusterResource::master_username, std::nullopt,
                 stack::matches("[A-Za-z_][A-Za-z0-9_]{0,62}"), "The role that owns it.")
      .attribute("master_password", &ClusterResource::master_password, std::nullopt, "The role's password.")
      .sensitive()
      .attribute("manage_master_user_password", &ClusterResource::manage_password, std::nullopt,
                 "Whether RDS makes the password.")
      .attribute("port", &ClusterResource::port, std::nullopt, "Where it listens.")
      .effect("restarts PostgreSQL")
      .attribute("db_cluster_parameter_group_name", &ClusterResource::parameter_group, std::nullopt,
                 "Whose parameters it has.")
      .effect("reloads PostgreSQL, or restarts it where a parameter needs that")
      .attribute(
          "tags", &ClusterResource::tags, {},
          "Labels; securebase:schema is the directory of migrations, securebase:app-credentials the secret of the "
          "application's role.")
      .nested(scaling, &ClusterResource::scaling, "Serverless capacity.")
      .known("engine_version", "the server is Debian 12's PostgreSQL 15")
      .known("engine_mode")
      .computed("id", [](const ClusterResource& c) { return c.identifier; })
      .computed("arn", arn)
      .computed("endpoint", host)
      .computed("reader_endpoint", host)
      .computed("port", [endpoint](const ClusterResource& c) { return port_of(c.port, endpoint); })
      .computed("cluster_resource_id",
                [](const ClusterResource&, const Context& context) { return "cluster-" + context.id(26); })
      .computed("hosted_zone_id", [](const ClusterResource&) { return "Z2R2ITUGPM61AM"; });
}

auto instance_declaration(const Endpoint& endpoint) {
  const auto name = [](const InstanceResource& i, const Context& c) {
    return i.identifier.value_or("tf-" + c.id(20, "abcdefghijklmnopqrstuvwxyz0123456789"));
  };
  return stack::resource<InstanceResource>("aws_rds_cluster_instance", "database",
                                           "A node of a cluster; all of them are the one server.")
      .attribute("identifier", &InstanceResource::identifier, std::nullopt, "Its name.")
      .replaces()
      .required("cluster_identifier", &InstanceResource::cluster, "The cluster.")
      .replaces()
      .known("instance_class", "the server has what this machine has")
      .known("engine")
      .known("engine_version")
      .computed("identifier", name)
      .computed("id", name)
      .computed("arn", [name](const InstanceResource& i, const Context& c) { return c.arn("rds", "db:" + name(i, c)); })
      .computed("endpoint", [endpoint](const InstanceResource&) { return endpoint.host; })
      .computed("port", [endpoint](const InstanceResource&) { return port_of(std::nullopt, endpoint); })
      .computed("writer", [](const InstanceResource&) { return true; });
}

const auto& parameter_group_declaration() {
  static const auto parameter =
      stack::block<Parameter>("parameter", "A setting of PostgreSQL.")
          .required("name", &Parameter::name, stack::matches("[a-z][a-z0-9_.]*"), "Its name.")
          .required("value", &Parameter::value, "What it is set to.")
          .known("apply_method", "what can change while the server runs does, the rest restarts it");
  static const auto made =
      stack::resource<ParameterGroup>("aws_rds_cluster_parameter_group", "database", "Settings of PostgreSQL.")
          .required("name", &ParameterGroup::name, "Its name.")
          .replaces()
          .required("family", &ParameterGroup::family, "aurora-postgresql15 or postgres15.")
          .nested(parameter, &ParameterGroup::parameters, "The settings.")
          .known("description")
          .computed("id", [](const ParameterGroup& g) { return g.name; })
          .computed("arn",
                    [](const ParameterGroup& g, const Context& c) { return c.arn("rds", "cluster-pg:" + g.name); });
  return made;
}

// These are how the platform reaches the server, and how nobody else does.
bool platforms_own(const std::string& parameter) {
  static const std::set<std::string> kOwn = {"listen_addresses",
                                             "port",
                                             "unix_socket_directories",
                                             "unix_socket_permissions",
                                             "hba_file",
                                             "ident_file",
                                             "config_file",
                                             "data_directory",
                                             "ssl",
                                             "ssl_cert_file",
                                             "ssl_key_file",
                                             "password_encryption",
                                             "logging_collector",
                                             "log_destination",
                                             "shared_preload_libraries",
                                             "fsync",
                                             "full_page_writes"};
  return kOwn.contains(parameter);
}

}  // namespace

void declare(stack::Catalogue& catalogue, const Endpoint& endpoint) {
  catalogue.add(cluster_declaration(endpoint));
  catalogue.add(instance_declaration(endpoint));
  catalogue.add(parameter_group_declaration());
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack,
                                                                    const Endpoint& endpoint) {
  auto config = std::make_shared<Config>();
  stack::Diagnostics problems;
  for (const auto& found : stack.all<ClusterResource>("aws_rds_cluster")) {
    const ClusterResource& wanted = found.value;
    const auto& range = found.resource.range();
    if (config->cluster) {
      problems.error("Second cluster",
                     fmt::format("{} would be a second PostgreSQL server; a platform has one.", found.resource.address),
                     range);
      continue;
    }
    if (wanted.engine != "aurora-postgresql" && wanted.engine != "postgres") {
      problems.error(
          "Unsupported engine",
          fmt::format("The engine of {} is \"{}\"; there is aurora-postgresql.", found.resource.address, wanted.engine),
          range);
    }
    if (wanted.manage_password.value_or(false)) {
      problems.error("Unsupported password",
                     fmt::format("{} asks for a password that RDS makes. Set master_password, from a random_password "
                                 "for instance.",
                                 found.resource.address),
                     range);
    } else if (wanted.master_username && !wanted.master_password) {
      problems.error("Missing password",
                     fmt::format("{} has a master_username and no master_password.", found.resource.address), range);
    }
    if (wanted.master_username == "postgres") {
      problems.error("Reserved name", "The role \"postgres\" is the platform's own; choose another master_username.",
                     range);
    }
    Cluster made;
    made.identifier = wanted.identifier;
    made.port = port_of(wanted.port, endpoint);
    made.database = wanted.database_name.value_or("");
    made.master_username = wanted.master_username.value_or("");
    made.master_password = wanted.master_password.value_or("");
    const auto tag = [&](const char* name) {
      const auto at = wanted.tags.find(name);
      return at == wanted.tags.end() ? std::string() : at->second;
    };
    made.app_credentials = tag("securebase:app-credentials");
    if (const std::string schema = tag("securebase:schema"); !schema.empty()) {
      made.schema = std::filesystem::path(schema).is_absolute() ? std::filesystem::path(schema)
                                                                : (stack.directory / schema).lexically_normal();
    }
    for (const auto& group : stack.all<ParameterGroup>("aws_rds_cluster_parameter_group")) {
      if (group.value.name != wanted.parameter_group) continue;
      for (const auto& parameter : group.value.parameters) {
        if (platforms_own(parameter.name)) {
          problems.error("Reserved parameter", fmt::format("The parameter {} is the platform's own.", parameter.name),
                         group.resource.range());
        }
        made.parameters[parameter.name] = parameter.value;
      }
    }
    config->cluster = std::move(made);
  }
  if (problems.has_errors()) return problems;
  return std::shared_ptr<const Config>(std::move(config));
}

}  // namespace securebase::database
