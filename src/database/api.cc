#include "database/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "database/config.h"
#include "database/logs.h"
#include "database/parameters.h"

namespace securebase::database {

namespace {

using aws::Fault;
using aws::Value;

constexpr std::int64_t kMostRecords = 100;

struct View {  // of one moment
  std::shared_ptr<const Config> config;
  const Cluster* cluster = nullptr;  // null: the stack has none
  Facts facts;
  process::Status server;

  explicit View(const Database& database)
      : config(database.config()), facts(database.facts()), server(database.status()) {
    if (config && config->cluster) cluster = &*config->cluster;
  }
};

// "Viewing DB instance status" of the Aurora user guide.
std::string_view status_word(const View& view) {
  if (view.facts.rebooting) return "rebooting";
  switch (view.server.state) {
    case process::State::kReady:
      return "available";
    case process::State::kStarting:
      return "starting";
    case process::State::kBackingOff:
      return "rebooting";
    case process::State::kStopping:
      return "stopping";
    case process::State::kStopped:
      return "stopped";
    case process::State::kFailed:
      break;
  }
  return "failed";
}

// Identifiers are compared without regard to case, and an ARN names the same.
bool names(std::string_view asked, std::string_view identifier, std::string_view arn) {
  return asked == arn ||
         (asked.size() == identifier.size() &&
          std::equal(asked.begin(), asked.end(), identifier.begin(),
                     [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); }));
}

// One page by MaxRecords and Marker, the place of the first element that is still to come.
Result<Value, Fault> page(const aws::Call& call, std::string_view list, std::vector<Value> all) {
  const std::int64_t most = call.input["MaxRecords"].integer_or(kMostRecords);
  if (most < 20 || most > kMostRecords) {
    return Fault{"InvalidParameterValue",
                 fmt::format("Invalid value {} for MaxRecords. Must be between 20 and {}", most, kMostRecords),
                 0,
                 {}};
  }
  std::size_t from = 0;
  if (const std::string marker(call.input["Marker"].string_or("")); !marker.empty()) {
    const bool digits = marker.size() < 10 && marker.find_first_not_of("0123456789") == std::string::npos;
    if (!digits) return Fault{"InvalidParameterValue", fmt::format("Invalid marker \"{}\"", marker), 0, {}};
    from = std::min(all.size(), static_cast<std::size_t>(std::stoul(marker)));
  }
  const std::size_t to = std::min(all.size(), from + static_cast<std::size_t>(most));
  Value output = Value::structure();
  output.set(list, Value::List(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)),
                               std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(to))));
  if (to < all.size()) output.set("Marker", std::to_string(to));
  return output;
}

aws::Outcome answer(Result<Value, Fault> output) {
  if (!output) return std::move(output.error());
  return aws::Answer(std::move(*output));
}

// The values of a filter; nullopt: it is not asked for.
std::optional<std::vector<std::string>> filter(const aws::Call& call, std::string_view name) {
  for (const auto& one : call.input["Filters"].elements()) {
    if (one["Name"].string_or("") != name) continue;
    std::vector<std::string> values;
    for (const auto& value : one["Values"].elements()) values.emplace_back(value.string_or(""));
    return values;
  }
  return std::nullopt;
}

std::optional<Fault> unknown_filter(const aws::Call& call, std::initializer_list<std::string_view> known) {
  for (const auto& one : call.input["Filters"].elements()) {
    const auto name = one["Name"].string_or("");
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Fault{"InvalidParameterValue", fmt::format("Unrecognized filter name: {}", name), 0, {}};
    }
  }
  return std::nullopt;
}

bool passes(const std::optional<std::vector<std::string>>& wanted, std::string_view identifier, std::string_view arn) {
  if (!wanted) return true;
  return std::any_of(wanted->begin(), wanted->end(), [&](const auto& one) { return names(one, identifier, arn); });
}

Fault no_instance(std::string_view identifier) {
  return {"DBInstanceNotFound", fmt::format("DBInstance {} not found.", identifier), 404, {}};
}

Value endpoint_of(const View& view) {
  const auto& cluster = *view.cluster;
  return Value::structure({{"Address", cluster.host}, {"Port", std::int64_t{cluster.port}}});
}

std::string group_or_default(const std::string& group, const Cluster& cluster) {
  if (!group.empty()) return group;
  return cluster.engine == "postgres" ? "default.postgres15" : "default.aurora-postgresql15";
}

