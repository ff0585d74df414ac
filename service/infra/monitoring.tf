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

locals {
  # Alarms on one metric. `periods` of the long one have to breach, one where it is not said; `recovery` is what has to be
  # passed on the way back; somebody is called for those that are critical.
  metric_alarms = {
    api-p95-latency = {
      description = "The API's p95 latency has been above 100 ms for 10 minutes."
      namespace   = "AWS/ApiGateway"
      metric      = "Latency"
      percentile  = "p95"
      dimensions  = local.api_dimensions
      periods     = 2
      threshold   = 100
    }
    api-5xx = {
      description = "The API answered more than 5 requests with a 5xx status in 5 minutes."
      namespace   = "AWS/ApiGateway"
      metric      = "5XXError"
      statistic   = "Sum"
      dimensions  = local.api_dimensions
      threshold   = 5
      critical    = true
    }
    cache-cpu = {
      description = "Redis has used more than 75 % of its CPU for 5 minutes."
      namespace   = "AWS/ElastiCache"
      metric      = "CPUUtilization"
      statistic   = "Average"
      dimensions  = local.cache_dimensions
      threshold   = 75
      recovery    = 65
    }
    cache-memory = {
      description = "More than 85 % of Redis' memory is used: it begins to evict soon."
      namespace   = "AWS/ElastiCache"
      metric      = "DatabaseMemoryUsagePercentage"
      statistic   = "Average"
      dimensions  = local.cache_dimensions
      threshold   = 85
      recovery    = 80
    }
    cdn-5xx-rate = {
      description = "More than 1 % of the CDN's answers in 5 minutes were 5xx."
      namespace   = "AWS/CloudFront"
      metric      = "5xxErrorRate"
      statistic   = "Average"
      dimensions  = local.distribution_dimensions
      threshold   = 1
    }
  }

  # Alarms on the sum of a metric over all functions.
  function_alarms = {
    lambda-errors = {
      description = "More than 10 invocations failed in 5 minutes."
      metric      = "Errors"
      period      = var.alarm_period.long
      threshold   = 10
    }
    lambda-throttles = {
      description = "Invocations were refused: a function's concurrency is used up."
      metric      = "Throttles"
      period      = var.alarm_period.short
      threshold   = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  for_each = local.metric_alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, null)
  extended_statistic  = try(each.value.percentile, null)
  period              = var.alarm_period.long
  evaluation_periods  = try(each.value.periods, 1)
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  alarm_actions       = try(each.value.critical, false) ? local.critical_actions : local.alert_actions
  ok_actions          = try(each.value.critical, false) ? local.critical_actions : local.alert_actions

  # A p95 of a handful of requests says little about the API.
  evaluate_low_sample_count_percentiles = can(each.value.percentile) ? "ignore" : null

  tags = can(each.value.recovery) ? { "securebase:recovery-threshold" = tostring(each.value.recovery) } : {}
}

resource "aws_cloudwatch_metric_alarm" "functions" {
  for_each = local.function_alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.description
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  alarm_actions       = local.alert_actions
  ok_actions          = local.alert_actions

  metric_query {
    id          = "total"
    expression  = "SUM(METRICS())"
    label       = "${each.value.metric} of all functions"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.function_queries
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/Lambda"
        metric_name = each.value.metric
        dimensions  = { FunctionName = metric_query.value }
        period      = each.value.period
        stat        = "Sum"
      }
    }
  }
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
      title = "Page loads (target: p95 below 2 s)"
      metrics = [
        for metric in ["PageLoadTime", "TTFBTime", "WebVitalsLargestContentfulPaint"] :
        ["AWS/RUM", metric, "application_name", aws_rum_app_monitor.portal.name, { stat = "p95" }]
      ]
      annotations = { horizontal = [{ label = "target", value = 2000 }] }
    },
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
            [aws_cloudwatch_metric_alarm.api_objective.arn],
            [for alarm in aws_cloudwatch_metric_alarm.metric : alarm.arn],
            [for alarm in aws_cloudwatch_metric_alarm.functions : alarm.arn],
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
