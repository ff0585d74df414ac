// From the stack's resources to what the server is asked for, or everything that is wrong with them.
#include <fmt/format.h>

#include <algorithm>

#include "database/config.h"
#include "database/parameters.h"
#include "database/resources.h"
#include "stack/stack.h"

namespace securebase::database {

namespace {

std::string text_of(const stack::Resource& resource, std::string_view attribute) {
  return resource.attributes[attribute].to_text().value_or("");
}

// The groups that every account has.
bool is_default_group(std::string_view name) {
  return name == "default.aurora-postgresql15" || name == "default.postgres15";
}

bool is_postgresql_family(std::string_view family) {
  const std::string_view engine = family.substr(0, family.find_first_of("0123456789"));
  return engine.size() < family.size() && (engine == "aurora-postgresql" || engine == "postgres");
}

class StackReader {
 public:
  StackReader(const stack::Stack& stack, const Endpoint& endpoint) : stack_(stack), endpoint_(endpoint) {}

  Result<std::shared_ptr<const Config>, stack::Diagnostics> read() {
    using Of = ParameterGroup::Of;
    for (const auto& [type, of] : {std::pair{kClusterParameterGroup, Of::kCluster}, {kParameterGroup, Of::kInstance}}) {
      for (const auto& found : stack_.all<ParameterGroupResource>(type)) add_group(found, of);
    }
    for (const auto& found : stack_.all<ClusterResource>(kCluster)) add_cluster(found);
    for (const auto& found : stack_.all<InstanceResource>(kInstance)) add_instance(found);
    if (problems_.has_errors()) return std::move(problems_);
    return std::make_shared<const Config>(std::move(config_));
  }

 private:
  void add_group(const stack::Found<ParameterGroupResource>& found, ParameterGroup::Of of) {
    ParameterGroup made;
    made.of = of;
    made.name = text_of(found.resource, "name");
    made.family = found.value.family;
    made.description = found.value.description;
    made.arn = text_of(found.resource, "arn");
    if (!is_postgresql_family(made.family)) {
      const std::string engine = made.family.substr(0, made.family.find_first_of("0123456789"));
      problems_.error("Unsupported engine",
                      fmt::format("The family of {} is \"{}\", for the engine \"{}\"; there is PostgreSQL 15 only "
                                  "(aurora-postgresql15, postgres15).",
                                  found.resource.address, made.family, engine),
                      found.resource.range());
      return;
    }
    for (const auto& parameter : found.value.parameters) {
      if (auto right = check_parameter(parameter.name, parameter.value); !right) {
        const char* summary = right.error().code == Errc::kNotFound ? "Unknown parameter"
                              : right.error().code == Errc::kDenied ? "Reserved parameter"
                                                                    : "Wrong value of a parameter";
        problems_.error(summary, fmt::format("{}: {}", found.resource.address, right.error().message),
                        found.resource.range());
      }
      if (why_not_honoured(parameter.name).empty()) made.parameters[parameter.name] = parameter.value;
    }
    config_.groups.push_back(std::move(made));
  }

  void add_cluster(const stack::Found<ClusterResource>& found) {
    const ClusterResource& wanted = found.value;
    const auto& address = found.resource.address;
    if (config_.cluster) {
      problems_.error("Second cluster",
                      fmt::format("{} would be a second PostgreSQL server; a platform has one.", address),
                      found.resource.range());
      return;
    }
    check_cluster(found);
    Cluster made;
    made.identifier = text_of(found.resource, "cluster_identifier");
    made.arn = text_of(found.resource, "arn");
    made.resource_id = text_of(found.resource, "cluster_resource_id");
    made.engine = wanted.engine;
    made.host = endpoint_.host;
    made.port = process::port_of(endpoint_, wanted.port, kCustomaryPort);
    made.database = wanted.database_name.value_or("");
    made.master_username = wanted.master_username.value_or("");
    made.master_password = wanted.master_password.value_or(wanted.master_password_wo.value_or(""));
    if (wanted.manage_password.value_or(false)) made.managed = managed_password(found.resource);
    made.deletion_protection = wanted.deletion_protection.value_or(false);
    const auto tag = [&](const char* name) {
      const auto at = wanted.tags.find(name);
      return at == wanted.tags.end() ? std::string() : at->second;
    };
    made.app_credentials = tag("securebase:app-credentials");
    if (const std::string schema = tag("securebase:schema"); !schema.empty()) {
      made.schema = std::filesystem::path(schema).is_absolute() ? std::filesystem::path(schema)
                                                                : (stack_.directory / schema).lexically_normal();
    }
    if (const auto* group = group_of(wanted.parameter_group, ParameterGroup::Of::kCluster, found.resource)) {
      made.parameter_group = group->name;
      made.parameters = group->parameters;
    }
    config_.cluster = std::move(made);
  }

