// The Terraform types of Aurora PostgreSQL as resources.cc declares them and configure.cc reads them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "process/server.h"

namespace securebase::database {

constexpr const char* kCluster = "aws_rds_cluster";
constexpr const char* kInstance = "aws_rds_cluster_instance";
constexpr const char* kClusterParameterGroup = "aws_rds_cluster_parameter_group";
constexpr const char* kParameterGroup = "aws_db_parameter_group";
constexpr std::uint16_t kCustomaryPort = 5432;

struct Scaling {
  double min_capacity = 0.5;
  double max_capacity = 1;
};

struct ClusterResource {
  std::optional<std::string> identifier;  // what it is called in the end is in its attributes
  std::string identifier_prefix;
  std::string engine;
  std::optional<std::string> database_name;
  std::optional<std::string> master_username;
  std::optional<std::string> master_password;
  std::optional<std::string> master_password_wo;  // the same, which Terraform does not keep
  std::optional<bool> manage_password;
  std::optional<std::uint16_t> port;
  std::optional<std::string> parameter_group;
  std::optional<bool> deletion_protection;
  std::optional<Scaling> scaling;
  std::map<std::string, std::string> tags;
};

struct InstanceResource {
  std::optional<std::string> identifier;  // as above
  std::string identifier_prefix;
  std::string cluster;
  std::string instance_class;
  std::optional<std::string> parameter_group;
};

struct Parameter {
  std::string name;
  std::string value;
};

struct ParameterGroupResource {
  std::optional<std::string> name;  // as above
  std::string name_prefix;
  std::string family;
  std::string description;
  std::vector<Parameter> parameters;
};

}  // namespace securebase::database
