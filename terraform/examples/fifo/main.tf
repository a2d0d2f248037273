# FIFO queues for many bookings a second: order and repetitions are looked after per booking.

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

module "bookflow" {
  source = "../.."

  fifo                 = true
  fifo_high_throughput = true
}

output "environment_files" {
  description = "The environment files of both units."
  value       = module.bookflow.environment_files
}
