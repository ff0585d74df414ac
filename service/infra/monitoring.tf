# What is watched: the guide's eight alarms, and the two dashboards. notifications.tf says who is told. Where a source is
# silent an alarm says INSUFFICIENT_DATA: nobody knows, and that is worth seeing.

locals {
  alert_actions    = [aws_sns_topic.alerts.arn]
  critical_actions = [aws_sns_topic.alerts.arn, aws_sns_topic.critical.arn] # somebody is called

  # The tables of the platform; alarms about one that is never used stay OK.
  tables = ["${local.name}-sessions"]

  api_dimensions          = { ApiName = aws_api_gateway_rest_api.main.name }
  cache_dimensions        = { CacheClusterId = "${local.name}-redis-001" }
  distribution_dimensions = { DistributionId = module.cloudfront.distribution_id, Region = "Global" }

  # CloudWatch's ids hold no hyphens.
  function_queries = { for name, function in local.functions : replace(name, "-", "_") => function.function_name }
}

resource "aws_cloudwatch_metric_alarm" "api_latency" {
  alarm_name          = "${local.name}-api-p95-latency"
  alarm_description   = "The API's p95 latency has been above 100 ms for 10 minutes."
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  dimensions          = local.api_dimensions
  extended_statistic  = "p95"
  period              = var.alarm_period.long
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 100
  alarm_actions       = local.alert_actions
  ok_actions          = local.alert_actions

  # A p95 of a handful of requests says little about the API.
  evaluate_low_sample_count_percentiles = "ignore"
}

