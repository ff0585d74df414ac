output "distribution_id" {
  description = "What `aws cloudfront create-invalidation --distribution-id` takes."
  value       = module.cloudfront.distribution_id
}

output "distribution_domain_name" {
  value = module.cloudfront.domain_name
}

output "api_invoke_url" {
  value = aws_api_gateway_stage.prod.invoke_url
}

output "database_endpoint" {
  value = "${aws_rds_cluster.main.endpoint}:${aws_rds_cluster.main.port}"
}

output "cache_endpoint" {
  value = "${module.elasticache.primary_endpoint}:${module.elasticache.port}"
}

output "alerts_topic_arn" {
  description = "Where alarms are sent: mail and Slack."
  value       = aws_sns_topic.alerts.arn
}

output "critical_topic_arn" {
  description = "Where critical alarms are sent besides: PagerDuty."
  value       = aws_sns_topic.critical.arn
}