Value instance_value(const View& view, const Instance& instance) {
  const Cluster& cluster = *view.cluster;
  Value value = Value::structure({{"DBInstanceIdentifier", instance.identifier},
                                  {"DBInstanceClass", instance.instance_class},
                                  {"Engine", cluster.engine},
                                  {"DBInstanceStatus", status_word(view)},
                                  {"MasterUsername", cluster.master_username},
                                  {"DBName", cluster.database},
                                  {"Endpoint", endpoint_of(view)},
                                  {"AllocatedStorage", static_cast<std::int64_t>(view.facts.storage_bytes >> 30)},
                                  {"InstanceCreateTime", view.facts.created},
                                  {"EngineVersion", view.facts.version},
                                  {"MultiAZ", false},
                                  {"PubliclyAccessible", false},
                                  {"DBClusterIdentifier", cluster.identifier},
                                  {"DbiResourceId", instance.resource_id},
                                  {"DBInstanceArn", instance.arn},
                                  {"IAMDatabaseAuthenticationEnabled", false},
                                  {"DbInstancePort", std::int64_t{cluster.port}}});
  value.set(
      "DBParameterGroups",
      Value::list({Value::structure({{"DBParameterGroupName", group_or_default(instance.parameter_group, cluster)},
                                     {"ParameterApplyStatus", "in-sync"}})}));
  return value;
}

// Those of the identifier: an instance's, or the cluster's, which means all of its instances.
std::vector<const Instance*> instances_of(const View& view, std::string_view identifier) {
  std::vector<const Instance*> found;
  if (view.cluster == nullptr) return found;
  for (const auto& instance : view.cluster->instances) {
    if (identifier.empty() || names(identifier, instance.identifier, instance.arn) ||
        names(identifier, view.cluster->identifier, view.cluster->arn)) {
      found.push_back(&instance);
    }
  }
  return found;
}

std::optional<Fault> check_instance(const Database& database, const aws::Call& call) {
  const auto identifier = call.input["DBInstanceIdentifier"].string_or("");
  if (instances_of(View(database), identifier).empty()) return no_instance(identifier);
  return std::nullopt;
}

Value group_value(const ParameterGroup& group) {
  const bool of_cluster = group.of == ParameterGroup::Of::kCluster;
  return Value::structure({{of_cluster ? "DBClusterParameterGroupName" : "DBParameterGroupName", group.name},
                           {"DBParameterGroupFamily", group.family},
                           {"Description", group.description},
                           {of_cluster ? "DBClusterParameterGroupArn" : "DBParameterGroupArn", group.arn}});
}

aws::Outcome describe_groups(const Database& database, const aws::Call& call, ParameterGroup::Of of) {
  const bool of_cluster = of == ParameterGroup::Of::kCluster;
  const auto wanted = call.input[of_cluster ? "DBClusterParameterGroupName" : "DBParameterGroupName"].string_or("");
  const View view(database);
  std::vector<Value> all;
  if (view.config) {
    for (const auto& group : view.config->groups) {
      if (group.of == of && (wanted.empty() || names(wanted, group.name, group.arn))) all.push_back(group_value(group));
    }
  }
  if (all.empty() && !wanted.empty()) {
    return Fault{"DBParameterGroupNotFound", fmt::format("DBParameterGroup not found: {}", wanted), 404, {}};
  }
  return answer(page(call, of_cluster ? "DBClusterParameterGroups" : "DBParameterGroups", std::move(all)));
}

