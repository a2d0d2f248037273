# Queues that are encrypted with a key of one's own. Its default policy lets the account's IAM policies
# decide who may use it: those that the module makes.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.8"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

resource "aws_kms_key" "queues" {
  description         = "bookflow: messages name customers"
  enable_key_rotation = true
}

module "bookflow" {
  source = "../.."

  kms_key_arn                       = aws_kms_key.queues.arn
  kms_data_key_reuse_period_seconds = 900
}

output "environment_files" {
  description = "The environment files of both units."
  value       = module.bookflow.environment_files
}
