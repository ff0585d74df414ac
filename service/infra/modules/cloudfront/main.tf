# The CDN in front of the portal's bucket and the API, with the guide's cache behaviours:
#
#   /           1 hour   HTML pages
#   /assets/*   1 year   versioned JS and CSS
#   /static/*   7 days   images, fonts
#   /api/*      api_cache_ttl, GET only; /v1/* likewise, for who knows the API by its own paths

locals {
  portal = "portal"
  api    = "api"

  hour = 3600
  day  = 24 * local.hour
  week = 7 * local.day
  year = 365 * local.day
}

resource "aws_s3_bucket" "portal" {
  bucket = var.bucket_name
}

resource "aws_s3_bucket_public_access_block" "portal" {
  bucket                  = aws_s3_bucket.portal.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_cloudfront_origin_access_control" "portal" {
  name                              = var.bucket_name
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

data "aws_iam_policy_document" "portal" {
  statement {
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [aws_s3_bucket.portal.arn, "${aws_s3_bucket.portal.arn}/*"]
    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "AWS:SourceArn"
      values   = [aws_cloudfront_distribution.main.arn]
    }
  }
}

resource "aws_s3_bucket_policy" "portal" {
  bucket = aws_s3_bucket.portal.id
  policy = data.aws_iam_policy_document.portal.json
}

# Who asks is part of the key. SecureBase keeps callers apart by itself (it authorises before it looks up); CloudFront
# looks up before the authorizer is asked, so there the key alone has to do it.
resource "aws_cloudfront_cache_policy" "api" {
  name        = "securebase-${var.environment}-api"
  min_ttl     = 0
  default_ttl = 0 # what the API does not allow to be kept is not kept
  max_ttl     = var.api_cache_ttl

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = true
    enable_accept_encoding_brotli = true
    headers_config {
      header_behavior = "whitelist"
      headers {
        items = ["Authorization", "X-API-Key"]
      }
    }
    query_strings_config {
      query_string_behavior = "all"
    }
    cookies_config {
      cookie_behavior = "none"
    }
  }
}

data "aws_cloudfront_origin_request_policy" "all_viewer_except_host" {
  name = "Managed-AllViewerExceptHostHeader"
}

data "aws_cloudfront_response_headers_policy" "security" {
  name = "Managed-SecurityHeadersPolicy"
}

resource "aws_cloudfront_distribution" "main" {
  enabled             = true
  is_ipv6_enabled     = true
  comment             = "securebase-${var.environment}"
  default_root_object = "index.html"
  price_class         = var.price_class
  http_version        = "http2"

  origin {
    origin_id                = local.portal
    domain_name              = aws_s3_bucket.portal.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.portal.id
  }

  origin {
    origin_id   = local.api
    domain_name = var.api_gateway_domain

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  default_cache_behavior {
    target_origin_id           = local.portal
    viewer_protocol_policy     = "allow-all"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    min_ttl                    = 0
    default_ttl                = local.hour
    max_ttl                    = local.day
    response_headers_policy_id = data.aws_cloudfront_response_headers_policy.security.id

    forwarded_values {
      query_string = false
      cookies {
        forward = "none"
      }
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = { "/assets/*" = local.year, "/static/*" = local.week }

    content {
      path_pattern               = ordered_cache_behavior.key
      target_origin_id           = local.portal
      viewer_protocol_policy     = "allow-all"
      allowed_methods            = ["GET", "HEAD", "OPTIONS"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = true
      min_ttl                    = 0
      default_ttl                = ordered_cache_behavior.value
      max_ttl                    = local.year
      response_headers_policy_id = data.aws_cloudfront_response_headers_policy.security.id

      forwarded_values {
        query_string = false
        cookies {
          forward = "none"
        }
      }
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = ["/api/*", "/v1/*"]

    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = local.api
      viewer_protocol_policy   = "allow-all"
      allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cached_methods           = ["GET", "HEAD"]
      compress                 = true
      cache_policy_id          = aws_cloudfront_cache_policy.api.id
      origin_request_policy_id = data.aws_cloudfront_origin_request_policy.all_viewer_except_host.id
    }
  }

  # A failing origin is asked again at once.
  dynamic "custom_error_response" {
    for_each = [500, 502, 503, 504]

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = true
  }

  tags = {
    # Read by SecureBase: the distribution's id. AWS gives one of its own.
    "securebase:id" = "E1234ABCD"
    # What the prober asks for each second, as canary=path.
    "securebase:probe" = "portal=/ api=/api/v1/health"
  }
}
