// The Terraform types of Aurora PostgreSQL.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "database/database.h"
#include "database/resources.h"
#include "stack/declare.h"

namespace securebase::database {

namespace {

using stack::Context;

// A name that is not given is made, as Terraform's provider makes it.
std::string name_or_made(const std::optional<std::string>& name, const std::string& prefix, const char* otherwise,
                         const Context& context) {
  if (name) return *name;
  return (prefix.empty() ? otherwise : prefix) + context.id(20, "abcdefghijklmnopqrstuvwxyz0123456789");
}

// RDS's names: "rds!cluster-" and a UUID for the secret, which here follows from the cluster's address.
std::string secret_name(const stack::Context& context) {
  const std::string digits = base::hex(base::sha256("master_user_secret\n" + context.address));
  return fmt::format("rds!cluster-{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4),
                     digits.substr(16, 4), digits.substr(20, 12));
}

stack::Value master_user_secret(const ClusterResource& cluster, const stack::Context& context) {
  if (!cluster.manage_password.value_or(false)) return stack::Value::list();
  const std::string name = secret_name(context);
  const std::string suffix = base::hex(base::sha256("suffix\n" + context.address)).substr(0, 6);
  return stack::Value::list(
      {stack::Value::map({{"secret_arn", context.arn("secretsmanager", fmt::format("secret:{}-{}", name, suffix))},
                          {"secret_status", "active"},
                          {"kms_key_id", context.arn("kms", "alias/aws/secretsmanager")}})});
}

auto cluster_declaration(const Endpoint& endpoint) {
  const auto name = [](const ClusterResource& c, const Context& context) {
    return name_or_made(c.identifier, c.identifier_prefix, "tf-", context);
  };
  const auto arn = [name](const ClusterResource& c, const Context& context) {
    return context.arn("rds", "cluster:" + name(c, context));
  };
  const auto host = [endpoint](const ClusterResource&) { return endpoint.host; };
  auto scaling = stack::block<Scaling>("serverlessv2_scaling_configuration", "How far Aurora grows.")
                     .known("min_capacity", "the server has what this machine has")
                     .known("max_capacity", "the server has what this machine has")
                     .known("seconds_until_auto_pause");
  return stack::resource<ClusterResource>(kCluster, "database", "A PostgreSQL server: one to a platform.")
      .attribute("cluster_identifier", &ClusterResource::identifier, std::nullopt,
                 stack::matches("[a-z][a-z0-9-]{0,62}"), "Its name.")
      .replaces()
      .attribute("cluster_identifier_prefix", &ClusterResource::identifier_prefix, "",
                 "Begins the name when no name is given.")
      .replaces()
      .required("engine", &ClusterResource::engine, "aurora-postgresql or postgres.")
      .attribute("database_name", &ClusterResource::database_name, std::nullopt,
                 stack::matches("[A-Za-z_][A-Za-z0-9_]{0,62}"), "The database that is made.")
      .attribute("master_username", &ClusterResource::master_username, std::nullopt,
                 stack::matches("[A-Za-z_][A-Za-z0-9_]{0,62}"), "The role that owns it.")
      .attribute("master_password", &ClusterResource::master_password, std::nullopt, "The role's password.")
      .sensitive()
      .attribute("master_password_wo", &ClusterResource::master_password_wo, std::nullopt,
                 "The role's password, which no plan and no state shows.")
      .sensitive()
      .known("master_password_wo_version", "the password is compared by itself")
      .attribute("manage_master_user_password", &ClusterResource::manage_password, std::nullopt,
                 "Whether RDS makes the password; it is in the secret that master_user_secret names.")
      .attribute("port", &ClusterResource::port, std::nullopt, "Where it listens.")
      .effect("restarts PostgreSQL")
      .attribute("db_cluster_parameter_group_name", &ClusterResource::parameter_group, std::nullopt,
                 "Whose parameters it has.")
      .effect("reloads PostgreSQL, or restarts it where a parameter needs that")
      .attribute(
          "tags", &ClusterResource::tags, {},
          "Labels; securebase:schema is the directory of migrations, securebase:app-credentials the secret of the "
          "application's role.")
      .attribute("deletion_protection", &ClusterResource::deletion_protection, std::nullopt,
                 "Whether an apply that removes it is refused.")
      .nested(scaling, &ClusterResource::scaling, "Serverless capacity.")
      .known("engine_version", "PostgreSQL 15 only: the server is Debian 12's")
      .known("engine_mode")
      .computed("cluster_identifier", name)
      .computed("id", name)
      .computed("arn", arn)
      .computed("endpoint", host)
      .computed("reader_endpoint", host)
      .computed("port",
                [endpoint](const ClusterResource& c) { return process::port_of(endpoint, c.port, kCustomaryPort); })
      .decides()
      .computed("master_user_secret", master_user_secret)
      .computed("cluster_resource_id",
                [](const ClusterResource&, const Context& context) { return "cluster-" + context.id(26); })
      .computed("hosted_zone_id", [](const ClusterResource&) { return "Z2R2ITUGPM61AM"; })
      .rule("Of master_password, master_password_wo and manage_master_user_password one is set, not several.",
            [](const ClusterResource& c) {
              return c.master_password.has_value() + c.master_password_wo.has_value() +
                         c.manage_password.value_or(false) <=
                     1;
            })
      .rule("A password needs a master_username.", [](const ClusterResource& c) {
        return c.master_username || (!c.master_password && !c.master_password_wo && !c.manage_password.value_or(false));
      });
}

auto instance_declaration(const Endpoint& endpoint) {
  const auto name = [](const InstanceResource& i, const Context& c) {
    return name_or_made(i.identifier, i.identifier_prefix, "tf-", c);
  };
  return stack::resource<InstanceResource>(kInstance, "database",
                                           "A node of a cluster; all of them are the one server.")
      .attribute("identifier", &InstanceResource::identifier, std::nullopt, "Its name.")
      .replaces()
      .attribute("identifier_prefix", &InstanceResource::identifier_prefix, "",
                 "Begins the name when no name is given.")
      .replaces()
      .required("cluster_identifier", &InstanceResource::cluster, "The cluster.")
      .replaces()
      .attribute("instance_class", &InstanceResource::instance_class, "db.serverless",
                 "Its size in RDS; the server has what this machine has.")
      .attribute("db_parameter_group_name", &InstanceResource::parameter_group, std::nullopt,
                 "Whose parameters it has, over the cluster's.")
      .effect("reloads PostgreSQL, or restarts it where a parameter needs that")
      .known("engine")
      .known("engine_version", "PostgreSQL 15 only: the server is Debian 12's")
      .computed("identifier", name)
      .computed("id", name)
      .computed("arn", [name](const InstanceResource& i, const Context& c) { return c.arn("rds", "db:" + name(i, c)); })
      .computed("endpoint", [endpoint](const InstanceResource&) { return endpoint.host; })
      .computed("port",
                [endpoint](const InstanceResource& i, const Context& c) {
                  const auto port = c.attributes_of(kCluster, i.cluster)["port"].to_integer();
                  return port.value_or(process::port_of(endpoint, std::nullopt, kCustomaryPort));
                })
      .computed("dbi_resource_id", [](const InstanceResource&, const Context& c) { return "db-" + c.id(26); })
      .computed("writer", [](const InstanceResource&) { return true; });
}

auto parameter_group_declaration(const char* type, const char* arn_kind, const char* sentence) {
  const auto parameter = stack::block<Parameter>("parameter", "A setting of PostgreSQL.")
                             .required("name", &Parameter::name, stack::matches("[A-Za-z_][A-Za-z0-9_.]*"), "Its name.")
                             .required("value", &Parameter::value, "What it is set to.")
                             .known("apply_method", "what can change while the server runs does, the rest restarts it");
  const auto name = [](const ParameterGroupResource& g, const Context& c) {
    return name_or_made(g.name, g.name_prefix, "terraform-", c);
  };
  return stack::resource<ParameterGroupResource>(type, "database", sentence)
      .attribute("name", &ParameterGroupResource::name, std::nullopt, "Its name.")
      .replaces()
      .attribute("name_prefix", &ParameterGroupResource::name_prefix, "", "Begins the name when no name is given.")
      .replaces()
      .required("family", &ParameterGroupResource::family, "Whatever the version, the parameters are PostgreSQL 15's.")
      .attribute("description", &ParameterGroupResource::description, "Managed by Terraform", "What it is for.")
      .nested(parameter, &ParameterGroupResource::parameters, "The settings.")
      .computed("name", name)
      .computed("id", name)
      .computed("arn",
                [arn_kind, name](const ParameterGroupResource& g, const Context& c) {
                  return c.arn("rds", fmt::format("{}:{}", arn_kind, name(g, c)));
                })
      .rule("Either name or name_prefix is set, not both.",
            [](const ParameterGroupResource& g) { return !g.name || g.name_prefix.empty(); });
}

}  // namespace

void declare(stack::Catalogue& catalogue, const Endpoint& endpoint) {
  catalogue.add(cluster_declaration(endpoint));
  catalogue.add(instance_declaration(endpoint));
  catalogue.add(parameter_group_declaration(kClusterParameterGroup, "cluster-pg", "Settings of PostgreSQL."));
  catalogue.add(parameter_group_declaration(kParameterGroup, "pg", "Settings of PostgreSQL, of an instance."));
}

}  // namespace securebase::database