resource "aws_cloudwatch_metric_alarm" "lambda_errors" {
  alarm_name          = "${local.name}-lambda-errors"
  alarm_description   = "More than 10 invocations failed in 5 minutes."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10
  alarm_actions       = local.alert_actions
  ok_actions          = local.alert_actions

  metric_query {
    id          = "errors"
    expression  = "SUM(METRICS())"
    label       = "Errors of all functions"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.function_queries
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/Lambda"
        metric_name = "Errors"
        dimensions  = { FunctionName = metric_query.value }
        period      = var.alarm_period.long
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "lambda_throttles" {
  alarm_name          = "${local.name}-lambda-throttles"
  alarm_description   = "Invocations were refused: a function's concurrency is used up."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  alarm_actions       = local.alert_actions
  ok_actions          = local.alert_actions

  metric_query {
    id          = "throttles"
    expression  = "SUM(METRICS())"
    label       = "Throttles of all functions"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.function_queries
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/Lambda"
        metric_name = "Throttles"
        dimensions  = { FunctionName = metric_query.value }
        period      = var.alarm_period.short
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "api_errors" {
  alarm_name          = "${local.name}-api-5xx"
  alarm_description   = "The API answered more than 5 requests with a 5xx status in 5 minutes."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5XXError"
  dimensions          = local.api_dimensions
  statistic           = "Sum"
  period              = var.alarm_period.long
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  alarm_actions       = local.critical_actions
  ok_actions          = local.critical_actions
}

resource "aws_cloudwatch_metric_alarm" "table_throttles" {
  for_each = toset(local.tables)

  alarm_name          = "${each.value}-throttles"
  alarm_description   = "Reads or writes of the table were throttled."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  alarm_actions       = local.alert_actions
  ok_actions          = local.alert_actions

  metric_query {
    id          = "throttles"
    expression  = "SUM([reads, writes])"
    label       = "Throttled reads and writes"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { reads = "ReadThrottleEvents", writes = "WriteThrottleEvents" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = metric_query.value
        dimensions  = { TableName = each.value }
        period      = var.alarm_period.short
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "cache_cpu" {
  alarm_name          = "${local.name}-cache-cpu"
  alarm_description   = "Redis has used more than 75 % of its CPU for 5 minutes."
  namespace           = "AWS/ElastiCache"
  metric_name         = "CPUUtilization"
  dimensions          = local.cache_dimensions
  statistic           = "Average"
  period              = var.alarm_period.long
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 75
  alarm_actions       = local.alert_actions
  ok_actions          = local.alert_actions

  tags = { "securebase:recovery-threshold" = "65" }
}

resource "aws_cloudwatch_metric_alarm" "cache_memory" {
  alarm_name          = "${local.name}-cache-memory"
  alarm_description   = "More than 85 % of Redis' memory is used: it begins to evict soon."
  namespace           = "AWS/ElastiCache"
  metric_name         = "DatabaseMemoryUsagePercentage"
  dimensions          = local.cache_dimensions
  statistic           = "Average"
  period              = var.alarm_period.long
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 85
  alarm_actions       = local.alert_actions
  ok_actions          = local.alert_actions

  tags = { "securebase:recovery-threshold" = "80" }
}

resource "aws_cloudwatch_metric_alarm" "cdn_errors" {
  alarm_name          = "${local.name}-cdn-5xx-rate"
  alarm_description   = "More than 1 % of the CDN's answers in 5 minutes were 5xx."
  namespace           = "AWS/CloudFront"
  metric_name         = "5xxErrorRate"
  dimensions          = local.distribution_dimensions
  statistic           = "Average"
  period              = var.alarm_period.long
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  alarm_actions       = local.alert_actions
  ok_actions          = local.alert_actions
}

# The objective: 99.95 % of the API's requests are answered without a 5xx. On AWS, where the tags mean nothing, it is a
# plain alarm on the last 5 minutes.
resource "aws_cloudwatch_metric_alarm" "api_objective" {
  alarm_name          = "${local.name}-api-objective"
  alarm_description   = "The API's error budget (99.95 % of requests) burns too fast."
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.0072 # 14.4 times what the budget allows
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.critical_actions
  ok_actions          = local.critical_actions

  metric_query {
    id          = "share"
    expression  = "errors / requests"
    label       = "Share of failed requests"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "5XXError", requests = "Count" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApiGateway"
        metric_name = metric_query.value
        dimensions  = local.api_dimensions
        period      = 60
        stat        = "Sum"
      }
    }
  }

  tags = {
    "securebase:objective" = "99.95"
    "securebase:burn-rate" = "14.4x 1h 5m / 6x 6h 30m / 3x 1d 2h / 1x 3d 6h"
  }
}

locals {
  # One line of a widget's metrics for each function.
  function_errors    = [for name in values(local.function_queries) : ["AWS/Lambda", "Errors", "FunctionName", name]]
  function_durations = [for name in values(local.function_queries) : ["AWS/Lambda", "Duration", "FunctionName", name, { stat = "p95" }]]
  function_starts    = [for name in values(local.function_queries) : ["AWS/Lambda", "InitDuration", "FunctionName", name, { stat = "SampleCount" }]]

  performance_widgets = [
    {
      title = "API latency (target: p95 below 100 ms)"
      metrics = [for stat in ["p50", "p95", "p99"] :
      ["AWS/ApiGateway", "Latency", "ApiName", aws_api_gateway_rest_api.main.name, { stat = stat, label = stat }]]
      annotations = { horizontal = [{ label = "target", value = 100 }] }
    },
    {
      title = "API requests and errors"
      metrics = [
        ["AWS/ApiGateway", "Count", "ApiName", aws_api_gateway_rest_api.main.name, { stat = "Sum" }],
        [".", "4XXError", ".", ".", { stat = "Sum" }],
        [".", "5XXError", ".", ".", { stat = "Sum" }],
      ]
    },
    { title = "Function duration, p95", metrics = local.function_durations },
    { title = "Cold starts", metrics = local.function_starts },
    {
      title = "CDN hit rate (target: above 80 %)"
      metrics = [["AWS/CloudFront", "CacheHitRate", "DistributionId", module.cloudfront.distribution_id, "Region", "Global",
      { stat = "Average" }]]
      annotations = { horizontal = [{ label = "target", value = 80 }] }
    },
    {
      title = "Redis: hit rate (target: above 70 %), CPU, memory"
      metrics = [
        for metric in ["CacheHitRate", "EngineCPUUtilization", "DatabaseMemoryUsagePercentage"] :
        ["AWS/ElastiCache", metric, "CacheClusterId", local.cache_dimensions.CacheClusterId, { stat = "Average" }]
      ]
      annotations = { horizontal = [{ label = "hit rate", value = 70 }] }
    },
  ]

  uptime_widgets = [
    {
      title = "Availability of the API (target: 99.95 %)"
      metrics = [
        [{ expression = "100 * (1 - FILL(errors, 0) / requests)", label = "Availability, % (lowest $${MIN})", id = "availability" }],
        ["AWS/ApiGateway", "Count", "ApiName", aws_api_gateway_rest_api.main.name, { stat = "Sum", id = "requests", visible = false }],
        [".", "5XXError", ".", ".", { stat = "Sum", id = "errors", visible = false }],
      ]
      annotations = { horizontal = [{ label = "target", value = 99.95 }] }
    },
    {
      title   = "5xx rate at the CDN (alarm above 1 %)"
      metrics = [["AWS/CloudFront", "5xxErrorRate", "DistributionId", module.cloudfront.distribution_id, "Region", "Global", { stat = "Average" }]]
    },
    { title = "Function errors", metrics = local.function_errors },
  ]
}

resource "aws_cloudwatch_dashboard" "performance" {
  dashboard_name = "${local.name}-performance"
  dashboard_body = jsonencode({
    start = "-PT3H"
    widgets = [for i, widget in local.performance_widgets : {
      type = "metric", x = i % 2 * 12, y = floor(i / 2) * 6, width = 12, height = 6
      properties = merge({ view = "timeSeries", stat = "Sum", period = 60, region = var.region }, widget)
    }]
  })
}

resource "aws_cloudwatch_dashboard" "uptime" {
  dashboard_name = "${local.name}-uptime"
  dashboard_body = jsonencode({
    start = "-P1D"
    widgets = concat(
      [{
        type = "alarm", x = 0, y = 0, width = 24, height = 3
        properties = {
          title = "Alarms"
          alarms = concat(
            [
              aws_cloudwatch_metric_alarm.api_latency.arn,
              aws_cloudwatch_metric_alarm.api_errors.arn,
              aws_cloudwatch_metric_alarm.api_objective.arn,
              aws_cloudwatch_metric_alarm.lambda_errors.arn,
              aws_cloudwatch_metric_alarm.lambda_throttles.arn,
              aws_cloudwatch_metric_alarm.cache_cpu.arn,
              aws_cloudwatch_metric_alarm.cache_memory.arn,
              aws_cloudwatch_metric_alarm.cdn_errors.arn,
            ],
            [for alarm in aws_cloudwatch_metric_alarm.table_throttles : alarm.arn],
          )
        }
      }],
      [for i, widget in local.uptime_widgets : {
        type = "metric", x = i % 3 * 8, y = 3, width = 8, height = 6
        properties = merge({ view = "timeSeries", stat = "Sum", period = 60, region = var.region }, widget)
      }],
    )
  })
}
