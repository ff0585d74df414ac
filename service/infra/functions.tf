# The functions. docs/service-api.md says which route each of them serves and what its environment means.

resource "random_password" "jwt" {
  length  = 64
  special = false
}

resource "aws_secretsmanager_secret" "jwt" {
  name        = "${local.name}-jwt"
  description = "Signs and verifies the sessions of the portal."
}

resource "aws_secretsmanager_secret_version" "jwt" {
  secret_id     = aws_secretsmanager_secret.jwt.id
  secret_string = jsonencode({ secret = random_password.jwt.result })
}

locals {
  app_credentials = jsondecode(aws_secretsmanager_secret_version.database_app.secret_string)

  database_environment = {
    DB_HOST    = aws_rds_cluster.main.endpoint
    DB_NAME    = aws_rds_cluster.main.database_name
    DB_PORT    = tostring(aws_rds_cluster.main.port)
    PGUSER     = local.app_credentials.username
    PGPASSWORD = local.app_credentials.password
    PGSSLMODE  = "require"
  }

  cache_environment = {
    REDIS_HOST       = module.elasticache.primary_endpoint
    REDIS_PORT       = tostring(module.elasticache.port)
    REDIS_AUTH_TOKEN = module.elasticache.auth_token
  }

  session_environment = {
    JWT_SECRET = jsondecode(aws_secretsmanager_secret_version.jwt.secret_string).secret
  }

  native_functions = {
    login     = { memory = 512, timeout = 10, environment = merge(local.database_environment, local.session_environment) }
    customers = { memory = 512, timeout = 10, environment = merge(local.database_environment, local.cache_environment) }
    analytics = { memory = 1024, timeout = 10, environment = merge(local.database_environment, local.cache_environment) }
    reports   = { memory = 2048, timeout = 30, environment = merge(local.database_environment, local.cache_environment) }
  }

  # Relative paths are meant from here, as everywhere in Terraform.
  build = startswith(var.build, "/") ? var.build : "${path.module}/${var.build}"
}

data "archive_file" "function" {
  for_each = toset(["auth", "login", "customers", "analytics", "critical-api", "reports"])

  type        = "zip"
  source_dir  = "${local.build}/service/functions/securebase-prod-${each.value}"
  output_path = "${local.build}/service/packages/${each.value}.zip"
}

data "archive_file" "metrics" {
  type        = "zip"
  source_dir  = "${path.module}/../functions/metrics"
  output_path = "${local.build}/service/packages/metrics.zip"
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com", "apigateway.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "lambda" {
  name               = "${local.name}-lambda"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

# Every request with credentials passes it.
resource "aws_lambda_function" "auth" {
  function_name    = "${local.name}-auth"
  role             = aws_iam_role.lambda.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  filename         = data.archive_file.function["auth"].output_path
  source_code_hash = data.archive_file.function["auth"].output_base64sha256
  memory_size      = 256
  timeout          = 5
  publish          = true

  environment {
    variables = merge(local.database_environment, local.cache_environment, local.session_environment)
  }
  tracing_config {
    mode = "Active"
  }
}

resource "aws_lambda_alias" "prod" {
  name             = "prod"
  function_name    = aws_lambda_function.auth.function_name
  function_version = aws_lambda_function.auth.version
}

resource "aws_lambda_provisioned_concurrency_config" "auth" {
  function_name                     = aws_lambda_function.auth.function_name
  provisioned_concurrent_executions = 2
  qualifier                         = aws_lambda_alias.prod.name
}

resource "aws_lambda_function" "critical" {
  function_name    = "${local.name}-critical-api"
  role             = aws_iam_role.lambda.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  filename         = data.archive_file.function["critical-api"].output_path
  source_code_hash = data.archive_file.function["critical-api"].output_base64sha256
  memory_size      = 1024
  timeout          = 30

  # Reserve capacity to prevent throttling
  reserved_concurrent_executions = 100

  environment {
    variables = merge(local.database_environment, local.cache_environment)
  }
  tracing_config {
    mode = "Active"
  }
}

resource "aws_lambda_function" "native" {
  for_each = local.native_functions

  function_name    = "${local.name}-${each.key}"
  role             = aws_iam_role.lambda.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  filename         = data.archive_file.function[each.key].output_path
  source_code_hash = data.archive_file.function[each.key].output_base64sha256
  memory_size      = each.value.memory
  timeout          = each.value.timeout

  environment {
    variables = each.value.environment
  }
  tracing_config {
    mode = "Active"
  }
}

resource "aws_lambda_function" "metrics" {
  function_name    = "${local.name}-metrics"
  role             = aws_iam_role.lambda.arn
  runtime          = "python3.11"
  handler          = "handler.lambda_handler"
  filename         = data.archive_file.metrics.output_path
  source_code_hash = data.archive_file.metrics.output_base64sha256
  memory_size      = 1024
  timeout          = 10

  environment {
    variables = merge(local.database_environment, local.cache_environment)
  }
  tracing_config {
    mode = "Active"
  }
}

locals {
  functions = merge(
    { for name, function in aws_lambda_function.native : name => function },
    { auth = aws_lambda_function.auth, critical-api = aws_lambda_function.critical, metrics = aws_lambda_function.metrics },
  )
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${each.value.function_name}"
  retention_in_days = 14
}

resource "aws_lambda_permission" "api" {
  for_each = local.functions

  action        = "lambda:InvokeFunction"
  function_name = each.value.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.main.execution_arn}/*"
}
