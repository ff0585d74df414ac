// What the Terraform types of Lambda are read into. resources.cc declares them; the API reads and makes the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::functions {

constexpr std::string_view kRuntimes = "python3.11, provided, provided.al2, provided.al2023";
// Of a published version; made by the API only.
constexpr std::string_view kVersionType = "securebase_lambda_version";

struct Environment {
  std::map<std::string, std::string> variables;
};

struct Tracing {
  std::string mode;
};

struct Ephemeral {
  std::int64_t size = 512;
};

struct FunctionResource {
  std::string function_name;
  std::string runtime;
  std::string handler;
  std::optional<std::string> filename;
  std::optional<std::string> s3_bucket;
  std::optional<std::string> image_uri;
  std::int64_t memory_size = 128;
  std::int64_t timeout = 3;
  std::int64_t reserved = -1;
  bool publish = false;
  std::vector<std::string> layers;
  std::optional<std::string> source_code_hash;
  std::string role;
  std::string description;
  std::string last_modified;
  std::optional<Environment> environment;
  std::optional<Tracing> tracing;
  std::optional<Ephemeral> ephemeral;
  std::map<std::string, std::string> tags;
  std::int64_t version = 0;  // of kVersionType only
};

struct Routing {
  std::map<std::string, double> weights;
};

struct AliasResource {
  std::string name;
  std::string function_name;
  std::string function_version;
  std::string description;
  std::optional<Routing> routing;
};

struct LayerResource {
  std::string layer_name;
  std::optional<std::string> filename;
  std::int64_t version = 1;
  std::string description;
  std::string license_info;
  std::vector<std::string> compatible_runtimes;
  std::string created_date;
};

struct ProvisionedResource {
  std::string function_name;
  std::string qualifier;
  std::int64_t executions = 1;
};

// Kept, so that GetPolicy gives it back; the gateway of the same stack always may call.
struct PermissionResource {
  std::string function_name;
  std::string action;
  std::string principal;
  std::optional<std::string> statement_id;
  std::string source_arn;
  std::string source_account;
  std::string qualifier;
};

struct EventInvokeResource {
  std::string function_name;
  std::string qualifier;
  std::int64_t age = 21'600;
  std::int64_t retries = 2;
};

// A function is referred to by its name, a partial ARN or an ARN.
std::string name_of(std::string_view name_or_arn);

}  // namespace securebase::functions
