# The routes of securebase-api: which function answers, what of the query is part of the cache key (only GET is cached),
# and whether the route is open to everybody.

locals {
  routes = {
    "/v1/health"  = { get = { function = "critical-api", query = ["checks"], public = true } }
    "/v1/pricing" = { get = { function = "critical-api", public = true } }
    "/v1/tiers"   = { get = { function = "critical-api", public = true } }

    "/v1/auth/signup" = { post = { function = "login", public = true } }
    "/v1/auth/login"  = { post = { function = "login", public = true } }

    "/v1/customers/{id}" = { get = { function = "customers" } }
    "/v1/customers/{id}/invoices" = {
      get = { function = "customers", query = ["status", "from", "to", "limit", "cursor"] }
    }
    "/v1/customers/{id}/invoices/{invoice_id}" = { get = { function = "customers" } }
    "/v1/customers/{id}/api-keys" = {
      get  = { function = "customers" }
      post = { function = "customers" }
    }
    "/v1/customers/{id}/api-keys/{key_id}" = { delete = { function = "customers" } }
    "/v1/customers/{id}/tickets" = {
      get  = { function = "customers", query = ["status", "limit", "cursor"] }
      post = { function = "customers" }
    }
    "/v1/customers/{id}/tickets/{ticket_id}"          = { get = { function = "customers" } }
    "/v1/customers/{id}/tickets/{ticket_id}/comments" = { post = { function = "customers" } }

    "/v1/customers/{id}/metrics"    = { get = { function = "metrics", query = ["period", "metric_name", "limit"] } }
    "/v1/customers/{id}/compliance" = { get = { function = "analytics" } }

    "/v1/analytics/cost-breakdown" = { get = { function = "analytics", query = ["customer_id", "period"] } }
    "/v1/analytics/security"       = { get = { function = "analytics", query = ["customer_id", "period"] } }
    "/v1/analytics/compliance"     = { get = { function = "analytics", query = ["customer_id", "period"] } }

    "/v1/customers/{id}/reports"             = { post = { function = "reports" } }
    "/v1/customers/{id}/reports/{report_id}" = { get = { function = "reports" } }
  }

  invocations = "arn:aws:apigateway:${data.aws_region.current.name}:lambda:path/2015-03-31/functions"

  # OpenAPI with API Gateway's extensions.
  api = {
    openapi = "3.0.1"
    info    = { title = "securebase-api", version = "1.0" }

    paths = {
      for path, methods in local.routes : path => {
        for method, route in methods : method => merge(
          {
            parameters = concat(
              [for name in regexall("\\{([a-z_]+)\\}", path) : {
                name = name[0], in = "path", required = true, schema = { type = "string" }
              }],
              [for name in lookup(route, "query", []) : {
                name = name, in = "query", required = false, schema = { type = "string" }
              }],
            )
            responses = { default = { description = "as the function answers" } }

            x-amazon-apigateway-integration = {
              type       = "aws_proxy"
              httpMethod = "POST"
              uri        = "${local.invocations}/${local.functions[route.function].arn}/invocations"
              # What the cache key is made of, beside the path.
              cacheKeyParameters = concat(
                [for name in regexall("\\{([a-z_]+)\\}", path) : "method.request.path.${name[0]}"],
                [for name in lookup(route, "query", []) : "method.request.querystring.${name}"],
              )
              timeoutInMillis = 29000
            }
          },
          lookup(route, "public", false) ? {} : { security = [{ auth = [] }] },
        )
      }
    }

    components = {
      securitySchemes = {
        auth = {
          type = "apiKey"
          in   = "header"
          name = "Authorization"

          x-amazon-apigateway-authtype = "custom"
          x-amazon-apigateway-authorizer = {
            type                         = "request"
            identitySource               = "method.request.header.Authorization, method.request.header.X-API-Key"
            authorizerUri                = "${local.invocations}/${local.functions["auth"].arn}/invocations"
            authorizerCredentials        = aws_iam_role.lambda.arn
            authorizerResultTtlInSeconds = 300
          }
        }
      }
    }
  }
}
