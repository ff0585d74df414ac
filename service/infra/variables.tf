variable "environment" {
  description = "Which SecureBase this is; part of every name."
  type        = string
  default     = "prod"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "The environment is 2 to 12 lower-case letters and digits, beginning with a letter."
  }
}

variable "region" {
  description = "Where the stack stands."
  type        = string
  default     = "us-east-1"
}

variable "build" {
  description = "Where the C++ functions were built to: each has a folder below service/functions/ there."
  type        = string
  default     = "../../build/release"
}

variable "api_domain" {
  description = "The host under which the API answers without the CDN."
  type        = string
  default     = "api.securebase.com"
}

variable "alert_email" {
  description = "Who gets mail of every alarm; nobody when empty."
  type        = string
  default     = ""
}

variable "slack_webhook_url" {
  description = "The incoming webhook of the Slack channel for alarms (https://hooks.slack.com/services/...)."
  type        = string
  default     = ""
  sensitive   = true
}

variable "pagerduty_integration_url" {
  description = "The integration URL of the PagerDuty service for critical alarms (https://events.pagerduty.com/integration/KEY/enqueue)."
  type        = string
  default     = ""
  sensitive   = true
}

variable "alarm_period" {
  description = "Seconds over which alarms add up: short ones look at a minute, long ones at five. A try-out shortens them."
  type        = object({ short = number, long = number })
  default     = { short = 60, long = 300 }
}

variable "cache_node_type" {
  description = "ElastiCache's node type: how much Redis may keep."
  type        = string
  default     = "cache.r6g.large" # 13 GB RAM
}
