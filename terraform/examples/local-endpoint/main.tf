# Queues on an SQS server of one's own, as for development: no account, no IAM, no CloudWatch.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.8"
    }
  }
}

variable "endpoint" {
  description = "Where the SQS server listens."
  type        = string
  default     = "http://127.0.0.1:4566"
}

variable "fifo" {
  description = "FIFO queues."
  type        = bool
  default     = false
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "AKIDEXAMPLE" # any will do for a server that does not look
  secret_key                  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {
    sqs = var.endpoint
  }
}

module "bookflow" {
  source = "../.."

  fifo                = var.fifo
  create_iam_policies = false
  alarms_enabled      = false
  endpoint_url        = var.endpoint
}

output "environment_files" {
  description = "The environment files of both units."
  value       = module.bookflow.environment_files
}

output "iam_policy_documents" {
  description = "What each program may ask of the queues, where somebody looks."
  value       = module.bookflow.iam_policy_documents
}
