# The API: routes.tf says what it answers, this file where it stands and how it is run.

resource "aws_api_gateway_rest_api" "main" {
  name = "securebase-api"
  body = jsonencode(local.api)

  minimum_compression_size = 1024 # Compress responses > 1KB

  tags = {
    # Read by SecureBase: a token or an API key, either is enough. AWS asks for all identity sources of an authorizer.
    "securebase:authorizer-identity" = "any"
  }
}

resource "aws_api_gateway_deployment" "main" {
  rest_api_id = aws_api_gateway_rest_api.main.id

  triggers = {
    redeployment = sha1(aws_api_gateway_rest_api.main.body)
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/apigateway/${local.name}"
  retention_in_days = 14
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id           = aws_api_gateway_rest_api.main.id
  deployment_id         = aws_api_gateway_deployment.main.id
  stage_name            = "prod"
  cache_cluster_enabled = true
  cache_cluster_size    = "0.5"
  xray_tracing_enabled  = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      requestId         = "$context.requestId"
      ip                = "$context.identity.sourceIp"
      requestTime       = "$context.requestTime"
      httpMethod        = "$context.httpMethod"
      path              = "$context.path"
      resourcePath      = "$context.resourcePath"
      status            = "$context.status"
      protocol          = "$context.protocol"
      responseLength    = "$context.responseLength"
      responseLatency   = "$context.responseLatency"
      integrationStatus = "$context.integrationStatus"
      principalId       = "$context.authorizer.principalId"
    })
  }
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"

  settings {
    # Enable caching for GET requests
    caching_enabled      = true
    cache_ttl_in_seconds = 300 # 5 minutes
    cache_data_encrypted = true

    # Performance settings
    throttling_burst_limit = 5000
    throttling_rate_limit  = 10000

    # Monitoring
    metrics_enabled = true
    logging_level   = "INFO"
  }
}

# Health is asked for to learn how things are now.
resource "aws_api_gateway_method_settings" "health" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "v1/health/GET"

  settings {
    caching_enabled        = false
    throttling_burst_limit = 5000
    throttling_rate_limit  = 10000
    metrics_enabled        = true
    logging_level          = "INFO"
  }
}

resource "aws_api_gateway_domain_name" "api" {
  domain_name              = var.api_domain
  regional_certificate_arn = aws_acm_certificate.api.arn

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_acm_certificate" "api" {
  domain_name       = var.api_domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# https://api.securebase.com/v1/... and, behind the CDN, /api/v1/...
resource "aws_api_gateway_base_path_mapping" "root" {
  api_id      = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  domain_name = aws_api_gateway_domain_name.api.domain_name
}

resource "aws_api_gateway_base_path_mapping" "api" {
  api_id      = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  domain_name = aws_api_gateway_domain_name.api.domain_name
  base_path   = "api"
}
