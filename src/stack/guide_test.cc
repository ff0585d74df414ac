// The performance guide's own Terraform, as printed, with what it refers to and does not define put beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "stack/stack.h"

namespace securebase::stack {
namespace {

constexpr const char* kGuide = R"hcl(
module "cloudfront" {
  source = "./modules/cloudfront"
  
  environment     = "prod"
  bucket_name     = "securebase-prod-portal"
  price_class     = "PriceClass_100"  # US, Canada, Europe
  
  # API caching
  api_gateway_domain = "api.securebase.com"
  api_cache_ttl      = 300  # 5 minutes for GET requests
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"

  settings {
    # Enable caching for GET requests
    caching_enabled      = true
    cache_ttl_in_seconds = 300  # 5 minutes
    cache_data_encrypted = true
    
    # Performance settings
    throttling_burst_limit = 5000
    throttling_rate_limit  = 10000
    
    # Monitoring
    metrics_enabled = true
    logging_level   = "INFO"
  }
}

resource "aws_api_gateway_rest_api" "main" {
  name = "securebase-api"
  
  minimum_compression_size = 1024  # Compress responses > 1KB
}

resource "aws_lambda_provisioned_concurrency_config" "auth" {
  function_name                     = aws_lambda_function.auth.function_name
  provisioned_concurrent_executions = 5  # Keep 5 warm instances
  qualifier                         = aws_lambda_alias.prod.name
}

resource "aws_lambda_function" "critical" {
  function_name = "securebase-prod-critical-api"
  runtime       = "python3.11"
  memory_size   = 1024
  timeout       = 30
  
  # Reserve capacity to prevent throttling
  reserved_concurrent_executions = 100
}

resource "aws_lambda_function" "main" {
  tracing_config {
    mode = "Active"
  }
}

resource "aws_db_proxy" "main" {
  name                   = "securebase-prod-proxy"
  engine_family          = "POSTGRESQL"
  auth {
    secret_arn = aws_secretsmanager_secret.db_credentials.arn
  }
  
  role_arn               = aws_iam_role.rds_proxy.arn
  vpc_subnet_ids         = var.private_subnet_ids
  require_tls            = true
  
  # Connection pooling settings
  idle_client_timeout    = 1800  # 30 minutes
  max_connections_percent = 90
  max_idle_connections_percent = 50
}

resource "aws_rds_cluster" "main" {
  cluster_identifier  = "securebase-prod"
  engine              = "aurora-postgresql"
  engine_mode         = "provisioned"
  
  serverlessv2_scaling_configuration {
    min_capacity = 0.5  # 0.5 ACU = 1 GB RAM
    max_capacity = 4.0  # 4 ACU = 8 GB RAM
  }
}

module "elasticache" {
  source = "./modules/elasticache"
  
  environment    = "prod"
  vpc_id         = module.vpc.vpc_id
  subnet_ids     = module.vpc.private_subnet_ids
  node_type      = "cache.r6g.large"  # 13 GB RAM
  num_cache_nodes = 2  # Primary + replica
}
)hcl";

constexpr const char* kBeside = R"hcl(
variable "private_subnet_ids" { default = ["subnet-1", "subnet-2"] }
resource "aws_api_gateway_stage" "prod" { stage_name = "prod" }
resource "aws_lambda_function" "auth" { function_name = "securebase-prod-auth" }
resource "aws_lambda_alias" "prod" { name = "prod" }
resource "aws_secretsmanager_secret" "db_credentials" { name = "db" }
resource "aws_iam_role" "rds_proxy" { name = "rds-proxy" }
module "vpc" { source = "./modules/vpc" }
)hcl";

TEST(Guide, IsAcceptedAsPrinted) {
  const auto directory = std::filesystem::temp_directory_path() / ("guide-test-" + base::random_hex(12));
  const std::map<std::string, std::string> files = {
      {"guide.tf", kGuide},
      {"beside.tf", kBeside},
      {"modules/vpc/main.tf",
       "output \"vpc_id\" { value = \"vpc-1\" }\n"
       "output \"private_subnet_ids\" { value = [\"subnet-1\"] }\n"},
      {"modules/cloudfront/main.tf",
       "variable \"environment\" {}\nvariable \"bucket_name\" {}\nvariable \"price_class\" {}\n"
       "variable \"api_gateway_domain\" {}\nvariable \"api_cache_ttl\" { type = number }\n"},
      {"modules/elasticache/main.tf",
       "variable \"environment\" {}\nvariable \"vpc_id\" {}\nvariable \"subnet_ids\" {}\n"
       "variable \"node_type\" {}\nvariable \"num_cache_nodes\" { type = number }\n"},
  };
  for (const auto& [name, text] : files) {
    std::filesystem::create_directories((directory / name).parent_path());
    ASSERT_TRUE(base::replace_file(directory / name, text));
  }
  const auto stack = load({.directory = directory}, Catalogue());
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->find("aws_lambda_provisioned_concurrency_config.auth")->attributes["function_name"],
            Value("securebase-prod-auth"));
  std::vector<std::string> said;
  for (const auto& finding : stack->findings) said.push_back(finding.attribute);
  EXPECT_THAT(said, testing::IsSupersetOf({"max_connections_percent", "max_idle_connections_percent"}));
}

}  // namespace
}  // namespace securebase::stack
