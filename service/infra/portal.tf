# The portal's files, as Vite built them. Code and style have the hash of their content in the name and are kept for a
# year; the page itself says which of them it wants, so browsers ask for it each time and the edge keeps it for an hour.

locals {
  portal_dist = "${path.module}/../portal/dist"

  content_types = {
    html  = "text/html; charset=utf-8"
    js    = "text/javascript; charset=utf-8"
    css   = "text/css; charset=utf-8"
    json  = "application/json"
    svg   = "image/svg+xml"
    webp  = "image/webp"
    jpg   = "image/jpeg"
    png   = "image/png"
    ico   = "image/x-icon"
    txt   = "text/plain; charset=utf-8"
    woff2 = "font/woff2"
    map   = "application/json"
  }

  cache_control = {
    page   = "max-age=0, s-maxage=3600, must-revalidate"
    assets = "public, max-age=31536000, immutable"
    static = "public, max-age=604800"
  }
}

resource "aws_s3_object" "portal" {
  for_each = fileset(local.portal_dist, "**")

  bucket        = module.cloudfront.bucket_id
  key           = each.value
  source        = "${local.portal_dist}/${each.value}"
  source_hash   = filemd5("${local.portal_dist}/${each.value}")
  content_type  = lookup(local.content_types, reverse(split(".", each.value))[0], "application/octet-stream")
  cache_control = lookup(local.cache_control, split("/", each.value)[0], local.cache_control.page)
}

# The portal's addresses are all the one page, which looks at the path itself; those of screens with code of their own
# ask for it early. They are objects of their own rather than
# an error response of the distribution: that would hold for the API as well, and turn its 404 into a page.
resource "aws_s3_object" "screen" {
  for_each = {
    "sign-in"  = "index.html"
    "sign-up"  = "index.html"
    "invoices" = "pages/invoices.html"
    "tickets"  = "pages/tickets.html"
    "api-keys" = "pages/api-keys.html"
  }

  bucket        = module.cloudfront.bucket_id
  key           = each.key
  source        = "${local.portal_dist}/${each.value}"
  source_hash   = filemd5("${local.portal_dist}/${each.value}")
  content_type  = local.content_types.html
  cache_control = local.cache_control.page
}

# Page loads as customers' browsers saw them. The page's script tag asks SecureBase's edge for its script; on AWS, where
# nothing answers there, the console of CloudWatch RUM gives another.
resource "aws_rum_app_monitor" "portal" {
  name           = "${local.name}-portal"
  domain         = module.cloudfront.domain_name
  cw_log_enabled = true

  app_monitor_configuration {
    session_sample_rate = 1 # a beacon is small, and rare pages are worth as much as busy ones
  }
}
