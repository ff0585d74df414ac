// What a stack asks of the server, between resources.cc and the server.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "database/database.h"

namespace securebase::database {

struct ParameterGroup {
  enum class Of { kCluster, kInstance };
  Of of = Of::kCluster;
  std::string name;
  std::string family;
  std::string description;
  std::string arn;
  std::map<std::string, std::string> parameters;
};

// A node of the cluster: by another name, the one server.
struct Instance {
  std::string identifier;
  std::string arn;
  std::string resource_id;
  std::string instance_class;
  std::string parameter_group;  // "": none of these files
};

// The password that RDS makes, and the secret that tells it.
struct ManagedPassword {
  std::string derivation;  // the address that it is derived from
  std::string secret_name;
  std::string secret_arn;
};

struct Cluster {
  std::string identifier;
  std::string arn;
  std::string resource_id;
  std::string engine;
  std::string host;
  std::uint16_t port = 5432;
  std::string database;         // "": none is made
  std::string master_username;  // "": none is made
  std::string master_password;  // empty with `managed`
  std::optional<ManagedPassword> managed;
  std::string app_credentials;   // name or ARN of a secret, or ""
  std::filesystem::path schema;  // directory of migrations, or ""
  bool deletion_protection = false;
  std::string parameter_group;  // "": none of these files
  // Of the cluster's group, and over them those of its first instance that has one.
  std::map<std::string, std::string> parameters;
  std::vector<Instance> instances;
};

struct Config {
  std::optional<Cluster> cluster;
  std::vector<ParameterGroup> groups;
};

}  // namespace securebase::database