  void check_cluster(const stack::Found<ClusterResource>& found) {
    const ClusterResource& wanted = found.value;
    const auto& range = found.resource.range();
    const auto& address = found.resource.address;
    if (wanted.engine != "aurora-postgresql" && wanted.engine != "postgres") {
      problems_.error("Unsupported engine",
                      fmt::format("The engine of {} is \"{}\"; there is aurora-postgresql.", address, wanted.engine),
                      range);
    }
    if (wanted.master_username && !wanted.master_password && !wanted.master_password_wo &&
        !wanted.manage_password.value_or(false)) {
      problems_.error("Missing password",
                      fmt::format("{} has a master_username, but neither master_password nor "
                                  "manage_master_user_password = true.",
                                  address),
                      range);
    }
    if (wanted.master_username == "postgres" ||
        (wanted.master_username && wanted.master_username->starts_with("pg_"))) {
      problems_.error(
          "Reserved name",
          fmt::format("The role \"{}\" is the server's own; choose another master_username.", *wanted.master_username),
          range);
    }
  }

  static ManagedPassword managed_password(const stack::Resource& cluster) {
    const std::string arn = cluster.attributes["master_user_secret"].elements()[0]["secret_arn"].to_text().value_or("");
    const std::string name = arn.substr(arn.find(":secret:") + 8);
    return {cluster.address + "\nmaster_user_password", name.substr(0, name.rfind('-')), arn};
  }

  void add_instance(const stack::Found<InstanceResource>& found) {
    if (!config_.cluster) {
      problems_.error("No such cluster",
                      fmt::format("{} is of cluster \"{}\", which these files do not have.", found.resource.address,
                                  found.value.cluster),
                      found.resource.range());
      return;
    }
    Cluster& cluster = *config_.cluster;
    if (found.value.cluster != cluster.identifier) {
      problems_.error("No such cluster",
                      fmt::format("{} is of cluster \"{}\"; there is \"{}\".", found.resource.address,
                                  found.value.cluster, cluster.identifier),
                      found.resource.range());
      return;
    }
    Instance made;
    made.identifier = text_of(found.resource, "identifier");
    made.arn = text_of(found.resource, "arn");
    made.resource_id = text_of(found.resource, "dbi_resource_id");
    made.instance_class = found.value.instance_class;
    if (const auto* group = group_of(found.value.parameter_group, ParameterGroup::Of::kInstance, found.resource)) {
      made.parameter_group = group->name;
      if (instances_group_.empty()) {
        instances_group_ = group->name;
        for (const auto& [name, value] : group->parameters) cluster.parameters[name] = value;
      } else if (group->name != instances_group_) {
        problems_.error("Second parameter group",
                        fmt::format("The parameter group of {} is \"{}\", that of an instance before it \"{}\"; all "
                                    "instances are the one server.",
                                    found.resource.address, group->name, instances_group_),
                        found.resource.range());
      }
    }
    cluster.instances.push_back(std::move(made));
  }

  // Null when none is asked for, when it is a default one, and (reported) when there is none of that name.
  const ParameterGroup* group_of(const std::optional<std::string>& name, ParameterGroup::Of of,
                                 const stack::Resource& user) {
    if (!name || is_default_group(*name)) return nullptr;
    std::vector<std::string> known;
    for (const auto& group : config_.groups) {
      if (group.of != of) continue;
      if (group.name == *name) return &group;
      known.push_back(group.name);
    }
    const std::string near = stack::closest(*name, known);
    problems_.error("Unknown parameter group",
                    fmt::format("The parameter group of {} is \"{}\", which these files do not have.{}", user.address,
                                *name, near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near)),
                    user.range());
    return nullptr;
  }

  const stack::Stack& stack_;
  const Endpoint& endpoint_;
  Config config_;
  std::string instances_group_;
  stack::Diagnostics problems_;
};

}  // namespace

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack,
                                                                    const Endpoint& endpoint) {
  return StackReader(stack, endpoint).read();
}

std::vector<stack::Finding> notes(const stack::Stack& stack, const Endpoint& endpoint) {
  using Kind = stack::Finding::Kind;
  std::vector<stack::Finding> notes;
  const auto add = [&](const stack::Resource& about, std::string attribute, std::string text, Kind kind) {
    notes.push_back({kind, about.address, std::move(attribute), std::move(text), about.range()});
  };
  for (const auto& found : stack.all<ClusterResource>(kCluster)) {
    const std::string port = process::port_note(endpoint, found.value.port, "--postgres-port");
    if (!port.empty()) add(found.resource, "port", port, Kind::kNote);
  }
  for (const char* type : {kClusterParameterGroup, kParameterGroup}) {
    for (const auto& group : stack.all<ParameterGroupResource>(type)) {
      for (const auto& parameter : group.value.parameters) {
        const auto reason = why_not_honoured(parameter.name);
        if (!reason.empty()) add(group.resource, parameter.name, std::string(reason), Kind::kNotHonoured);
      }
    }
  }
  return notes;
}

}  // namespace securebase::database