aws::Outcome describe_parameters(const Database& database, const aws::Call& call, ParameterGroup::Of of) {
  const bool of_cluster = of == ParameterGroup::Of::kCluster;
  const auto wanted = call.input[of_cluster ? "DBClusterParameterGroupName" : "DBParameterGroupName"].string_or("");
  const View view(database);
  const ParameterGroup* group = nullptr;
  if (view.config) {
    for (const auto& one : view.config->groups) {
      if (one.of == of && names(wanted, one.name, one.arn)) group = &one;
    }
  }
  const bool is_default = wanted == "default.aurora-postgresql15" || wanted == "default.postgres15";
  if (group == nullptr && !is_default) {
    return Fault{"DBParameterGroupNotFound", fmt::format("DBParameterGroup not found: {}", wanted), 404, {}};
  }
  const auto source = call.input["Source"].string_or("");
  std::vector<Value> all;
  for (const auto& setting : settings()) {
    const bool own = is_platforms_own(setting.name) || setting.takes == Setting::Takes::kNothing;
    const std::string* value = nullptr;
    if (group != nullptr) {
      const auto set = group->parameters.find(std::string(setting.name));
      if (set != group->parameters.end()) value = &set->second;
    }
    const std::string_view from = value != nullptr ? "user" : own ? "system" : "engine-default";
    if (!source.empty() && source != from) continue;
    const bool restarts = setting.takes == Setting::Takes::kRestart;
    Value made = Value::structure({{"ParameterName", setting.name},
                                   {"Source", from},
                                   {"ApplyType", restarts ? "static" : "dynamic"},
                                   {"DataType", setting.type == "bool"      ? "boolean"
                                                : setting.type == "real"    ? "float"
                                                : setting.type == "integer" ? "integer"
                                                                            : "string"},
                                   {"IsModifiable", !own},
                                   {"ApplyMethod", restarts ? "pending-reboot" : "immediate"}});
    if (value != nullptr) made.set("ParameterValue", *value);
    if (const auto allowed = setting.allowed(); !allowed.empty()) made.set("AllowedValues", allowed);
    all.push_back(std::move(made));
  }
  return answer(page(call, "Parameters", std::move(all)));
}

}  // namespace

aws::Outcome describe_db_instances(const Database& database, const aws::Call& call) {
  if (auto fault = unknown_filter(call, {"db-cluster-id", "db-instance-id", "dbi-resource-id", "engine"}))
    return *fault;
  const auto identifier = call.input["DBInstanceIdentifier"].string_or("");
  const View view(database);
  const auto found = instances_of(view, identifier);
  if (found.empty() && !identifier.empty()) return no_instance(identifier);
  const auto by_cluster = filter(call, "db-cluster-id");
  const auto by_instance = filter(call, "db-instance-id");
  const auto by_resource = filter(call, "dbi-resource-id");
  const auto by_engine = filter(call, "engine");
  std::vector<Value> all;
  for (const auto* instance : found) {
    if (passes(by_cluster, view.cluster->identifier, view.cluster->arn) &&
        passes(by_instance, instance->identifier, instance->arn) && passes(by_resource, instance->resource_id, "") &&
        passes(by_engine, view.cluster->engine, "")) {
      all.push_back(instance_value(view, *instance));
    }
  }
  return answer(page(call, "DBInstances", std::move(all)));
}

aws::Outcome describe_db_clusters(const Database& database, const aws::Call& call) {
  if (auto fault = unknown_filter(call, {"db-cluster-id", "db-cluster-resource-id", "engine"})) return *fault;
  const auto identifier = call.input["DBClusterIdentifier"].string_or("");
  const View view(database);
  const Cluster* cluster = view.cluster;
  if (!identifier.empty() && (cluster == nullptr || !names(identifier, cluster->identifier, cluster->arn))) {
    return Fault{"DBClusterNotFoundFault", fmt::format("DBCluster {} not found.", identifier), 404, {}};
  }
  std::vector<Value> all;
  const bool wanted = cluster != nullptr && passes(filter(call, "db-cluster-id"), cluster->identifier, cluster->arn) &&
                      passes(filter(call, "db-cluster-resource-id"), cluster->resource_id, "") &&
                      passes(filter(call, "engine"), cluster->engine, "");
  if (wanted) {
    Value members = Value::list();
    for (const auto& instance : cluster->instances) {
      members.push_back(Value::structure({{"DBInstanceIdentifier", instance.identifier},
                                          {"IsClusterWriter", &instance == &cluster->instances.front()},
                                          {"DBClusterParameterGroupStatus", "in-sync"}}));
    }
    Value value = Value::structure({{"DBClusterIdentifier", cluster->identifier},
                                    {"DBClusterArn", cluster->arn},
                                    {"DbClusterResourceId", cluster->resource_id},
                                    {"Status", status_word(view)},
                                    {"Engine", cluster->engine},
                                    {"EngineVersion", view.facts.version},
                                    {"EngineMode", "provisioned"},
                                    {"DatabaseName", cluster->database},
                                    {"MasterUsername", cluster->master_username},
                                    {"Endpoint", cluster->host},
                                    {"ReaderEndpoint", cluster->host},
                                    {"Port", std::int64_t{cluster->port}},
                                    {"AllocatedStorage", static_cast<std::int64_t>(view.facts.storage_bytes >> 30)},
                                    {"ClusterCreateTime", view.facts.created},
                                    {"DBClusterParameterGroup", group_or_default(cluster->parameter_group, *cluster)},
                                    {"MultiAZ", false},
                                    {"DBClusterMembers", std::move(members)}});
    if (cluster->managed) {
      value.set("MasterUserSecret",
                Value::structure({{"SecretArn", cluster->managed->secret_arn}, {"SecretStatus", "active"}}));
    }
    all.push_back(std::move(value));
  }
  return answer(page(call, "DBClusters", std::move(all)));
}

