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
