# What is measured: a bucket with files of three sizes behind a distribution, and Python functions that were never called.

variable "sizes" {
  type    = map(number)
  default = { "1k" = 1024, "10k" = 10240, "100k" = 102400 }
}

resource "aws_s3_bucket" "files" {
  bucket = "bench-files"
}

resource "aws_s3_object" "file" {
  for_each = var.sizes

  bucket = aws_s3_bucket.files.id
  key    = each.key
  # range() gives at most 1024 values: a kilobyte at a time.
  content = join("", [
    for i in range(each.value / 1024) : join("", [for j in range(16) : sha256("${each.key}-${i * 16 + j}")])
  ])
  content_type  = "application/octet-stream" # nobody compresses it
  cache_control = "max-age=86400"
}

resource "aws_cloudfront_distribution" "files" {
  enabled = true

  origin {
    origin_id   = "files"
    domain_name = aws_s3_bucket.files.bucket_regional_domain_name
  }

  default_cache_behavior {
    target_origin_id       = "files"
    viewer_protocol_policy = "allow-all"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]

    forwarded_values {
      query_string = false
      cookies {
        forward = "none"
      }
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
}

data "archive_file" "python" {
  type        = "zip"
  source_dir  = "${path.module}/../function"
  output_path = "${path.module}/../../build/bench/function.zip"
}

resource "aws_lambda_function" "cold" {
  count = 12

  function_name    = "bench-cold-${count.index}"
  role             = "arn:aws:iam::123456789012:role/bench"
  runtime          = "python3.11"
  handler          = "handler.lambda_handler"
  filename         = data.archive_file.python.output_path
  source_code_hash = data.archive_file.python.output_base64sha256
  memory_size      = 1769 # one whole CPU
  timeout          = 30
}