aws::Outcome describe_db_log_files(Database& database, const aws::Call& call) {
  if (auto fault = check_instance(database, call)) return *fault;
  if (auto done = database.logs().catch_up(); !done) return Fault{"InternalFailure", done.error().message, 500, {}};
  const auto contains = call.input["FilenameContains"].string_or("");
  const std::int64_t written_after = call.input["FileLastWritten"].integer_or(0);  // POSIX milliseconds
  const std::int64_t larger_than = call.input["FileSize"].integer_or(-1);
  std::vector<Value> all;
  for (const auto& file : database.logs().list()) {
    const auto written = std::chrono::duration_cast<std::chrono::milliseconds>(file.written.time_since_epoch()).count();
    if (file.name.find(contains) == std::string::npos || written < written_after ||
        static_cast<std::int64_t>(file.bytes) <= larger_than) {
      continue;
    }
    all.push_back(Value::structure({{"LogFileName", file.name},
                                    {"LastWritten", std::int64_t{written}},
                                    {"Size", static_cast<std::int64_t>(file.bytes)}}));
  }
  return answer(page(call, "DescribeDBLogFiles", std::move(all)));
}

aws::Outcome download_db_log_file_portion(Database& database, const aws::Call& call) {
  if (auto fault = check_instance(database, call)) return *fault;
  if (auto done = database.logs().catch_up(); !done) return Fault{"InternalFailure", done.error().message, 500, {}};
  std::optional<std::string> marker;
  if (const auto* given = call.input["Marker"].as_string()) marker = *given;
  std::optional<std::size_t> lines;
  if (const auto& given = call.input["NumberOfLines"]; !given.is_null()) {
    if (given.integer_or(0) < 1) {
      return Fault{"InvalidParameterValue", "NumberOfLines is a whole number, at least 1", 0, {}};
    }
    lines = static_cast<std::size_t>(given.integer_or(0));
  }
  const auto name = call.input["LogFileName"].string_or("");
  auto portion = database.logs().read(name, marker, lines);
  if (!portion && portion.error().code == Errc::kNotFound) {
    return Fault{
        "DBLogFileNotFoundFault", fmt::format("DBLog File: {}, is not found on the DB instance", name), 404, {}};
  }
  if (!portion && portion.error().code == Errc::kMalformed) {
    return Fault{"InvalidParameterValue", portion.error().message, 0, {}};
  }
  if (!portion) return Fault{"InternalFailure", portion.error().message, 500, {}};
  return aws::Answer(Value::structure({{"LogFileData", std::move(portion->text)},
                                       {"Marker", std::move(portion->marker)},
                                       {"AdditionalDataPending", portion->more}}));
}

aws::Outcome describe_db_parameter_groups(const Database& database, const aws::Call& call) {
  return describe_groups(database, call, ParameterGroup::Of::kInstance);
}
aws::Outcome describe_db_cluster_parameter_groups(const Database& database, const aws::Call& call) {
  return describe_groups(database, call, ParameterGroup::Of::kCluster);
}
aws::Outcome describe_db_parameters(const Database& database, const aws::Call& call) {
  return describe_parameters(database, call, ParameterGroup::Of::kInstance);
}
aws::Outcome describe_db_cluster_parameters(const Database& database, const aws::Call& call) {
  return describe_parameters(database, call, ParameterGroup::Of::kCluster);
}

aws::Outcome reboot_db_instance(Database& database, const aws::Call& call) {
  if (auto fault = check_instance(database, call)) return *fault;
  if (auto begun = database.reboot(); !begun) {
    return Fault{"InvalidDBInstanceState", begun.error().message, 0, {}};
  }
  const View view(database);
  const auto found = instances_of(view, call.input["DBInstanceIdentifier"].string_or(""));
  if (found.empty()) return no_instance(call.input["DBInstanceIdentifier"].string_or(""));
  return aws::Answer(Value::structure({{"DBInstance", instance_value(view, *found.front())}}));
}

}  // namespace securebase::database
