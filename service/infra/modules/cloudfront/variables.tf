variable "environment" {
  type = string
}

variable "bucket_name" {
  description = "The bucket of the portal's files; this module makes it."
  type        = string
}

variable "price_class" {
  type = string
}

variable "api_gateway_domain" {
  description = "The host under which the API answers."
  type        = string
}

variable "api_cache_ttl" {
  description = "How long responses to GET requests of the API are kept, in seconds."
  type        = number

  validation {
    condition     = var.api_cache_ttl >= 0 && var.api_cache_ttl <= 3600
    error_message = "The API's responses are kept for 0 to 3600 seconds."
  }
}
