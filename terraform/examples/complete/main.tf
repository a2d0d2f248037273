# Both workers on machines of their own: queues, a role for each worker and one for the operators (on
# EC2 an instance profile takes it to the machine), alarms to a topic for somebody to subscribe to, a
# dashboard.

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

resource "aws_sns_topic" "on_call" {
  name = "bookings-on-call"
}

module "bookflow" {
  source = "../.."

  name_prefix = "bookings"
  tags        = { team = "bookings", stage = "production" }

  message_retention_seconds = 7 * 24 * 3600

  alarm_topic_arns         = [aws_sns_topic.on_call.arn]
  alarm_no_traffic_minutes = 240
  dashboard_enabled        = true
}

resource "aws_iam_role" "program" {
  for_each = toset(["intake", "decision", "operator"])

  name = "bookings-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "program" {
  for_each = aws_iam_role.program

  role       = each.value.name
  policy_arn = module.bookflow.iam_policy_arns[each.key]
}

# terraform output -json environment_files | jq -j .intake >/etc/bookflow/intake.env
output "environment_files" {
  description = "The environment files of both units."
  value       = module.bookflow.environment_files
}
