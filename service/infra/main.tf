# SecureBase itself: what runs on the platform out of the box. The same files deploy to AWS.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws     = { source = "hashicorp/aws", version = "~> 5.0" }
    archive = { source = "hashicorp/archive", version = "~> 2.4" }
    random  = { source = "hashicorp/random", version = "~> 3.6" }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = "securebase", Environment = var.environment }
  }
}

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  name = "securebase-${var.environment}" # securebase-prod
}

module "vpc" {
  source = "./modules/vpc"

  environment = var.environment
}

module "cloudfront" {
  source = "./modules/cloudfront"

  environment = var.environment
  bucket_name = "${local.name}-portal"
  price_class = "PriceClass_100" # US, Canada, Europe

  # API caching
  api_gateway_domain = aws_api_gateway_domain_name.api.domain_name
  api_cache_ttl      = 300 # 5 minutes for GET requests
}

module "elasticache" {
  source = "./modules/elasticache"

  environment     = var.environment
  vpc_id          = module.vpc.vpc_id
  subnet_ids      = module.vpc.private_subnet_ids
  node_type       = var.cache_node_type
  num_cache_nodes = 2 # Primary + replica
}
