# Who hears of trouble: mail and Slack of every alarm, PagerDuty of the critical ones. A receiver is there when its
# variable is set.

resource "aws_sns_topic" "alerts" {
  name         = "${local.name}-alerts"
  display_name = "SecureBase ${var.environment}"
}

resource "aws_sns_topic" "critical" {
  name         = "${local.name}-critical"
  display_name = "SecureBase ${var.environment}, critical"
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alert_email == "" ? 0 : 1

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.alert_email
}

# On AWS, Slack does not confirm subscriptions by itself: there AWS Chatbot takes this one's place.
resource "aws_sns_topic_subscription" "slack" {
  count = nonsensitive(var.slack_webhook_url) == "" ? 0 : 1

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "https"
  endpoint  = var.slack_webhook_url
}

resource "aws_sns_topic_subscription" "pagerduty" {
  count = nonsensitive(var.pagerduty_integration_url) == "" ? 0 : 1

  topic_arn              = aws_sns_topic.critical.arn
  protocol               = "https"
  endpoint               = var.pagerduty_integration_url
  endpoint_auto_confirms = true
}
